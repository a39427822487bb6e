// The threads of an index run: walk -> decode -> batches -> encoders -> commits, the last on the calling thread.
#include "ingest/pipeline.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "ingest/batcher.h"
#include "ingest/bounded_queue.h"
#include "ingest/commit.h"
#include "ingest/prepare.h"
#include "ingest/walk.h"
#include "tessera/error.h"

namespace tessera::ingest {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxItems = 1 << 19;  // found but not yet read
constexpr std::size_t kMaxPrepared = 256;   // decoded but not yet grouped
constexpr std::size_t kMaxPreparedBytes = std::size_t{256} << 20;
constexpr std::size_t kMaxBatchBytes = std::size_t{256} << 20;  // waiting for an encoder
constexpr std::size_t kMaxOutcomes = 4096;                      // waiting for the commits
constexpr std::size_t kMaxOutcomeBytes = std::size_t{64} << 20;
constexpr auto kObserverInterval = std::chrono::milliseconds(100);

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

// Files whose fate is known: a batch with its codes, or one that there is nothing to encode of.
struct Outcome {
  std::vector<Prepared> files;
  std::optional<CodedBatch> codes;
};

class Pipeline {
 public:
  Pipeline(const PipelineSetup& setup, catalog::Catalog& catalog, const IngestOptions& options,
           std::span<ImageEncoder* const> encoders, const IngestObserver& observer, std::stop_token stop,
           std::int64_t run)
      : setup_(setup),
        catalog_(catalog),
        options_(options),
        encoders_(encoders),
        observer_(observer),
        stop_(std::move(stop)),
        run_(run),
        threads_(options.decode_threads > 0 ? options.decode_threads
                                            : std::max(1, static_cast<int>(std::thread::hardware_concurrency()))),
        claims_(std::make_unique<catalog::Catalog>(setup.catalog_path, catalog::Database::Access::kRead)),
        preparer_(setup.resize, options.limits, claims_),
        items_(kMaxItems, SIZE_MAX),
        prepared_(kMaxPrepared, kMaxPreparedBytes),
        batches_(2 * encoders.size(), kMaxBatchBytes),
        outcomes_(kMaxOutcomes, kMaxOutcomeBytes),
        committer_(catalog, claims_, setup.segments_dir, setup.spec, options.images_per_segment, options.first_segment,
                   run, report_) {}

  IngestReport run(std::span<const std::string> roots);

 private:
  void walk(std::span<const std::string> roots);
  void prepare();
  void collect();
  void encode(ImageEncoder& encoder);
  CodedBatch encode_batch(ImageEncoder& encoder, Batch& batch, double& seconds);
  void fail(std::exception_ptr error);
  void stop_encoding();
  void stop_threads();
  void consume();
  void accept(Outcome&& outcome);
  void conclude();
  void observe(bool always);

  const PipelineSetup& setup_;
  catalog::Catalog& catalog_;
  const IngestOptions& options_;
  const std::span<ImageEncoder* const> encoders_;
  const IngestObserver& observer_;
  const std::stop_token stop_;
  const std::int64_t run_;
  const int threads_;

  IngestReport report_;
  WalkCounters counters_;
  ContentClaims claims_;
  Preparer preparer_;
  BoundedQueue<WalkItem> items_;
  BoundedQueue<Prepared> prepared_;
  BoundedQueue<Batch> batches_;
  BoundedQueue<Outcome> outcomes_;
  Committer committer_;
  WalkFindings findings_;

  const Clock::time_point begin_ = Clock::now();
  Clock::time_point observed_ = begin_;
  std::atomic<bool> walk_done_{false};
  std::atomic<int> preparing_{0};  // threads that fill prepared_
  std::atomic<int> finishing_{0};  // and outcomes_
  std::atomic<std::int64_t> done_{0};

  std::mutex mutex_;  // guards the three below
  std::exception_ptr error_;
  double decode_seconds_ = 0;
  double encode_seconds_ = 0;

