// The threads of an index run and the loop that encodes and commits.
#include "ingest/pipeline.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "ingest/bounded_queue.h"
#include "ingest/commit.h"
#include "ingest/prepare.h"
#include "ingest/walk.h"
#include "tessera/error.h"

namespace tessera::ingest {
namespace {

using Clock = std::chrono::steady_clock;
using Size = std::pair<int, int>;

constexpr std::size_t kMaxItems = 1 << 19;                         // found but not yet read
constexpr std::size_t kMaxPreparedBytes = std::size_t{256} << 20;  // decoded but not yet grouped
constexpr std::size_t kMaxGroupedBytes = std::size_t{256} << 20;   // waiting for others of their size
constexpr auto kObserverInterval = std::chrono::milliseconds(100);
constexpr int kPatchesPerBatch = 8192;  // 32 pictures of 256 x 256: enough rows for the matrix products to be efficient
constexpr int kMaxBatch = 64;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

class Pipeline {
 public:
  Pipeline(const PipelineSetup& setup, catalog::Catalog& catalog, const IngestOptions& options, ImageEncoder& encoder,
           const IngestObserver& observer, std::stop_token stop, std::int64_t run)
      : setup_(setup),
        catalog_(catalog),
        options_(options),
        encoder_(encoder),
        observer_(observer),
        stop_(std::move(stop)),
        run_(run),
        threads_(options.decode_threads > 0 ? options.decode_threads
                                            : std::max(1, static_cast<int>(std::thread::hardware_concurrency()))),
        claims_(std::make_unique<catalog::Catalog>(setup.catalog_path, catalog::Database::Access::kRead)),
        preparer_(setup.resize, options.limits, claims_),
        items_(kMaxItems, SIZE_MAX),
        prepared_(std::size_t(4 * kMaxBatch), kMaxPreparedBytes),
        committer_(catalog, claims_, setup.segments_dir, setup.spec, options.images_per_segment, run, report_) {}

  IngestReport run(std::span<const std::string> roots);

 private:
  struct Group {
    std::vector<Prepared> files;
    std::size_t bytes = 0;
  };

  void walk(std::span<const std::string> roots);
  void prepare();
  void fail(std::exception_ptr error);
  void stop_threads();
  void consume();
  void accept(Prepared&& file);
  void encode_group(std::map<Size, Group>::iterator group);
  void conclude();
  void observe(bool always);
  int batch_of(const Size& size) const;

  const PipelineSetup& setup_;
  catalog::Catalog& catalog_;
  const IngestOptions& options_;
  ImageEncoder& encoder_;
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
  Committer committer_;
  std::map<Size, Group> groups_;
  std::size_t grouped_bytes_ = 0;
  WalkFindings findings_;

  const Clock::time_point begin_ = Clock::now();
  Clock::time_point observed_ = begin_;
  std::atomic<bool> walk_done_{false};
  std::atomic<int> preparing_{0};
  std::atomic<std::int64_t> done_{0};

  std::mutex mutex_;  // guards the two below
  std::exception_ptr error_;
  double decode_seconds_ = 0;

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

void Pipeline::fail(std::exception_ptr error) {
  const std::lock_guard lock(mutex_);
  if (!error_) error_ = std::move(error);
  items_.close();
}

void Pipeline::stop_threads() {
  items_.close();
  prepared_.close();
  workers_.clear();
}

IngestReport Pipeline::run(std::span<const std::string> roots) {
  preparing_ = threads_;
  workers_.emplace_back([this, roots] { walk(roots); });
  for (int i = 0; i < threads_; ++i) workers_.emplace_back([this] { prepare(); });
  try {
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
  report_.seconds = seconds_since(begin_);
  observe(true);
  return std::move(report_);
}

void Pipeline::consume() {
  while (!stop_.stop_requested()) {
    if (auto file = prepared_.pop_for(kObserverInterval)) {
      accept(std::move(*file));
    } else if (prepared_.drained()) {
      while (!groups_.empty() && !stop_.stop_requested()) encode_group(groups_.begin());
      return;
    }
    committer_.commit_if_due();
    observe(false);
  }
}

void Pipeline::accept(Prepared&& file) {
  if (file.kind != Prepared::Kind::kImage) {
    committer_.add_other(std::move(file));
    done_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  const Size size{file.image.width, file.image.height};
  const auto group = groups_.try_emplace(size).first;
  const std::size_t bytes = file.image.rgb.size();
  group->second.bytes += bytes;
  grouped_bytes_ += bytes;
  group->second.files.push_back(std::move(file));
  if (static_cast<int>(group->second.files.size()) >= batch_of(size)) {
    encode_group(group);
  } else if (grouped_bytes_ > kMaxGroupedBytes) {
    encode_group(std::max_element(groups_.begin(), groups_.end(),
                                  [](const auto& a, const auto& b) { return a.second.bytes < b.second.bytes; }));
  }
}

int Pipeline::batch_of(const Size& size) const {
  if (options_.batch > 0) return options_.batch;
  const int patches = std::max(1, (size.first / 16) * (size.second / 16));
  return std::clamp(kPatchesPerBatch / patches, 1, kMaxBatch);
}

void Pipeline::encode_group(std::map<Size, Group>::iterator group) {
  std::vector<Prepared> files = std::move(group->second.files);
  grouped_bytes_ -= group->second.bytes;
  groups_.erase(group);
  std::vector<Image> images;
  images.reserve(files.size());
  for (Prepared& file : files) images.push_back(std::move(file.image));
  const auto begin = Clock::now();
  CodedBatch batch;
  try {
    batch = encoder_.encode_codes(images, setup_.spec.max_tokens);
  } catch (...) {
    committer_.commit();  // what was encoded before is kept
    throw;
  }
  report_.encode_seconds += seconds_since(begin);
  if (batch.batch != static_cast<int>(files.size()) || batch.width != setup_.spec.width) {
    throw Error(ErrorCode::kInternal, "the encoder gave " + std::to_string(batch.batch) + " results of width " +
                                          std::to_string(batch.width) + " for " + std::to_string(files.size()) +
                                          " images");
  }
  for (std::size_t i = 0; i < files.size(); ++i) {
    committer_.add_encoded(std::move(files[i]), batch.image(static_cast<int>(i)));
    committer_.commit_if_due();
  }
  done_.fetch_add(static_cast<std::int64_t>(files.size()), std::memory_order_relaxed);
  observe(false);
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
                          const IngestOptions& options, ImageEncoder& encoder, const IngestObserver& observer,
                          std::stop_token stop) {
  std::int64_t run = 0;
  {
    catalog::Transaction transaction(catalog.db(), catalog::Transaction::Kind::kWrite);
    run = catalog.next_run();
    transaction.commit();
  }
  Pipeline pipeline(setup, catalog, options, encoder, observer, std::move(stop), run);
  return pipeline.run(roots);
}

}  // namespace tessera::ingest
