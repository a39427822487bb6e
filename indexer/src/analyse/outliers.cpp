// Outliers of a set, and what is most like a set: means over the k nearest.
#include "tessera/indexer/outliers.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <string>

#include "analyse/nearest_dots.h"
#include "analyse/row_scan.h"
#include "search/calibration.h"

namespace tessera {
namespace {

constexpr std::size_t kBoundSample = 1024;  // rows that bound every row's sum from below
constexpr std::size_t kOutlierBlock = 64;   // rows examined between two looks at the cutoff
constexpr std::size_t kGroup = 16;          // rows that pass over the set together, so that a tile is read once for all
constexpr std::size_t kGroupTile = 16;  // rows; 12 KB at width 384, as large as the group: both stay in the first cache
constexpr std::size_t kAffinityTile = 64;

int checked_neighbours(int neighbours, std::size_t others) {
  if (neighbours < 1 || neighbours > kMostNeighbours) {
    throw Error(ErrorCode::kInvalidArgument,
                "between 1 and " + std::to_string(kMostNeighbours) + " neighbours can be compared");
  }
  return static_cast<int>(std::min(std::size_t(neighbours), others));
}

struct Scored {
  std::int64_t sum = 0;  // over the k nearest
  std::size_t row = 0;
  friend auto operator<=>(const Scored&, const Scored&) = default;
};

// The sum over a sample is never above that over all, so rows are examined in its order and until it passes the
// `count`-th lowest exact sum; the scan of one row ends as soon as its own running sum does.
class OutlierSearch {
 public:
  OutlierSearch(const VectorSet& vectors, const OutlierOptions& options, int k)
      : vectors_(vectors), options_(options), k_(k), threads_(threads_or_all(options.threads)) {}

  std::vector<Scored> lowest() {
    const std::vector<Scored> bounds = lower_bounds();
    std::vector<Scored> best;
    for (std::size_t first = 0; first < bounds.size(); first += kOutlierBlock) {
      stop_if_asked(options_.stop);
      const bool full = best.size() == options_.count;
      const std::int64_t cutoff = full ? best.back().sum : std::numeric_limits<std::int64_t>::max();
      if (bounds[first].sum > cutoff) break;
      const std::size_t count = std::min(kOutlierBlock, bounds.size() - first);
      std::vector<std::size_t> rows(count);
      for (std::size_t i = 0; i < count; ++i) rows[i] = bounds[first + i].row;
      const std::vector<std::int64_t> sums = exact_sums(rows, cutoff);
      for (std::size_t i = 0; i < count; ++i) {
        if (sums[i] <= cutoff) best.push_back({sums[i], rows[i]});
      }
      std::sort(best.begin(), best.end());
      if (best.size() > options_.count) best.resize(options_.count);
    }
    return best;
  }

  // Similarities of an even sample of the set.
  std::vector<float> sampled() const {
    const std::vector<std::size_t> rows = even_sample(vectors_.size(), kBackgroundSample);
    std::vector<float> means;
    for (const std::int64_t sum : exact_sums(rows, std::numeric_limits<std::int64_t>::max())) {
      means.push_back(similarity_of(double(sum) / k_));
    }
    return means;
  }

 private:
  std::vector<Scored> lower_bounds() const {
    const std::vector<std::size_t> sample = even_sample(vectors_.size(), kBoundSample);
    std::vector<std::int16_t> rows;
    rows.reserve(sample.size() * vectors_.stride());
    for (const std::size_t row : sample) {
      rows.insert(rows.end(), vectors_.row(row), vectors_.row(row) + vectors_.stride());
    }
    std::vector<Scored> bounds(vectors_.size());
    parallel_for((vectors_.size() + kOutlierBlock - 1) / kOutlierBlock, threads_, [&](std::size_t block, int) {
      stop_if_asked(options_.stop);
      std::vector<Dot> dots(sample.size());
      const std::size_t end = std::min(vectors_.size(), (block + 1) * kOutlierBlock);
      for (std::size_t row = block * kOutlierBlock; row < end; ++row) {
        dot_kernels().dot_rows(vectors_.row(row), rows.data(), vectors_.stride(), sample.size(), dots.data());
        NearestDots nearest(k_);
        for (std::size_t s = 0; s < sample.size(); ++s) {
          if (sample[s] != row) nearest.offer(dots[s]);
        }
        bounds[row] = {nearest.sum(), row};
      }
    });
    std::sort(bounds.begin(), bounds.end());
    return bounds;
  }

  // For each of `rows` the sum over its k nearest, or a value above the cutoff as soon as it is known to be above.
  std::vector<std::int64_t> exact_sums(std::span<const std::size_t> rows, std::int64_t cutoff) const {
    std::vector<std::int64_t> sums(rows.size());
    parallel_for((rows.size() + kGroup - 1) / kGroup, threads_, [&](std::size_t group, int) {
      stop_if_asked(options_.stop);
      const std::size_t first = group * kGroup;
      sum_group(rows.subspan(first, std::min(kGroup, rows.size() - first)), cutoff, sums.data() + first);
    });
    return sums;
  }

