// Partitions of rows into groups: middles, nearest middles, silhouette.
#include "analyse/partition.h"

#include <algorithm>
#include <cmath>

namespace tessera {
namespace {

constexpr std::size_t kPartitionTile = 128;  // rows per piece of work

std::size_t partition_tiles(const VectorSet& vectors) { return (vectors.size() + kPartitionTile - 1) / kPartitionTile; }

struct GroupSums {
  GroupSums(const VectorSet& vectors, const Partition& partition)
      : sizes(partition.groups),
        sums(partition.groups, std::vector<std::int64_t>(static_cast<std::size_t>(vectors.width()))) {
    for (std::size_t row = 0; row < vectors.size(); ++row) {
      add_row(sums[partition.group[row]], vectors.row(row));
      ++sizes[partition.group[row]];
    }
  }

  std::vector<std::int16_t> middles(std::size_t stride) const {
    std::vector<std::int16_t> rows;
    rows.reserve(sums.size() * stride);
    for (const std::vector<std::int64_t>& sum : sums) {
      const std::vector<std::int16_t> middle = direction_of(sum, stride);
      rows.insert(rows.end(), middle.begin(), middle.end());
    }
    return rows;
  }

  // Cosine of a member with the middle of the others of its group.
  double similarity_to_others(std::size_t group, const std::int16_t* row) const {
    double dot = 0, others = 0, own = 0;
    for (std::size_t i = 0; i < sums[group].size(); ++i) {
      const double rest = double(sums[group][i] - row[i]);
      dot += rest * row[i];
      others += rest * rest;
      own += double(row[i]) * row[i];
    }
    return others == 0 ? 0 : std::min(1.0, dot / std::sqrt(others * own));
  }

  std::vector<std::size_t> sizes;
  std::vector<std::vector<std::int64_t>> sums;
};

}  // namespace

std::vector<std::int16_t> middles_of(const VectorSet& vectors, const Partition& partition) {
  return GroupSums(vectors, partition).middles(vectors.stride());
}

Assignment assign_rows(const VectorSet& vectors, const std::vector<std::int16_t>& middles, int threads,
                       const std::stop_token& stop) {
  const std::size_t groups = middles.size() / vectors.stride();
  Assignment result{{groups, std::vector<std::uint32_t>(vectors.size())}, std::vector<Dot>(vectors.size()), 0};
  const int workers = threads_for(vectors.size() * middles.size(), threads);
  parallel_for(partition_tiles(vectors), workers, [&](std::size_t tile, int) {
    stop_if_asked(stop);
    std::vector<Dot> dots(groups);
    const std::size_t end = std::min(vectors.size(), (tile + 1) * kPartitionTile);
    for (std::size_t row = tile * kPartitionTile; row < end; ++row) {
      dot_kernels().dot_rows(vectors.row(row), middles.data(), vectors.stride(), groups, dots.data());
      const auto best = std::max_element(dots.begin(), dots.end());
      result.partition.group[row] = static_cast<std::uint32_t>(best - dots.begin());
      result.dots[row] = *best;
    }
  });
  for (const Dot dot : result.dots) result.total += dot;
  return result;
}

double simplified_silhouette(const VectorSet& vectors, const Partition& partition, int threads) {
  if (vectors.size() == 0 || partition.groups < 2) return 0;
  const GroupSums sums(vectors, partition);
  const std::vector<std::int16_t> middles = sums.middles(vectors.stride());
  std::vector<double> values(vectors.size());
  const int workers = threads_for(vectors.size() * middles.size(), threads);
  parallel_for(partition_tiles(vectors), workers, [&](std::size_t tile, int) {
    std::vector<Dot> dots(partition.groups);
    const std::size_t end = std::min(vectors.size(), (tile + 1) * kPartitionTile);
    for (std::size_t row = tile * kPartitionTile; row < end; ++row) {
      const std::size_t own = partition.group[row];
      if (sums.sizes[own] < 2) continue;
      dot_kernels().dot_rows(vectors.row(row), middles.data(), vectors.stride(), partition.groups, dots.data());
      dots[own] = -2 * kDotOne;
      const double a = 1 - sums.similarity_to_others(own, vectors.row(row));
      const double b = 1 - double(similarity_of(*std::max_element(dots.begin(), dots.end())));
      const double larger = std::max(a, b);
      values[row] = larger <= 0 ? 0 : (b - a) / larger;
    }
  });
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / double(values.size());
}

}  // namespace tessera
