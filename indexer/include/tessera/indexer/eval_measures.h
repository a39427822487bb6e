// The measures of `eval`: figures of every descriptor, and of a second stage over token sets, with 95 % intervals.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tessera/indexer/eval_descriptors.h"
#include "tessera/indexer/eval_ranking.h"
#include "tessera/indexer/eval_report.h"
#include "tessera/indexer/eval_set.h"

namespace tessera::eval {

// A set and what was extracted of it, as queries or as what is searched.
struct Side {
  const EvalSet& set;
  const FeatureSet& features;
};

// `gallery` none: the queries themselves without the query. Label and category numbers of both must agree
// (align_names()), and so must the descriptors.
struct Sides {
  Side queries;
  std::optional<Side> gallery;
};

struct MeasureOptions {
  std::size_t queries = 0;  // a seeded sample of so many; 0 = all
  std::uint64_t seed = 1;
  int threads = 0;
  // A row for each: the best `candidates` (0 = all) of the first descriptor's ranking, put in order by token sets.
  std::vector<TokenMatchOptions> rerank;
  std::size_t candidates = 200;
};

// Figures in per cent.
struct MeasuredRow {
  std::string name;  // "token0", "aligned:16", ...
  int tokens = 0;    // that are compared; 0 = a baseline
  std::vector<Interval> figures;
};
struct Measured {
  std::vector<std::string> figures;
  std::vector<MeasuredRow> rows;
  std::size_t queries = 0;        // that were measured
  std::size_t without_match = 0;  // left out: nothing could be found
};

// "k=1", "k=5", "k=20": accuracy of the votes of the k nearest.
Measured measure_knn(const Sides& sides, const MeasureOptions& options, double temperature = 0.07);
// "mAP", "P@1", "P@3", "P@5", "P@10", "R@1", "R@5", "R@10", "R@50". Throws kUnsupported if no picture has another one
// of its label.
Measured measure_map(const Sides& sides, const MeasureOptions& options);
// "Comp@1", "Comp@5", "Recall@1", "Recall@5", and "+Comp@1", "+Comp@5": the paired difference to the first descriptor.
// The last row, "oracle", orders the candidates by Comp itself. Throws kUnsupported if no two
// pictures have boxes of one class.
Measured measure_comp(const Sides& sides, const MeasureOptions& options);

// Adds the rows to a report: columns `first`, the figures.
void add_measured(Report& report, const Measured& measured, const std::string& first = "descriptor");

}  // namespace tessera::eval
