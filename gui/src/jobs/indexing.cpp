// Indexing in this process.
#include "jobs/indexing.h"

#include <memory>

namespace tessera::gui {
namespace {

constexpr qint64 kRateMs = 15'000;
constexpr int kFirstSegment = 32;

LibraryEncoder settings_of(const FreshEncoder& fresh, const std::optional<LibraryEncoder>& before) {
  const EncoderInfo& info = fresh.encoder->info();
  LibraryEncoder settings;
  settings.model_name = info.model_name;
  settings.weights_hash = info.weights_hash;
  settings.model_dir = info.model_dir.string();
  settings.token_width = info.token_width;
  settings.trained = info.trained;
  settings.resize = fresh.resize;
  if (before) settings.stored_tokens = before->stored_tokens;
  return settings;
}

struct Prepared {
  Library library;
  std::unique_ptr<ImageEncoder> encoder;
};

// A library is made only once there is a model to make it with.
Prepared prepare(const IndexingPlan& plan, const Encoders& encoders) {
  std::error_code ignored;
  if (std::filesystem::exists(plan.library / "catalog.sqlite", ignored)) {
    Library library = Library::open(plan.library, OpenMode::kWrite);
    const auto before = library.encoder();
    if (before && !plan.change_model) {
      auto encoder = encoders.of_library(*before);
      return {std::move(library), std::move(encoder)};
    }
    FreshEncoder fresh = encoders.fresh();
    if (before) {
      if (before->weights_hash != fresh.encoder->info().weights_hash)
        library.change_encoder(settings_of(fresh, before));
    } else {
      library.set_encoder(settings_of(fresh, before));
    }
    return {std::move(library), std::move(fresh.encoder)};
  }
  FreshEncoder fresh = encoders.fresh();
  Library library = Library::open(plan.library, OpenMode::kCreate);
  library.set_encoder(settings_of(fresh, std::nullopt));
  return {std::move(library), std::move(fresh.encoder)};
}

}  // namespace

Indexing::Indexing(JobRunner& jobs, QObject* parent) : QObject(parent), jobs_(jobs) { clock_.start(); }

void Indexing::start(const IndexingPlan& plan, const Encoders& encoders) {
  if (state_ != State::kIdle && state_ != State::kPaused) return;
  plan_ = plan;
  encoders_ = encoders;
  run();
}

void Indexing::pause() {
  if (state_ != State::kRunning) return;
  setState(State::kPausing);
  stop_->request_stop();
}

void Indexing::resume() {
  if (state_ == State::kPaused) run();
}

void Indexing::stop() {
  if (state_ == State::kPaused) {
    setState(State::kIdle);
  } else if (state_ == State::kRunning || state_ == State::kPausing) {
    setState(State::kStopping);
    stop_->request_stop();
  }
}

void Indexing::setState(State state) {
  state_ = state;
  Q_EMIT stateChanged();
}

void Indexing::run() {
  progress_ = {};
  samples_.clear();
  stop_ = std::make_shared<std::stop_source>();
  setState(State::kRunning);
  jobs_.run(
      Lane::kLong, this,
      [this, plan = plan_, encoders = encoders_, stop = stop_](JobContext& context) {
        const std::stop_callback forward(context.stop(), [stop] { stop->request_stop(); });
        Prepared prepared = prepare(plan, encoders);
        context.post([this, library = plan.library] { Q_EMIT opened(library); });
        IngestOptions options;
        options.first_segment = kFirstSegment;
        options.retry_failed = plan.change_model;
        const std::vector<std::filesystem::path> roots = plan.roots.empty() ? prepared.library.roots() : plan.roots;
        return prepared.library.index(
            roots, options, *prepared.encoder,
            [&](const IngestProgress& progress) { context.post([this, progress] { note(progress); }); },
            stop->get_token());
      },
      [this](const IngestReport& report) {
        const bool pausing = state_ == State::kPausing && report.cancelled;
        setState(pausing ? State::kPaused : State::kIdle);
        Q_EMIT finished(report);
      },
      [this](const JobError& error) {
        setState(State::kIdle);
        Q_EMIT failed(error);
      });
}

void Indexing::note(const IngestProgress& progress) {
  progress_ = progress;
  const qint64 now = clock_.elapsed();
  samples_.push_back({now, progress.done});
  while (samples_.size() > 2 && now - samples_.front().ms > kRateMs) samples_.pop_front();
  Q_EMIT progressed();
}

double Indexing::rate() const {
  if (samples_.size() < 2) return 0;
  const double seconds = double(samples_.back().ms - samples_.front().ms) / 1000;
  return seconds < 1 ? 0 : double(samples_.back().done - samples_.front().done) / seconds;
}

std::optional<double> Indexing::secondsLeft() const {
  const double speed = rate();
  if (!progress_.walk_done || speed <= 0) return std::nullopt;
  return double(progress_.to_do - progress_.done) / speed;
}

}  // namespace tessera::gui