  std::vector<std::jthread> workers_;  // last: they end before anything they use
};

void Pipeline::walk(std::span<const std::string> roots) {
  try {
    catalog::Catalog catalog(setup_.catalog_path, catalog::Database::Access::kRead);
    Walk walk(catalog, options_, setup_.library_dir.string(), counters_);
    findings_ = walk.run(
        roots, [&](WalkItem&& item) { return items_.push(std::move(item)); }, stop_);
  } catch (...) {
    fail(std::current_exception());
  }
  walk_done_ = true;
  items_.finish();
}

void Pipeline::prepare() {
  double seconds = 0;
  try {
    while (auto item = items_.pop()) {
      if (stop_.stop_requested()) break;
      auto file = preparer_.prepare(*item, seconds);
      if (!file) {
        done_.fetch_add(1, std::memory_order_relaxed);
      } else {
        const std::size_t bytes = file->image.rgb.size() + 1024;
        if (!prepared_.push(std::move(*file), bytes)) break;
      }
    }
  } catch (...) {
    fail(std::current_exception());
  }
  {
    const std::lock_guard lock(mutex_);
    decode_seconds_ += seconds;
  }
  if (preparing_.fetch_sub(1) == 1) prepared_.finish();
}

// Groups what is to be encoded; the rest goes past the encoders.
void Pipeline::collect() {
  try {
    Batcher batcher(options_.batch);
    while (auto file = prepared_.pop()) {
      if (file->kind == Prepared::Kind::kImage) {
        auto batch = batcher.add(std::move(*file));
        if (!batch) continue;
        const std::size_t bytes = batch->bytes;
        if (!batches_.push(std::move(*batch), bytes)) break;
      } else {
        Outcome outcome;
        outcome.files.push_back(std::move(*file));
        if (!outcomes_.push(std::move(outcome))) break;
      }
    }
    while (!stop_.stop_requested()) {
      auto batch = batcher.rest();
      if (!batch) break;
      const std::size_t bytes = batch->bytes;
      if (!batches_.push(std::move(*batch), bytes)) break;
    }
  } catch (...) {
    fail(std::current_exception());
    stop_encoding();
  }
  batches_.finish();
  if (finishing_.fetch_sub(1) == 1) outcomes_.finish();
}

// One encoder's thread. A failure ends the run, but what the others have under way is kept.
void Pipeline::encode(ImageEncoder& encoder) {
  double seconds = 0;
  try {
    while (auto batch = batches_.pop()) {
      if (stop_.stop_requested()) break;
      Outcome outcome;
      outcome.codes = encode_batch(encoder, *batch, seconds);
      outcome.files = std::move(batch->files);
      const std::size_t bytes = outcome.codes->codes.size() + sizeof(float) * outcome.codes->first.size();
      if (!outcomes_.push(std::move(outcome), bytes)) break;
    }
  } catch (...) {
    fail(std::current_exception());
    stop_encoding();
  }
  {
    const std::lock_guard lock(mutex_);
    encode_seconds_ += seconds;
  }
  if (finishing_.fetch_sub(1) == 1) outcomes_.finish();
}

CodedBatch Pipeline::encode_batch(ImageEncoder& encoder, Batch& batch, double& seconds) {
  std::vector<Image> images;
  images.reserve(batch.files.size());
  for (Prepared& file : batch.files) images.push_back(std::move(file.image));
  const auto begin = Clock::now();
  CodedBatch codes = encoder.encode_codes(images, setup_.spec.max_tokens);
  seconds += seconds_since(begin);
  if (codes.batch != static_cast<int>(images.size()) || codes.width != setup_.spec.width) {
    throw Error(ErrorCode::kInternal, "the encoder gave " + std::to_string(codes.batch) + " results of width " +
                                          std::to_string(codes.width) + " for " + std::to_string(images.size()) +
                                          " images");
  }
  return codes;
}

void Pipeline::fail(std::exception_ptr error) {
  const std::lock_guard lock(mutex_);
  if (!error_) error_ = std::move(error);
  items_.close();
}

// Nothing more begins; what is under way still comes out.
void Pipeline::stop_encoding() {
  items_.close();
  prepared_.close();
  batches_.close();
}

void Pipeline::stop_threads() {
  stop_encoding();
  outcomes_.close();
  workers_.clear();
}

IngestReport Pipeline::run(std::span<const std::string> roots) {
  preparing_ = threads_;
  finishing_ = 1 + static_cast<int>(encoders_.size());
  try {
    workers_.emplace_back([this, roots] { walk(roots); });
    for (int i = 0; i < threads_; ++i) workers_.emplace_back([this] { prepare(); });
    workers_.emplace_back([this] { collect(); });
    for (ImageEncoder* encoder : encoders_) workers_.emplace_back([this, encoder] { encode(*encoder); });
    consume();
    stop_threads();
    committer_.commit();
    committer_.commit();  // files that waited for a content of the first
    const std::lock_guard lock(mutex_);
    if (error_) std::rethrow_exception(error_);
  } catch (...) {
    stop_threads();
    throw;
  }
  report_.cancelled = stop_.stop_requested() && !(findings_.complete && counters_.to_do == done_);
  conclude();
  report_.files_seen = counters_.seen;
  report_.unchanged = counters_.unchanged;
  report_.failed_before = findings_.failed_before;
  report_.walk_seconds = findings_.seconds;
  report_.decode_seconds = decode_seconds_;
  report_.encode_seconds = encode_seconds_;
  report_.seconds = seconds_since(begin_);
  observe(true);
  return std::move(report_);
}

void Pipeline::consume() {
  bool stopping = false;
  while (true) {
    if (stop_.stop_requested() && !std::exchange(stopping, true)) stop_encoding();
    if (auto outcome = outcomes_.pop_for(kObserverInterval)) {
      accept(std::move(*outcome));
    } else if (outcomes_.drained()) {
      return;
    }
    committer_.commit_if_due();
    observe(false);
  }
}

void Pipeline::accept(Outcome&& outcome) {
  for (std::size_t i = 0; i < outcome.files.size(); ++i) {
    if (!outcome.codes) {
      committer_.add_other(std::move(outcome.files[i]));
    } else {
      committer_.add_encoded(std::move(outcome.files[i]), outcome.codes->image(static_cast<int>(i)));
      committer_.commit_if_due();
    }
  }
  done_.fetch_add(static_cast<std::int64_t>(outcome.files.size()), std::memory_order_relaxed);
}

// What the walk found out about files that were not read. Conclusions about absence need a whole walk.
void Pipeline::conclude() {
  for (const IngestFailure& failure : findings_.failures) report_.failed.push_back(failure);
  catalog::Transaction transaction(catalog_.db(), catalog::Transaction::Kind::kWrite);
  for (const std::int64_t file : findings_.present_again) catalog_.set_present(file);
  for (const std::string& root : findings_.offline_roots) catalog_.set_offline_below(root);
  if (!report_.cancelled) {
    for (const MissingFile& missing : findings_.missing) catalog_.set_missing(missing.file, missing.last_seen_run);
    catalog_.remove_moved_files();
    report_.missing = std::count_if(findings_.missing.begin(), findings_.missing.end(),
                                    [&](const MissingFile& missing) { return catalog_.is_missing(missing.file); });
    for (catalog::Root root : findings_.walked_roots) {
      root.complete_run = run_;
      catalog_.put_root(root);
    }
    if (catalog_.has_unused()) catalog_.remove_unused();
  }
  transaction.commit();
}

void Pipeline::observe(bool always) {
  if (!observer_ || (!always && Clock::now() - observed_ < kObserverInterval)) return;
  observed_ = Clock::now();
  IngestProgress progress;
  progress.walk_done = walk_done_;
  progress.files_seen = counters_.seen;
  progress.files_unchanged = counters_.unchanged;
  progress.to_do = counters_.to_do;
  progress.done = std::min(done_.load(), progress.to_do);
  progress.failed = static_cast<std::int64_t>(report_.failed.size());
  progress.seconds = seconds_since(begin_);
  observer_(progress);
}

}  // namespace

IngestReport run_pipeline(const PipelineSetup& setup, catalog::Catalog& catalog, std::span<const std::string> roots,
                          const IngestOptions& options, std::span<ImageEncoder* const> encoders,
                          const IngestObserver& observer, std::stop_token stop) {
  std::int64_t run = 0;
  {
    catalog::Transaction transaction(catalog.db(), catalog::Transaction::Kind::kWrite);
    run = catalog.next_run();
    transaction.commit();
  }
  Pipeline pipeline(setup, catalog, options, encoders, observer, std::move(stop), run);
  return pipeline.run(roots);
}

}  // namespace tessera::ingest
