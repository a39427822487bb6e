// The second stage: scoring candidates by their sets of ordered tokens.
//
// Weights w_i = (1 - i/N)^2, N = tokens a segment stores per image at most: the probability with which token i survived
// the nested dropout of training. l = min(budget, tokens of the query, tokens of the image, N).
//   aligned: sum over i < l of w_i cos(q_i, d_i) / sum over i < l of w_i
//   maxsim:  ( sum_i w_i max_j cos(q_i, d_j) / sum_i w_i  +  sum_j w_j max_i cos(q_i, d_j) / sum_j w_j ) / 2,
//            with i < l_q = min(budget, tokens of the query, N) and j < l_d = min(budget, tokens of the image, N)
// Cosines are those of the query in 15-bit fixed point with the int8 token codes.
#pragma once

#include <span>
#include <vector>

#include "search/exact_scan.h"
#include "search/query.h"

namespace tessera {

struct RerankOptions {
  RerankMethod method = RerankMethod::kAligned;
  int tokens = 0;   // budget; 0 = all
  int threads = 0;  // 0 = usable_threads()
  SimdLevel simd = best_simd_level();
};

// One score in [-1, 1] per candidate, in their order; the same on every machine. Asks the system for all token reads at
// once before the first is needed. For RerankMethod::kNone the candidates' own scores.
std::vector<float> rerank_scores(std::span<const ScanSource> sources, const CombinedQuery& query,
                                 std::span<const ScanHit> candidates, const RerankOptions& options);

}  // namespace tessera
