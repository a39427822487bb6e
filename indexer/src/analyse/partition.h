// Partitions of rows into groups, their middles, and how clear a partition is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "analyse/row_scan.h"

namespace tessera {

struct Partition {
  std::size_t groups = 0;
  std::vector<std::uint32_t> group;  // per row
};

// Middles of the groups as rows at distances of the set's stride.
std::vector<std::int16_t> middles_of(const VectorSet& vectors, const Partition& partition);

// The middle each row is most similar to (ties: the lower one), and how similar.
struct Assignment {
  Partition partition;
  std::vector<Dot> dots;
  std::int64_t total = 0;  // sum of dots
};
Assignment assign_rows(const VectorSet& vectors, const std::vector<std::int16_t>& middles, int threads,
                       const std::stop_token& stop);

// Mean over rows of (b - a) / max(a, b), a = distance (1 - cosine) to the middle of the others of the own group, b = to
// the nearest other middle; 0 for a row that is alone in its group.
double simplified_silhouette(const VectorSet& vectors, const Partition& partition, int threads);

}  // namespace tessera
