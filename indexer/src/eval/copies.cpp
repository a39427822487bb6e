// How well the originals of altered pictures are found again.
#include <algorithm>

#include "eval/random.h"
#include "eval/search_rows.h"
#include "tessera/error.h"
#include "tessera/indexer/eval_copies.h"
#include "tessera/indexer/eval_cut.h"

namespace tessera::eval {
namespace {

template <typename Value>
void append(std::vector<Value>& to, const std::vector<Value>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

// The rows of one descriptor or second stage over all alterations.
struct CopyRow {
  std::string name;
  int tokens = 0;
  std::vector<std::vector<double>> first;  // per alteration and query, 1 if the original is the first result
  std::vector<double> found;               // 1 if the list that the cut leaves holds it
  std::vector<double> precision;           // of the lists that are not empty
};

}  // namespace

std::vector<AlteredFeatures> extract_altered(const EvalSet& set, const FeatureRequest& request, std::size_t queries,
                                             std::uint64_t seed, const BatchOptions& options) {
  std::vector<AlteredFeatures> copies;
  FeatureRequest of_copies = request;
  of_copies.pictures = sample(set.pictures.size(), queries, seed);
  for (const Alteration alteration : alterations()) {
    of_copies.source = altered_source(set, alteration, seed);
    copies.push_back({alteration, extract_features(set, "", of_copies, options)});
  }
  return copies;
}

void append_features(FeatureSet& features, const FeatureSet& more, std::size_t offset) {
  if (features.vectors.size() != more.vectors.size()) {
    throw Error(ErrorCode::kInvalidArgument, "pictures with different descriptors cannot be searched together");
  }
  for (const std::size_t picture : more.pictures) features.pictures.push_back(picture + offset);
  for (std::size_t d = 0; d < more.vectors.size(); ++d) append(features.vectors[d].values, more.vectors[d].values);
  TokenTable& tokens = features.tokens;
  if (tokens.tokens != more.tokens.tokens || tokens.width != more.tokens.width) {
    throw Error(ErrorCode::kInvalidArgument, "pictures with different tokens cannot be searched together");
  }
  if (tokens.tokens > 0) tokens.pictures = features.pictures;
  append(tokens.counts, more.tokens.counts);
  append(tokens.values, more.tokens.values);
  append(tokens.summary, more.tokens.summary);
}

Measured measure_copies(const FeatureSet& gallery, std::span<const AlteredFeatures> copies,
                        const MeasureOptions& options, double precision) {
  const EvalSet no_set;
  const std::size_t most = options.candidates == 0 ? gallery.pictures.size() : options.candidates;
  std::vector<CopyRow> rows;
  Measured measured;
  for (const AlteredFeatures& each : copies) {
    measured.figures.push_back(alteration_name(each.alteration));
    const Sides sides{{no_set, each.features}, Side{no_set, gallery}};
    const SearchRows search(sides, options);
    const std::vector<std::size_t> originals = search.query_pictures();
    measured.queries += originals.size();
    std::size_t at = 0;
    search.for_each_row(gallery.pictures.size(), [&](const SearchRows::Row& row) {
      if (at == rows.size()) rows.push_back({row.name, row.tokens, {}, {}, {}});
      CopyRow& to = rows[at++];
      std::vector<double>& first = to.first.emplace_back();
      const std::vector<std::size_t> kept =
          cut_rankings(row.rankings, gallery.pictures.size(), {}, row.score, most, precision, options.threads);
      for (std::size_t q = 0; q < originals.size(); ++q) {
        const Ranking& ranking = row.rankings[q];
        const auto end = ranking.begin() + static_cast<std::ptrdiff_t>(kept[q]);
        const auto is_original = [&](const Neighbour& hit) { return gallery.pictures[hit.row] == originals[q]; };
        const bool found = std::any_of(ranking.begin(), end, is_original);
        first.push_back(is_original(ranking.front()) ? 1 : 0);
        to.found.push_back(found ? 1 : 0);
        if (kept[q] > 0) to.precision.push_back(found ? 1 / double(kept[q]) : 0);
      }
    });
  }
  for (const char* name : {"total", "found", "precision"}) measured.figures.emplace_back(name);
  for (CopyRow& row : rows) {
    MeasuredRow& to = measured.rows.emplace_back(MeasuredRow{row.name, row.tokens, {}});
    std::vector<double> all;
    for (const std::vector<double>& first : row.first) {
      to.figures.push_back(per_cent(first, options.seed));
      append(all, first);
    }
    if (row.precision.empty()) row.precision.push_back(0);
    for (const auto* shares : {&all, &row.found, &row.precision}) to.figures.push_back(per_cent(*shares, options.seed));
  }
  return measured;
}

}  // namespace tessera::eval
