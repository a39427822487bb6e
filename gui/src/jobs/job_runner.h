// Work off the GUI thread: lanes of worker threads, each thread with a library of its own, and results that come back
// as calls on the GUI thread.
#pragma once

#include <QObject>
#include <QPointer>
#include <QString>
#include <any>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <typeindex>
#include <utility>
#include <vector>

#include "tessera/error.h"
#include "tessera/indexer/library.h"

namespace tessera::gui {

enum class Lane {
  kMemory,    // one thread: sorting and filtering of what is in memory
  kCatalog,   // one thread: short reads and writes of the catalog, in the order they were asked for
  kSearch,    // one thread: queries; it keeps the encoder
  kPictures,  // a thread per core: decoding
  kLong,      // three threads: indexing and analysis, which may take hours
};
inline constexpr int kLanes = 5;

struct JobError {
  ErrorCode code = ErrorCode::kInternal;
  QString message;
};

struct JobState;  // of one job; shared by its handle, the queue and its delivery
class JobLane;

// What a job has on its thread.
class JobContext {
 public:
  const std::stop_token& stop() const { return stop_; }
  bool cancelled() const { return stop_.stop_requested(); }
  void throwIfCancelled() const;  // kCancelled, which is nobody's failure and is not reported

  // The library that is open in the window. A folder of an older version is brought up to date on the way.
  // Throws kNotFound if there is none.
  Library& library();
  const std::filesystem::path& libraryDir() const;

  // Calls on the GUI thread, in order and before the job's result; not after the job was cancelled or its receiver has
  // gone. For progress.
  void post(std::function<void()> call);

  // A value this thread keeps until another library is opened, e.g. an encoder.
  template <typename T>
  std::shared_ptr<T>& kept() {
    return *std::any_cast<std::shared_ptr<std::shared_ptr<T>>>(
        slot(std::type_index(typeid(T)), [] { return std::any(std::make_shared<std::shared_ptr<T>>()); }));
  }

 private:
  friend class JobLane;
  std::any& slot(std::type_index type, const std::function<std::any()>& make);

  JobLane* lane_ = nullptr;
  std::shared_ptr<JobState> state_;
  std::stop_token stop_;
  std::filesystem::path dir_;
  unsigned opened_ = 0;
  unsigned changed_ = 0;
  std::optional<Library> library_;
  std::map<std::type_index, std::any> kept_;
};

// A handle to a job; letting it go changes nothing. Thread rule: GUI thread.
class Job {
 public:
  Job() = default;
  void cancel();  // neither its result nor its failure is delivered from now on
  bool running() const;

 private:
  friend class JobRunner;
  explicit Job(std::shared_ptr<JobState> state) : state_(std::move(state)) {}
  std::shared_ptr<JobState> state_;
};

// Thread rule: everything on the GUI thread. The destructor cancels all jobs and waits for those that run.
class JobRunner : public QObject {
  Q_OBJECT

 public:
  using Failed = std::function<void(const JobError&)>;

  explicit JobRunner(QObject* parent = nullptr);
  ~JobRunner() override;

  // Jobs started from now on see this library; an empty path means none.
  void setLibraryDir(const std::filesystem::path& dir);
  const std::filesystem::path& libraryDir() const { return dir_; }
  // Makes the threads look at the library anew: something was committed.
  void libraryChanged();

  // Runs work(JobContext&) on a thread of the lane, then done(result) (done() if work returns nothing) on the GUI
  // thread, if `receiver` still lives by then and the job was not cancelled. What work throws goes to `failed`, or to
  // the signal jobFailed() if that is empty. Both callables must be copyable. Higher priorities go first.
  template <typename Work, typename Done>
  Job run(Lane lane, QObject* receiver, Work work, Done done, Failed failed = {}, int priority = 0) {
    using Result = std::invoke_result_t<Work&, JobContext&>;
    auto body = [work = std::move(work), done = std::move(done)](JobContext& context) mutable -> std::function<void()> {
      if constexpr (std::is_void_v<Result>) {
        work(context);
        return [done]() mutable { done(); };
      } else {
        auto result = std::make_shared<Result>(work(context));
        return [result, done]() mutable { done(std::move(*result)); };
      }
    };
    return submit(lane, receiver, std::move(body), std::move(failed), priority);
  }

  int pending(Lane lane) const;  // jobs that are queued, run, or whose result is not delivered
  bool idle() const;             // nothing pending in any lane

 Q_SIGNALS:
  void jobFailed(const QString& message);
  void becameIdle();

 private:
  friend class JobLane;
  using Body = std::function<std::function<void()>(JobContext&)>;

  Job submit(Lane lane, QObject* receiver, Body body, Failed failed, int priority);
  void enqueue(std::function<void()> call);  // any thread
  void deliver();
  void finish(const std::shared_ptr<JobState>& state);

  std::filesystem::path dir_;
  unsigned opened_ = 0;
  std::vector<std::unique_ptr<JobLane>> lanes_;
  std::vector<int> pending_;
  std::mutex mutex_;
  std::vector<std::function<void()>> calls_;
};

}  // namespace tessera::gui
