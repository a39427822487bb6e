// Building a coarse index: training, adding every row, and choosing its search breadth by measured recall.
#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIVFPQ.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "search/blas_on_demand.h"
#include "search/coarse_index.h"
#include "search/coarse_index_file.h"
#include "search/coarse_index_impl.h"
#include "search/exact_scan.h"
#include "tessera/error.h"

namespace tessera {
namespace {

using Segments = std::span<const std::shared_ptr<const Segment>>;

constexpr std::int64_t kAddBatch = 4096;        // rows decoded to float32 at a time
constexpr std::int64_t kTrainingRows = 50'000;  // 150 MB at D = 768
constexpr std::int64_t kRowsPerList = 39;       // FAISS's least number of training points per centroid
constexpr std::int64_t kFewRows = 4096;         // below it 16 centroids per PQ sub-vector instead of 256
constexpr int kHnswLinks = 32;
constexpr int kRecallAt = 10;
constexpr std::int64_t kRowsPerQuery = 5;  // at least as many rows for each that is held out
constexpr int kLargestRefine = 80;
constexpr int kLargestBreadth = 2048;

void check_stop(const std::stop_token& stop) {
  if (stop.stop_requested()) throw Error(ErrorCode::kCancelled, "building the coarse index was cancelled");
}

// The largest number of sub-vectors of 8 or fewer components; a byte each.
int sub_vectors(int width) {
  for (const int components : {8, 7, 6, 5, 4, 3, 2}) {
    if (width % components == 0) return width / components;
  }
  return width;
}

class Builder {
 public:
  Builder(CoarseMethod method, Segments segments, const CoarseBuildOptions& options, std::stop_token stop)
      : segments_(segments), options_(options), stop_(std::move(stop)) {
    info_.method = method;
    if (method != CoarseMethod::kIvfPq && method != CoarseMethod::kHnsw) {
      throw Error(ErrorCode::kInvalidArgument, "a coarse index is built by method ivfpq or hnsw");
    }
    for (const auto& segment : segments_) {
      if (info_.width == 0) info_.width = segment->width();
      if (segment->width() != info_.width) {
        throw Error(ErrorCode::kInvalidArgument, segment->path().string() + " has another token width");
      }
      info_.segments.push_back({segment->checksum(), segment->rows()});
      first_position_.push_back(info_.rows);
      info_.rows += segment->rows();
    }
    if (info_.rows == 0) throw Error(ErrorCode::kInvalidArgument, "there are no images to build a coarse index from");
    info_.held_out = std::min<std::int64_t>(std::max(1, options_.sampled_queries), info_.rows / kRowsPerQuery);
  }

  CoarseIndex::Impl build() {
    std::unique_ptr<faiss::Index> index = info_.method == CoarseMethod::kIvfPq ? make_ivf_pq() : make_hnsw();
    info_.refine = info_.method == CoarseMethod::kIvfPq ? 10 : 2;
    CoarseIndex::Impl built(std::move(index), info_);
    const std::int64_t first_phase = info_.rows - info_.held_out;
    train(built, first_phase);
    add(built, 0, first_phase);
    calibrate(built);
    add(built, first_phase, info_.rows);
    return built;
  }

 private:
  std::unique_ptr<faiss::Index> make_ivf_pq() {
    const auto wanted = static_cast<std::int64_t>(2 * std::sqrt(double(info_.rows)));
    info_.lists = static_cast<int>(std::clamp<std::int64_t>(info_.rows / kRowsPerList, 1, wanted));
    const int bits = info_.rows < kFewRows ? 4 : 8;
    const int parts = sub_vectors(info_.width);
    auto quantizer = std::make_unique<faiss::IndexFlatIP>(info_.width);
    auto index =
        std::make_unique<faiss::IndexIVFPQ>(quantizer.get(), std::size_t(info_.width), std::size_t(info_.lists),
                                            std::size_t(parts), std::size_t(bits), faiss::METRIC_INNER_PRODUCT);
    quantizer.release();
    index->own_fields = true;
    // FAISS prints a warning when it finds fewer training points than this per centroid.
    index->cp.min_points_per_centroid = 1;
    index->pq.cp.min_points_per_centroid = 1;
    index->pq.cp.max_points_per_centroid = 100;
    index->pq.cp.niter = 12;
    info_.code_bytes = static_cast<int>(index->pq.code_size);
    return index;
  }

  // L2 distance orders unit vectors as the inner product does, and keeps the graph's neighbour selection meaningful.
  std::unique_ptr<faiss::Index> make_hnsw() const {
    return std::make_unique<faiss::IndexHNSWSQ>(info_.width, faiss::ScalarQuantizer::QT_8bit, kHnswLinks,
                                                faiss::METRIC_L2);
  }

  std::size_t segment_of(std::int64_t position) const {
    const auto next = std::upper_bound(first_position_.begin(), first_position_.end(), position);
    return static_cast<std::size_t>(next - first_position_.begin() - 1);
  }

  void decode(std::int64_t position, float* vector) const {
    const std::size_t s = segment_of(position);
    segments_[s]->decode_coarse(static_cast<std::uint32_t>(position - first_position_[s]),
                                {vector, std::size_t(info_.width)});
  }

  // Rows spread evenly over those of the first phase; repeated when there are fewer than a PQ has centroids.
  void train(CoarseIndex::Impl& built, std::int64_t first_phase) const {
    const std::int64_t count = std::max<std::int64_t>(std::min(first_phase, kTrainingRows), 256);
    std::vector<float> vectors(static_cast<std::size_t>(count * info_.width));
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t label = count <= first_phase ? i * first_phase / count : i % first_phase;
      decode(built.order.position(label), vectors.data() + i * info_.width);
    }
    check_stop(stop_);
    built.index->train(count, vectors.data());
  }

