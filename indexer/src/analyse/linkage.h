// Agglomerative clustering of a few thousand rows by the nearest-neighbour chain.
#pragma once

#include <cstddef>
#include <stop_token>
#include <vector>

#include "analyse/partition.h"

namespace tessera {

struct Merge {
  std::size_t a = 0;  // any row of the one group
  std::size_t b = 0;  // any row of the other
  float similarity = 0;
};

// The n - 1 merges of average (or complete) linkage, most similar first. Time and memory n^2. Murtagh 1983.
std::vector<Merge> linkage_merges(const VectorSet& vectors, bool complete, int threads, const std::stop_token& stop);

// What the first n - groups merges leave; groups are numbered by their first row.
Partition cut_merges(const std::vector<Merge>& merges, std::size_t rows, std::size_t groups);

}  // namespace tessera
