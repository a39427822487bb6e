// How often the stages of a library's own search find what an exhaustive comparison of all tokens would.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <vector>

#include "tessera/indexer/library.h"

namespace tessera::eval {

struct RecallOptions {
  std::size_t queries = 200;  // pictures of the library, a seeded sample
  std::uint64_t seed = 1;
  RerankMethod rerank = RerankMethod::kAligned;
  float rerank_weight = SearchOptions{}.rerank_weight;
  int tokens = 0;  // budget of the second stage; 0 = all stored
  CoarseMethod coarse = CoarseMethod::kAuto;
  std::vector<int> at = {1, 10, 20};                  // k of recall@k
  std::vector<int> candidates = {50, 100, 200, 500};  // K, a row each
  std::function<void(std::size_t done, std::size_t total)> progress;
  std::stop_token stop;  // throws kCancelled
};

// One stage or setting: how much of the first k of the exhaustive search is among its first k.
struct RecallRow {
  int candidates = 0;                       // 0 = the coarse stage alone
  std::vector<std::vector<double>> recall;  // for each k: a share in [0, 1] per query
  std::vector<double> milliseconds;         // a search each
};
struct RecallFigures {
  std::size_t queries = 0;
  std::int64_t images = 0;
  CoarseMethod coarse_used = CoarseMethod::kExact;
  std::vector<RecallRow> rows;        // the coarse stage, then each K
  std::vector<double> exhaustive_ms;  // comparing all tokens of all pictures
};

// The query picture is left out of its own results. Throws kInvalidArgument if the library has less than two pictures.
RecallFigures measure_recall(const Library& library, const RecallOptions& options);

// The value at a share of the sorted ones (0.5 = median), the nearest rank; 0 of none.
double percentile(std::vector<double> values, double share);

}  // namespace tessera::eval