  void add(CoarseIndex::Impl& built, std::int64_t begin, std::int64_t end) const {
    std::vector<float> vectors(static_cast<std::size_t>(std::min(kAddBatch, end - begin) * info_.width));
    for (; begin < end; begin += kAddBatch) {
      check_stop(stop_);
      const std::int64_t count = std::min(kAddBatch, end - begin);
      for (std::int64_t i = 0; i < count; ++i) {
        decode(built.order.position(begin + i), vectors.data() + i * info_.width);
      }
      built.index->add(count, vectors.data());
    }
  }

  struct Truth {
    std::vector<float> queries;                   // the held-out rows
    std::vector<std::set<std::int64_t>> nearest;  // positions of rows of the first phase
  };

  Truth exact_neighbours(const RowOrder& order) const {
    Truth truth;
    std::vector<RowMask> masks;
    std::vector<std::vector<ImageId>> positions;
    for (std::size_t s = 0; s < segments_.size(); ++s) {
      masks.push_back(make_row_mask(segments_[s]->rows(), true));
      positions.emplace_back();
      for (std::uint32_t row = 0; row < segments_[s]->rows(); ++row) {
        positions.back().push_back(first_position_[s] + row);
      }
    }
    for (const std::int64_t position : order.held_out()) {
      truth.queries.resize(truth.queries.size() + std::size_t(info_.width));
      decode(position, truth.queries.data() + truth.queries.size() - info_.width);
      const std::size_t s = segment_of(position);
      clear_row(masks[s], static_cast<std::uint32_t>(position - first_position_[s]));
    }
    std::vector<ScanSource> sources;
    for (std::size_t s = 0; s < segments_.size(); ++s) {
      sources.push_back({segments_[s].get(), positions[s], &masks[s]});
    }
    for (const auto& hits : exact_scan(sources, truth.queries, info_.width, {kRecallAt, options_.threads})) {
      std::set<std::int64_t> nearest;
      for (const ScanHit& hit : hits) nearest.insert(hit.id);
      truth.nearest.push_back(std::move(nearest));
    }
    return truth;
  }

  struct Recall {
    double mean = -1;
    double least = -1;  // what new queries reach with 95 % confidence, by the spread among those measured
  };

  // Scoring in f16 keeps every true neighbour that is proposed, so recall is the share of them among the proposals.
  static Recall recall(const CoarseIndex::Impl& index, const Truth& truth, int breadth, int refine) {
    constexpr double kOneSided95 = 1.645;
    const auto count = static_cast<double>(truth.nearest.size());
    double sum = 0, squares = 0;
    for (std::size_t q = 0; q < truth.nearest.size(); ++q) {
      const std::span<const float> query =
          std::span(truth.queries).subspan(q * std::size_t(index.info.width), std::size_t(index.info.width));
      std::size_t found = 0;
      for (const std::int64_t position :
           index.nearest(query, index.proposal_size(kRecallAt, refine), breadth, nullptr)) {
        found += truth.nearest[q].count(position);
      }
      const double share = double(found) / double(truth.nearest[q].size());
      sum += share;
      squares += share * share;
    }
    const double mean = sum / count;
    const double variance = std::max(0.0, squares / count - mean * mean);
    return {mean, mean - kOneSided95 * std::sqrt(variance / count)};
  }

  // Doubles the breadth until the target is reached; where it gains nothing more, doubles the proposals.
  void calibrate(CoarseIndex::Impl& built) const {
    const bool ivf = info_.method == CoarseMethod::kIvfPq;
    const int most = ivf ? info_.lists : kLargestBreadth;
    int breadth = info_.held_out > 0 ? std::min(ivf ? 4 : 32, most) : most;
    int refine = info_.refine;
    Recall reached{1, 1};
    if (info_.held_out > 0) {
      const Truth truth = exact_neighbours(built.order);
      reached = recall(built, truth, breadth, refine);
      while (reached.least < options_.recall_target) {
        check_stop(stop_);
        const int twice = std::min(2 * breadth, most);
        const Recall wider = breadth < most ? recall(built, truth, twice, refine) : Recall();
        const Recall deeper = refine < kLargestRefine ? recall(built, truth, breadth, 2 * refine) : Recall();
        if (wider.mean < 0 && deeper.mean < 0) break;
        if (deeper.mean > wider.mean) {
          refine *= 2;
          reached = deeper;
        } else {
          breadth = twice;
          reached = wider;
        }
      }
    }
    (ivf ? built.info.probes : built.info.breadth) = breadth;
    built.info.refine = refine;
    built.info.recall = reached.mean;
  }

  Segments segments_;
  const CoarseBuildOptions& options_;
  std::stop_token stop_;
  CoarseIndexInfo info_;
  std::vector<std::int64_t> first_position_;
};

}  // namespace

CoarseIndexInfo CoarseIndex::build(const std::filesystem::path& path, CoarseMethod method, Segments segments,
                                   const CoarseBuildOptions& options, std::stop_token stop) {
  try {
    load_blas();
    Impl built = Builder(method, segments, options, std::move(stop)).build();
    write_coarse_file(path, *built.index, built.info);
    return built.info;
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Error(ErrorCode::kInternal, "building the coarse index " + path.string() + " failed: " + error.what());
  }
}

}  // namespace tessera