  void sum_group(std::span<const std::size_t> rows, std::int64_t cutoff, std::int64_t* sums) const {
    std::array<Dot, kGroupTile> dots;
    std::vector<NearestDots> nearest(rows.size(), NearestDots(k_));
    std::vector<std::size_t> below(rows.size());  // the cutoff, so far
    std::iota(below.begin(), below.end(), 0);
    for (std::size_t first = 0; first < vectors_.size() && !below.empty(); first += kGroupTile) {
      const std::size_t count = std::min(kGroupTile, vectors_.size() - first);
      for (const std::size_t at : below) {
        dot_kernels().dot_rows(vectors_.row(rows[at]), vectors_.row(first), vectors_.stride(), count, dots.data());
        for (std::size_t i = 0; i < count; ++i) {
          if (first + i != rows[at]) nearest[at].offer(dots[i]);
        }
      }
      std::erase_if(below, [&](std::size_t at) { return nearest[at].sum() > cutoff; });
    }
    for (std::size_t i = 0; i < rows.size(); ++i) sums[i] = nearest[i].sum();
  }

  const VectorSet& vectors_;
  const OutlierOptions& options_;
  int k_;
  int threads_;
};

// Sums of every row over its k nearest members; a member does not count itself.
std::vector<std::int64_t> member_sums(const VectorSet& vectors, std::span<const std::size_t> members, int k,
                                      const AffinityOptions& options) {
  std::vector<std::int16_t> rows;
  rows.reserve(members.size() * vectors.stride());
  for (const std::size_t row : members) {
    rows.insert(rows.end(), vectors.row(row), vectors.row(row) + vectors.stride());
  }
  std::vector<std::int64_t> sums(vectors.size());
  const std::size_t tiles = (vectors.size() + kAffinityTile - 1) / kAffinityTile;
  parallel_for(tiles, threads_or_all(options.threads), [&](std::size_t tile, int) {
    stop_if_asked(options.stop);
    std::vector<Dot> dots(members.size());
    const std::size_t end = std::min(vectors.size(), (tile + 1) * kAffinityTile);
    for (std::size_t row = tile * kAffinityTile; row < end; ++row) {
      dot_kernels().dot_rows(vectors.row(row), rows.data(), vectors.stride(), members.size(), dots.data());
      NearestDots nearest(k);
      for (std::size_t m = 0; m < members.size(); ++m) {
        if (members[m] != row) nearest.offer(dots[m]);
      }
      sums[row] = nearest.sum();
    }
  });
  return sums;
}

}  // namespace

std::vector<Outlier> find_outliers(const VectorSet& vectors, const OutlierOptions& options) {
  const std::size_t others = vectors.size() - std::min<std::size_t>(1, vectors.size());
  const int k = checked_neighbours(options.neighbours, others);
  if (others == 0 || options.count == 0) return {};
  OutlierSearch search(vectors, options, k);
  std::vector<Outlier> outliers;
  for (const Scored& each : search.lowest()) outliers.push_back({each.row, similarity_of(double(each.sum) / k)});
  if (vectors.size() < std::size_t(kLeastBackground)) return outliers;
  std::vector<float> scores = search.sampled();
  for (float& score : scores) score = -score;
  const Background background(scores);
  for (Outlier& outlier : outliers) {
    outlier.by_chance = double(vectors.size()) * background.share(-double(outlier.similarity));
  }
  return outliers;
}

std::vector<Affinity> find_more_like(const VectorSet& vectors, std::span<const std::size_t> members,
                                     const AffinityOptions& options) {
  if (members.empty()) throw Error(ErrorCode::kInvalidArgument, "the collection is empty");
  std::vector<bool> inside(vectors.size(), false);
  for (const std::size_t row : members) {
    if (row >= vectors.size()) {
      throw Error(ErrorCode::kInvalidArgument, "row " + std::to_string(row) + " is not in the set");
    }
    inside[row] = true;
  }
  std::vector<std::size_t> sorted;
  for (std::size_t row = 0; row < inside.size(); ++row) {
    if (inside[row]) sorted.push_back(row);
  }
  std::vector<std::size_t> compared;
  const std::size_t most = options.members == 0 ? sorted.size() : options.members;
  for (const std::size_t at : even_sample(sorted.size(), most)) compared.push_back(sorted[at]);
  const int k = checked_neighbours(options.neighbours, std::max<std::size_t>(1, compared.size() - 1));

  const std::vector<std::int64_t> sums = member_sums(vectors, compared, k, options);
  std::vector<Scored> outside;
  for (std::size_t row = 0; row < sums.size(); ++row) {
    if (!inside[row]) outside.push_back({sums[row], row});
  }
  std::vector<std::int64_t> own;
  if (compared.size() > 1) {
    for (const std::size_t row : compared) own.push_back(sums[row]);
    std::sort(own.begin(), own.end());
  }
  std::vector<float> scores;
  for (const std::size_t at : even_sample(outside.size(), kBackgroundSample)) {
    scores.push_back(similarity_of(double(outside[at].sum) / k));
  }
  const std::size_t outside_count = outside.size();
  const std::size_t count = std::min(options.count, outside_count);
  std::partial_sort(outside.begin(), outside.begin() + static_cast<std::ptrdiff_t>(count), outside.end(),
                    [](const Scored& a, const Scored& b) { return a.sum != b.sum ? a.sum > b.sum : a.row < b.row; });
  outside.resize(count);
  std::vector<Affinity> found;
  for (const Scored& each : outside) {
    Affinity& affinity = found.emplace_back();
    affinity.row = each.row;
    affinity.similarity = similarity_of(double(each.sum) / k);
    if (own.empty()) continue;
    const auto above = std::upper_bound(own.begin(), own.end(), each.sum);
    affinity.fits = double(above - own.begin()) / double(own.size());
  }
  if (scores.size() < std::size_t(kLeastBackground)) return found;
  const Background background(scores);
  for (Affinity& each : found) each.by_chance = double(outside_count) * background.share(each.similarity);
  return found;
}

}  // namespace tessera
