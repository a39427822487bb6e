// Work off the GUI thread: lanes of worker threads, and the way back to the GUI thread.
#include "jobs/job_runner.h"

#include <QMetaObject>
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <thread>

namespace tessera::gui {

struct JobState {
  Lane lane = Lane::kCatalog;
  int priority = 0;
  std::stop_source stop;
  std::function<std::function<void()>(JobContext&)> body;
  JobRunner::Failed failed;
  QPointer<QObject> receiver;
  std::filesystem::path dir;
  unsigned opened = 0;
  bool delivered = false;  // GUI thread

  bool wanted() const { return !receiver.isNull() && !stop.stop_requested(); }
};

class JobLane {
 public:
  JobLane(JobRunner& runner, int threads) : runner_(runner) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
  }
  ~JobLane() {
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
      for (const auto& state : queue_) state->stop.request_stop();
      for (const auto& state : running_) state->stop.request_stop();
      queue_.clear();
    }
    ready_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  JobLane(const JobLane&) = delete;
  JobLane& operator=(const JobLane&) = delete;

  void push(std::shared_ptr<JobState> state) {
    {
      const std::lock_guard lock(mutex_);
      const auto after = std::find_if(queue_.begin(), queue_.end(),
                                      [&](const auto& other) { return other->priority < state->priority; });
      queue_.insert(after, std::move(state));
    }
    ready_.notify_one();
  }
  void libraryChanged() { ++changed_; }
  void post(const std::shared_ptr<JobState>& state, std::function<void()> call) {
    runner_.enqueue([state, call = std::move(call)] {
      if (state->wanted()) call();
    });
  }

 private:
  void work() {
    JobContext context;
    context.lane_ = this;
    std::unique_lock lock(mutex_);
    for (;;) {
      ready_.wait(lock, [this] { return closing_ || !queue_.empty(); });
      if (closing_) return;
      std::shared_ptr<JobState> state = std::move(queue_.front());
      queue_.pop_front();
      running_.push_back(state);
      lock.unlock();
      run(context, state);
      lock.lock();
      running_.erase(std::find(running_.begin(), running_.end(), state));
    }
  }

  void run(JobContext& context, const std::shared_ptr<JobState>& state) {
    std::function<void()> done;
    std::optional<JobError> error;
    if (!state->stop.stop_requested()) {
      enter(context, state);
      try {
        done = state->body(context);
      } catch (const Error& failure) {
        error = JobError{failure.code(), QString::fromUtf8(failure.what())};
      } catch (const std::bad_alloc&) {
        error = JobError{ErrorCode::kLimit, JobRunner::tr("There is not enough memory.")};
      } catch (const std::exception& failure) {
        error = JobError{ErrorCode::kInternal, QString::fromUtf8(failure.what())};
      }
      context.state_.reset();
    }
    runner_.enqueue([&runner = runner_, state, done = std::move(done), error = std::move(error)] {
      if (state->wanted()) {
        if (done) done();
        if (error && error->code != ErrorCode::kCancelled) {
          if (state->failed) {
            state->failed(*error);
          } else {
            Q_EMIT runner.jobFailed(error->message);
          }
        }
      }
      runner.finish(state);
    });
  }

  void enter(JobContext& context, const std::shared_ptr<JobState>& state) {
    const unsigned changed = changed_;
    if (context.opened_ != state->opened) {
      context.library_.reset();
      context.kept_.clear();
    } else if (context.changed_ != changed && context.library_) {
      context.library_->refresh();
    }
    context.dir_ = state->dir;
    context.opened_ = state->opened;
    context.changed_ = changed;
    context.state_ = state;
    context.stop_ = state->stop.get_token();
  }

  JobRunner& runner_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::shared_ptr<JobState>> queue_;
  std::vector<std::shared_ptr<JobState>> running_;
  std::atomic<unsigned> changed_ = 0;
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

namespace {

int threads_of(Lane lane) {
  switch (lane) {
    case Lane::kMemory:
    case Lane::kCatalog:
    case Lane::kSearch: return 1;
    case Lane::kPictures: return static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 2U, 16U));
    case Lane::kLong: return 3;
  }
  return 1;
}

// An old catalog is brought up to date by opening it for writing once; a newer one is refused again there.
Library open_for_reading(const std::filesystem::path& dir) {
  try {
    return Library::open(dir, OpenMode::kRead);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kVersion) throw;
  }
  Library::open(dir, OpenMode::kWrite);
  return Library::open(dir, OpenMode::kRead);
}

}  // namespace

void JobContext::throwIfCancelled() const {
  if (cancelled()) throw Error(ErrorCode::kCancelled, "cancelled");
}

Library& JobContext::library() {
  if (dir_.empty()) throw Error(ErrorCode::kNotFound, "no library is open");
  if (!library_) library_.emplace(open_for_reading(dir_));
  return *library_;
}

const std::filesystem::path& JobContext::libraryDir() const { return dir_; }

void JobContext::post(std::function<void()> call) { lane_->post(state_, std::move(call)); }

std::any& JobContext::slot(std::type_index type, const std::function<std::any()>& make) {
  const auto found = kept_.find(type);
  if (found != kept_.end()) return found->second;
  return kept_.emplace(type, make()).first->second;
}

void Job::cancel() {
  if (state_) state_->stop.request_stop();
}

bool Job::running() const { return state_ && !state_->delivered && !state_->stop.stop_requested(); }

JobRunner::JobRunner(QObject* parent) : QObject(parent), pending_(kLanes, 0) {
  for (int lane = 0; lane < kLanes; ++lane) {
    lanes_.push_back(std::make_unique<JobLane>(*this, threads_of(static_cast<Lane>(lane))));
  }
}

JobRunner::~JobRunner() { lanes_.clear(); }

void JobRunner::setLibraryDir(const std::filesystem::path& dir) {
  dir_ = dir;
  ++opened_;
}

void JobRunner::libraryChanged() {
  for (const auto& lane : lanes_) lane->libraryChanged();
}

Job JobRunner::submit(Lane lane, QObject* receiver, Body body, Failed failed, int priority) {
  auto state = std::make_shared<JobState>();
  state->lane = lane;
  state->priority = priority;
  state->body = std::move(body);
  state->failed = std::move(failed);
  state->receiver = receiver;
  state->dir = dir_;
  state->opened = opened_;
  const auto index = static_cast<std::size_t>(lane);
  ++pending_[index];
  lanes_[index]->push(state);
  return Job(state);
}

int JobRunner::pending(Lane lane) const { return pending_[static_cast<std::size_t>(lane)]; }

bool JobRunner::idle() const {
  return std::all_of(pending_.begin(), pending_.end(), [](int count) { return count == 0; });
}

void JobRunner::enqueue(std::function<void()> call) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = calls_.empty();
    calls_.push_back(std::move(call));
  }
  if (first) QMetaObject::invokeMethod(this, &JobRunner::deliver, Qt::QueuedConnection);
}

void JobRunner::deliver() {
  std::vector<std::function<void()>> calls;
  {
    const std::lock_guard lock(mutex_);
    calls.swap(calls_);
  }
  for (const auto& call : calls) call();
}

void JobRunner::finish(const std::shared_ptr<JobState>& state) {
  state->delivered = true;
  state->body = {};
  state->failed = {};
  --pending_[static_cast<std::size_t>(state->lane)];
  if (idle()) Q_EMIT becameIdle();
}

}  // namespace tessera::gui
