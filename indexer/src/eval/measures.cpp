// The measures of `eval`: figures of every descriptor, and of a second stage over token sets, with 95 % intervals.
#include "tessera/indexer/eval_measures.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "eval/random.h"
#include "tessera/error.h"
#include "tessera/indexer/eval_composition.h"
#include "tessera/indexer/eval_knn.h"

namespace tessera::eval {
namespace {

constexpr std::array<int, 3> kNeighbours = {1, 5, 20};
constexpr std::array<int, 4> kPrecisionAt = {1, 3, 5, 10};
constexpr std::array<int, 4> kRecallAt = {1, 5, 10, 50};
constexpr std::array<std::size_t, 2> kCompAt = {1, 5};

// The rows that are asked, and what they are asked of.
class Search {
 public:
  Search(const Sides& sides, const MeasureOptions& options)
      : sides_(sides),
        options_(options),
        rows_(sample(sides.queries.features.pictures.size(), options.queries, options.seed)) {
    if (rows_.empty()) throw Error(ErrorCode::kInvalidArgument, "there is no picture to measure with");
    if (sides.queries.features.vectors.empty()) throw Error(ErrorCode::kInvalidArgument, "no descriptor was asked for");
  }

  bool within() const { return !sides_.gallery; }
  const Side& gallery() const { return sides_.gallery ? *sides_.gallery : sides_.queries; }
  const std::vector<std::size_t>& rows() const { return rows_; }
  std::size_t descriptors() const { return sides_.queries.features.vectors.size(); }
  const VectorTable& table(std::size_t d) const { return sides_.queries.features.vectors[d]; }

  std::vector<Ranking> ranked(std::size_t descriptor, std::size_t k) const {
    return nearest(table(descriptor), rows_, gallery().features.vectors[descriptor], within(), k, options_.threads);
  }
  std::vector<Ranking> reranked(const std::vector<Ranking>& rankings, const TokenMatchOptions& match) const {
    return rerank(rankings, sides_.queries.features.tokens, rows_, gallery().features.tokens, options_.candidates,
                  match, options_.threads);
  }

  std::vector<std::size_t> query_pictures() const {
    std::vector<std::size_t> pictures;
    for (const std::size_t row : rows_) pictures.push_back(sides_.queries.features.pictures[row]);
    return pictures;
  }
  std::vector<int> query_labels() const { return labels(sides_.queries.set, query_pictures()); }
  std::vector<int> gallery_labels() const { return labels(gallery().set, gallery().features.pictures); }

 private:
  static std::vector<int> labels(const EvalSet& set, const std::vector<std::size_t>& pictures) {
    std::vector<int> result;
    for (const std::size_t picture : pictures) result.push_back(set.pictures[picture].label);
    return result;
  }

  const Sides& sides_;
  const MeasureOptions& options_;
  std::vector<std::size_t> rows_;
};

Interval per_cent(std::span<const double> values, std::uint64_t seed) {
  const Interval share = bootstrap_mean(values, seed);
  return {100 * share.mean, 100 * share.low, 100 * share.high};
}

// Tokens that a descriptor compares, by its name.
int tokens_of(const std::string& name) {
  const Descriptor descriptor = parse_descriptor(name);
  if (descriptor.kind == Descriptor::Kind::kTokens) return descriptor.tokens;
  return descriptor.kind == Descriptor::Kind::kToken0 ? 1 : 0;
}

// "aligned:16", or "aligned:16:0.3" if it has only a share of the score.
std::string match_name(const TokenMatchOptions& match) {
  std::string name = match.match == TokenMatch::kAligned ? "aligned:" : "maxsim:";
  name += std::to_string(match.tokens);
  if (match.share == 1) return name;
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), match.share).ptr;
  return name + ":" + std::string(digits.data(), end);
}

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

// Calls row(name, tokens, rankings) for each descriptor and then for each second stage.
template <typename Row>
void for_each_row(const Search& search, const MeasureOptions& options, std::size_t k, const Row& row) {
  std::vector<Ranking> coarse;
  for (std::size_t d = 0; d < search.descriptors(); ++d) {
    std::vector<Ranking> rankings = search.ranked(d, k);
    row(search.table(d).name, tokens_of(search.table(d).name), rankings);
    if (d == 0) coarse = std::move(rankings);
  }
  for (const TokenMatchOptions& match : options.rerank) {
    row(match_name(match), match.tokens, search.reranked(coarse, match));
  }
}

std::string figure_name(const char* name, std::size_t k) { return std::string(name) + "@" + std::to_string(k); }

}  // namespace

Measured measure_knn(const Sides& sides, const MeasureOptions& options, double temperature) {
  const Search search(sides, options);
  const std::vector<int> queries = search.query_labels();
  const std::vector<int> gallery = search.gallery_labels();
  Measured measured;
  measured.queries = queries.size();
  for (const int k : kNeighbours) measured.figures.push_back("k=" + std::to_string(k));
  const std::size_t most = options.rerank.empty() ? kNeighbours.back() : gallery.size();
  for_each_row(search, options, most, [&](const std::string& name, int tokens, const std::vector<Ranking>& rankings) {
    MeasuredRow& row = measured.rows.emplace_back(MeasuredRow{name, tokens, {}});
    for (const int k : kNeighbours) {
      row.figures.push_back(
          per_cent(knn_hits(rankings, queries, gallery, static_cast<std::size_t>(k), temperature), options.seed));
    }
  });
  return measured;
}

Measured measure_map(const Sides& sides, const MeasureOptions& options) {
  const Search search(sides, options);
  const std::vector<int> queries = search.query_labels();
  const std::vector<int> gallery = search.gallery_labels();
  const std::vector<std::size_t> relevant = relevant_counts(queries, gallery, search.within());
  Measured measured;
  measured.figures = {"mAP"};
  for (const int k : kPrecisionAt) measured.figures.push_back(figure_name("P", static_cast<std::size_t>(k)));
  for (const int k : kRecallAt) measured.figures.push_back(figure_name("R", static_cast<std::size_t>(k)));
  for_each_row(search, options, gallery.size(),
               [&](const std::string& name, int tokens, const std::vector<Ranking>& rankings) {
                 const RetrievalFigures figures =
                     retrieval_figures(rankings, queries, gallery, relevant, kPrecisionAt, kRecallAt);
                 measured.queries = figures.average_precision.size();
                 measured.without_match = figures.without_match;
                 MeasuredRow& row = measured.rows.emplace_back(MeasuredRow{name, tokens, {}});
                 row.figures.push_back(per_cent(figures.average_precision, options.seed));
                 for (const auto& values : figures.precision) row.figures.push_back(per_cent(values, options.seed));
                 for (const auto& values : figures.recall) row.figures.push_back(per_cent(values, options.seed));
               });
  if (measured.queries == 0) throw Error(ErrorCode::kUnsupported, "no picture has another one of its label");
  return measured;
}

Measured measure_comp(const Sides& sides, const MeasureOptions& options) {
  const Search search(sides, options);
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
  for_each_row(search, options, depth, add);
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
