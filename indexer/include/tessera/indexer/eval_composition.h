// Comp@K and Recall@K: how well retrieved pictures share the objects of a query and where they are (arXiv 2607.03624,
// section 4.6 and appendix F).
//
// For the boxes b of class c of a query and b' of class c' of a result, S_ij = [c_i = c'_j] (gIoU(b_i, b'_j) + 1) / 2;
// the raw score is the sum of the best one-to-one matching; Comp(q, r) = raw(q, r) / best raw(q, .) over the database;
// Comp@K(q) = the best Comp among the first K results. Recall@K is the same with S_ij = [c_i = c'_j].
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "tessera/indexer/eval_ranking.h"
#include "tessera/indexer/eval_set.h"

namespace tessera::eval {

// Intersection over union minus the share of the smallest box around both that neither covers; in (-1, 1].
double generalised_iou(const Box& a, const Box& b) noexcept;

// The largest sum of a one-to-one matching of rows to columns; weights [rows, columns], none negative. O(n^3).
double best_matching(std::span<const double> weights, std::size_t rows, std::size_t columns);

struct RawScores {
  double composition = 0;
  double objects = 0;  // S_ij = [c_i = c'_j]
};
// Of two lists of boxes in any order.
RawScores raw_scores(std::span<const Box> query, std::span<const Box> result);

// Comp and recall, in [0, 1], of every query against every picture of the database.
class CompositionTable {
 public:
  // Rows: `queries`, columns: `database`, both numbers of pictures of their sets. `within`: both are one set, and a
  // picture is no result of itself.
  CompositionTable(const EvalSet& query_set, std::span<const std::size_t> queries, const EvalSet& database_set,
                   std::span<const std::size_t> database, bool within, int threads = 0);

  std::size_t queries() const { return queries_; }
  std::size_t database() const { return database_; }
  // False if no picture of the database shares a class with the query: such a query takes no part.
  bool has_match(std::size_t query) const { return best_[query].objects > 0; }
  double composition(std::size_t query, std::size_t row) const;
  double recall(std::size_t query, std::size_t row) const;

 private:
  struct Score {
    float composition = 0;
    float objects = 0;
  };
  std::size_t queries_ = 0;
  std::size_t database_ = 0;
  std::vector<Score> raw_;   // [queries, database]
  std::vector<Score> best_;  // [queries]
};

// The best value among the first k results, for each query with a match, in order.
struct CompositionAt {
  std::vector<double> composition;
  std::vector<double> recall;
};
CompositionAt composition_at(const CompositionTable& table, std::span<const Ranking> rankings, std::size_t k);

// The first `candidates` of each ranking (0 = all) by their Comp: the best that any second stage could do.
std::vector<Ranking> oracle_rankings(const CompositionTable& table, std::span<const Ranking> rankings,
                                     std::size_t candidates);

}  // namespace tessera::eval
