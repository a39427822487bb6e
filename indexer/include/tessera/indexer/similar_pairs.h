// All pairs of pictures above a similarity: what duplicates are looked for among.
#pragma once

#include <cstddef>
#include <functional>
#include <stop_token>
#include <vector>

#include "tessera/indexer/vector_set.h"

namespace tessera {

struct SimilarPair {
  std::size_t a = 0;
  std::size_t b = 0;  // a < b
  float similarity = 0;
};

struct SimilarPairsOptions {
  double least = 0.8;                          // similarity
  std::size_t most_per_row = 200;              // of each row's pairs with later rows only the most similar; 0 = all
  int threads = 0;                             // 0 = one per core
  std::function<void(double share)> progress;  // 0..1, from any thread, one call at a time
  std::stop_token stop;
};

// In order of a, then b. Exact: every pair is bounded by its leading principal components and, where the bound reaches
// `least`, compared in full. Throws kCancelled.
std::vector<SimilarPair> find_similar_pairs(const VectorSet& vectors, const SimilarPairsOptions& options = {});

}  // namespace tessera
