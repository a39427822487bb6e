// What is least like the rest of a set of pictures, and what outside it is most like the set.
//
// Both use one measure: how similar a picture is to the k pictures of the set that are nearest to it, in the mean. A
// set may hold several themes; a picture belongs to it if it is near some of its pictures, and one lucky neighbour is
// not enough. docs/SEARCH.md says what `by_chance` means.
#pragma once

#include <cstddef>
#include <limits>
#include <span>
#include <stop_token>
#include <vector>

#include "tessera/indexer/vector_set.h"

namespace tessera {

struct OutlierOptions {
  std::size_t count = 20;
  int neighbours = 5;  // k, at most 64; fewer if the set has no more
  int threads = 0;     // 0 = one per core
  std::stop_token stop;
};

struct Outlier {
  std::size_t row = 0;
  float similarity = 0;  // mean similarity to the k nearest of the others
  // How many pictures of the set are expected to be this far from the rest if it held no odd ones. NaN for sets of
  // fewer than 50.
  double by_chance = std::numeric_limits<double>::quiet_NaN();
};

// The `count` rows with the least similarity, least first, ties by row; exact for any size. None for a set of one.
// Throws kInvalidArgument (neighbours), kCancelled.
std::vector<Outlier> find_outliers(const VectorSet& vectors, const OutlierOptions& options = {});

struct AffinityOptions {
  std::size_t count = 20;
  int neighbours = 3;           // k, at most 64; fewer if the collection has no more
  std::size_t members = 2'048;  // of a larger collection so many, at even distances, stand for it; 0 = all
  int threads = 0;
  std::stop_token stop;
};

struct Affinity {
  std::size_t row = 0;
  float similarity = 0;  // mean similarity to the k nearest members
  // The share of the collection's own members that are no nearer to the rest of it; 1 = as near as its core. NaN for a
  // collection of one.
  double fits = std::numeric_limits<double>::quiet_NaN();
  // How many pictures outside are expected to be this similar if all are unrelated to the collection. NaN with fewer
  // than 50 outside.
  double by_chance = std::numeric_limits<double>::quiet_NaN();
};

// Rows outside the collection that are most like it, best first, ties by row. `members`: rows, in any order. Throws
// kInvalidArgument (no member, a row that does not exist, neighbours), kCancelled.
std::vector<Affinity> find_more_like(const VectorSet& vectors, std::span<const std::size_t> members,
                                     const AffinityOptions& options = {});

}  // namespace tessera
