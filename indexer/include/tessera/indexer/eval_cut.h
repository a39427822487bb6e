// Where the automatic cut of a search ends the rankings of an evaluation, and what is left by labels.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "tessera/indexer/eval_measures.h"

namespace tessera::eval {

// The score of the i-th query with a row of the gallery.
using PairScore = std::function<float(std::size_t query, std::size_t row)>;

// For each ranking, over the gallery's `rows`, how many of its first `most` results the cut keeps (docs/SEARCH.md).
// `own`: the row of each query that is the query itself and takes no part, or empty. Throws kInvalidArgument if there
// are fewer than 50 rows to compare with.
std::vector<std::size_t> cut_rankings(const std::vector<Ranking>& rankings, std::size_t rows,
                                      std::span<const std::size_t> own, const PairScore& score, std::size_t most,
                                      double precision, int threads = 0);

// "precision": share of results with the query's label, mean over lists that are not empty; "empty": share of lists
// that are; both in per cent. "right" and "wrong": results with that label and without it, mean over all lists. A list
// has options.candidates results at most.
Measured measure_cut(const Sides& sides, const MeasureOptions& options, double precision);

}  // namespace tessera::eval
