// Nearest neighbours of evaluation: exact, deterministic, in memory.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "tessera/indexer/eval_descriptors.h"

namespace tessera::eval {

struct Neighbour {
  std::size_t row = 0;  // of the gallery
  float score = 0;

  // Best first: score descending, ties by row.
  friend bool operator<(const Neighbour& a, const Neighbour& b) noexcept {
    return a.score != b.score ? a.score > b.score : a.row < b.row;
  }
};
using Ranking = std::vector<Neighbour>;  // best first

// Dot product of vectors of one width; the same bits on every machine.
float dot(std::span<const float> a, std::span<const float> b) noexcept;

// The best min(k, gallery) of the gallery for each of these rows of the queries. `within`: queries and gallery are one
// table, and a row is not its own neighbour. Throws kInvalidArgument if widths differ or k < 1.
std::vector<Ranking> nearest(const VectorTable& queries, std::span<const std::size_t> rows, const VectorTable& gallery,
                             bool within, std::size_t k, int threads = 0);

enum class TokenMatch {
  kAligned,  // sum over i < l of w_i cos(q_i, d_i) / sum of w_i, l = min(budget, tokens of both)
  kMaxSim,   // each token's best match in the other set, weighted by w_i, mean of both directions
};
struct TokenMatchOptions {
  TokenMatch match = TokenMatch::kAligned;
  int tokens = 16;  // budget
  double weight_power = 2;
  double share = 1;  // a of rerank(): score = (1 - a) * score of the first stage + a * match_score()
};
float match_score(const TokenTable& a, std::size_t row_a, const TokenTable& b, std::size_t row_b,
                  const TokenMatchOptions& options);

// The first `candidates` of each ranking (0 = all) scored by token sets, mixed with the scores they have, and put in
// order; the others follow as they were, their scores with them. Ranking i is that of query row rows[i].
std::vector<Ranking> rerank(const std::vector<Ranking>& rankings, const TokenTable& queries,
                            std::span<const std::size_t> rows, const TokenTable& gallery, std::size_t candidates,
                            const TokenMatchOptions& options, int threads = 0);

}  // namespace tessera::eval
