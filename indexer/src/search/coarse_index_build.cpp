// Building a coarse index: training, adding every row, and choosing its search breadth by measured recall.
#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIVFPQ.h>

#include <algorithm>
#include <cmath>
#include <set>

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
  }

  CoarseIndex::Impl build() {
    std::unique_ptr<faiss::Index> index = info_.method == CoarseMethod::kIvfPq ? make_ivf_pq() : make_hnsw();
    train(*index);
    add_all(*index);
    info_.refine = info_.method == CoarseMethod::kIvfPq ? 10 : 2;
    CoarseIndex::Impl built(std::move(index), info_);
    calibrate(built);
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

  void decode(std::int64_t position, float* vector) const {
    const auto next = std::upper_bound(first_position_.begin(), first_position_.end(), position);
    const auto s = static_cast<std::size_t>(next - first_position_.begin() - 1);
    segments_[s]->decode_coarse(static_cast<std::uint32_t>(position - first_position_[s]),
                                {vector, std::size_t(info_.width)});
  }

  // Rows spread evenly over the library; repeated when there are fewer than a PQ has centroids.
  void train(faiss::Index& index) const {
    const std::int64_t count = std::max<std::int64_t>(std::min(info_.rows, kTrainingRows), 256);
    std::vector<float> vectors(static_cast<std::size_t>(count * info_.width));
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t position = count <= info_.rows ? i * info_.rows / count : i % info_.rows;
      decode(position, vectors.data() + i * info_.width);
    }
    check_stop(stop_);
    index.train(count, vectors.data());
  }

  void add_all(faiss::Index& index) const {
    std::vector<float> vectors(static_cast<std::size_t>(std::min(kAddBatch, info_.rows) * info_.width));
    for (std::int64_t begin = 0; begin < info_.rows; begin += kAddBatch) {
      check_stop(stop_);
      const std::int64_t count = std::min(kAddBatch, info_.rows - begin);
      for (std::int64_t i = 0; i < count; ++i) decode(begin + i, vectors.data() + i * info_.width);
      index.add(count, vectors.data());
    }
  }

  struct Truth {
    std::vector<float> queries;
    std::vector<std::set<std::int64_t>> nearest;  // positions, without the query's own
    std::vector<std::int64_t> self;
  };

  Truth exact_neighbours() const {
    Truth truth;
    const std::int64_t count = std::min<std::int64_t>(info_.rows, std::max(1, options_.sampled_queries));
    for (std::int64_t i = 0; i < count; ++i) {
      truth.self.push_back(i * info_.rows / count);
      truth.queries.resize(truth.queries.size() + std::size_t(info_.width));
      decode(truth.self.back(), truth.queries.data() + i * info_.width);
    }
    std::vector<RowMask> masks;
    std::vector<std::vector<ImageId>> positions;
    for (std::size_t s = 0; s < segments_.size(); ++s) {
      masks.push_back(make_row_mask(segments_[s]->rows(), true));
      positions.emplace_back();
      for (std::uint32_t row = 0; row < segments_[s]->rows(); ++row) {
        positions.back().push_back(first_position_[s] + row);
      }
    }
    std::vector<ScanSource> sources;
    for (std::size_t s = 0; s < segments_.size(); ++s) {
      sources.push_back({segments_[s].get(), positions[s], &masks[s]});
    }
    const auto found = exact_scan(sources, truth.queries, info_.width, {kRecallAt + 1, options_.threads});
    for (std::size_t q = 0; q < found.size(); ++q) {
      std::set<std::int64_t> nearest;
      for (const ScanHit& hit : found[q]) {
        if (hit.id != truth.self[q] && nearest.size() < std::size_t(kRecallAt)) nearest.insert(hit.id);
      }
      truth.nearest.push_back(std::move(nearest));
    }
    return truth;
  }

  // Scoring in f16 keeps every true neighbour that is proposed, so recall is the share of them among the proposals.
  static double recall(const CoarseIndex::Impl& index, const Truth& truth, int breadth, int refine) {
    std::int64_t found = 0, wanted = 0;
    for (std::size_t q = 0; q < truth.nearest.size(); ++q) {
      const std::span<const float> query =
          std::span(truth.queries).subspan(q * std::size_t(index.info.width), std::size_t(index.info.width));
      for (const std::int64_t position :
           index.nearest(query, index.proposal_size(kRecallAt, refine), breadth, nullptr)) {
        found += static_cast<std::int64_t>(truth.nearest[q].count(position));
      }
      wanted += static_cast<std::int64_t>(truth.nearest[q].size());
    }
    return wanted == 0 ? 1.0 : double(found) / double(wanted);
  }

  // Doubles the breadth until the target is reached; where it gains nothing more, doubles the proposals.
  void calibrate(CoarseIndex::Impl& built) const {
    const Truth truth = exact_neighbours();
    const bool ivf = info_.method == CoarseMethod::kIvfPq;
    const int most = ivf ? info_.lists : kLargestBreadth;
    int breadth = std::min(ivf ? 4 : 32, most);
    int refine = info_.refine;
    double reached = recall(built, truth, breadth, refine);
    while (reached < options_.recall_target) {
      check_stop(stop_);
      const double wider = breadth < most ? recall(built, truth, std::min(2 * breadth, most), refine) : -1;
      const double deeper = refine < kLargestRefine ? recall(built, truth, breadth, 2 * refine) : -1;
      if (wider < 0 && deeper < 0) break;
      if (deeper > wider) {
        refine *= 2;
      } else {
        breadth = std::min(2 * breadth, most);
      }
      reached = std::max(wider, deeper);
    }
    (ivf ? built.info.probes : built.info.breadth) = breadth;
    built.info.refine = refine;
    built.info.recall = reached;
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
