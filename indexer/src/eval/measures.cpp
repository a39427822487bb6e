// The measures of `eval`: figures of every descriptor, and of a second stage over token sets, with 95 % intervals.
#include "tessera/indexer/eval_measures.h"

#include <algorithm>
#include <array>
#include <map>

#include "eval/search_rows.h"
#include "tessera/error.h"
#include "tessera/indexer/eval_composition.h"
#include "tessera/indexer/eval_knn.h"

namespace tessera::eval {
namespace {

constexpr std::array<int, 3> kNeighbours = {1, 5, 20};
constexpr std::array<int, 4> kPrecisionAt = {1, 3, 5, 10};
constexpr std::array<int, 4> kRecallAt = {1, 5, 10, 50};
constexpr std::array<std::size_t, 2> kCompAt = {1, 5};

// For each query, how many others of the gallery have its label.
std::vector<std::size_t> relevant_counts(const std::vector<int>& query_labels, const std::vector<int>& gallery_labels,
                                         bool within) {
  std::map<int, std::size_t> counts;
  for (const int label : gallery_labels) ++counts[label];
  std::vector<std::size_t> relevant;
  for (const int label : query_labels) {
    const auto found = counts.find(label);
    relevant.push_back(found == counts.end() ? 0 : found->second - (within ? 1 : 0));
  }
  return relevant;
}

std::string figure_name(const char* name, std::size_t k) { return std::string(name) + "@" + std::to_string(k); }

}  // namespace

Measured measure_knn(const Sides& sides, const MeasureOptions& options, double temperature) {
  const SearchRows search(sides, options);
  const std::vector<int> queries = search.query_labels();
  const std::vector<int> gallery = search.gallery_labels();
  Measured measured;
  measured.queries = queries.size();
  for (const int k : kNeighbours) measured.figures.push_back("k=" + std::to_string(k));
  const std::size_t most = options.rerank.empty() ? kNeighbours.back() : gallery.size();
  search.for_each_row(most, [&](const SearchRows::Row& each) {
    MeasuredRow& row = measured.rows.emplace_back(MeasuredRow{each.name, each.tokens, {}});
    for (const int k : kNeighbours) {
      row.figures.push_back(
          per_cent(knn_hits(each.rankings, queries, gallery, static_cast<std::size_t>(k), temperature), options.seed));
    }
  });
  return measured;
}

Measured measure_map(const Sides& sides, const MeasureOptions& options) {
  const SearchRows search(sides, options);
  const std::vector<int> queries = search.query_labels();
  const std::vector<int> gallery = search.gallery_labels();
  const std::vector<std::size_t> relevant = relevant_counts(queries, gallery, search.within());
  Measured measured;
  measured.figures = {"mAP"};
  for (const int k : kPrecisionAt) measured.figures.push_back(figure_name("P", static_cast<std::size_t>(k)));
  for (const int k : kRecallAt) measured.figures.push_back(figure_name("R", static_cast<std::size_t>(k)));
  search.for_each_row(gallery.size(), [&](const SearchRows::Row& each) {
    const RetrievalFigures figures =
        retrieval_figures(each.rankings, queries, gallery, relevant, kPrecisionAt, kRecallAt);
    measured.queries = figures.average_precision.size();
    measured.without_match = figures.without_match;
    MeasuredRow& row = measured.rows.emplace_back(MeasuredRow{each.name, each.tokens, {}});
    row.figures.push_back(per_cent(figures.average_precision, options.seed));
    for (const auto& values : figures.precision) row.figures.push_back(per_cent(values, options.seed));
    for (const auto& values : figures.recall) row.figures.push_back(per_cent(values, options.seed));
  });
  if (measured.queries == 0) throw Error(ErrorCode::kUnsupported, "no picture has another one of its label");
  return measured;
}

Measured measure_comp(const Sides& sides, const MeasureOptions& options) {
  const SearchRows search(sides, options);
  const std::vector<std::size_t> queries = search.query_pictures();
  const CompositionTable table(sides.queries.set, queries, search.gallery().set, search.gallery().features.pictures,
                               search.within(), options.threads);
  Measured measured;
  for (const char* name : {"Comp", "Recall", "+Comp"}) {
    for (const std::size_t k : kCompAt) measured.figures.push_back(figure_name(name, k));
  }
  std::vector<CompositionAt> coarse;
  const auto add = [&](const std::string& name, int tokens, const std::vector<Ranking>& rankings) {
    std::vector<CompositionAt> at;
    for (const std::size_t k : kCompAt) at.push_back(composition_at(table, rankings, k));
    if (coarse.empty()) coarse = at;
    MeasuredRow& row = measured.rows.emplace_back(MeasuredRow{name, tokens, {}});
    for (const CompositionAt& each : at) row.figures.push_back(per_cent(each.composition, options.seed));
    for (const CompositionAt& each : at) row.figures.push_back(per_cent(each.recall, options.seed));
    for (std::size_t i = 0; i < at.size(); ++i) {
      std::vector<double> gain = at[i].composition;
      for (std::size_t q = 0; q < gain.size(); ++q) gain[q] -= coarse[i].composition[q];
      row.figures.push_back(per_cent(gain, options.seed));
    }
  };
  // Deeper than both no figure looks; a whole ranking of every query may not fit in memory.
  const std::size_t depth = options.candidates == 0 ? search.gallery().features.pictures.size()
                                                    : std::max(options.candidates, kCompAt.back());
  search.for_each_row(depth, [&](const SearchRows::Row& each) { add(each.name, each.tokens, each.rankings); });
  measured.queries = coarse[0].composition.size();
  measured.without_match = queries.size() - measured.queries;
  if (measured.queries == 0) throw Error(ErrorCode::kUnsupported, "no two pictures have boxes of one class");
  add("oracle", 0, oracle_rankings(table, search.ranked(0, depth), options.candidates));
  return measured;
}

void add_measured(Report& report, const Measured& measured, const std::string& first) {
  report.columns = {{first, 0}};
  for (const std::string& name : measured.figures) report.columns.push_back({name, 1});
  for (const MeasuredRow& row : measured.rows) {
    std::vector<Cell>& cells = report.rows.emplace_back();
    cells.emplace_back(row.name);
    for (const Interval& figure : row.figures) cells.emplace_back(figure);
  }
}

}  // namespace tessera::eval
