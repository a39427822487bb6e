// The automatic cut over rankings of an evaluation, and its precision by labels.
#include <algorithm>
#include <numeric>

#include "eval/search_rows.h"
#include "search/calibration.h"
#include "search/parallel.h"
#include "tessera/error.h"
#include "tessera/indexer/eval_cut.h"

namespace tessera::eval {

std::vector<std::size_t> cut_rankings(const std::vector<Ranking>& rankings, std::size_t rows,
                                      std::span<const std::size_t> own, const PairScore& score, std::size_t most,
                                      double precision, int threads) {
  const std::size_t searched = rows - (own.empty() ? 0 : 1);
  if (rows == 0 || searched < kLeastBackground) {
    throw Error(ErrorCode::kInvalidArgument, "a cut needs at least " + std::to_string(kLeastBackground) +
                                                 " pictures to compare with; there are " + std::to_string(rows));
  }
  const std::size_t count = std::min<std::size_t>(searched, kBackgroundSample);
  std::vector<std::size_t> kept(rankings.size());
  parallel_for(rankings.size(), threads > 0 ? threads : usable_threads(), [&](std::size_t i, int) {
    std::vector<float> sample;
    for (std::size_t s = 0; s < count; ++s) {
      const std::size_t place = (2 * s + 1) * searched / (2 * count);  // among the rows without the query's own
      sample.push_back(score(i, place + (!own.empty() && place >= own[i] ? 1 : 0)));
    }
    const Background background(sample);
    std::vector<double> by_chance;
    for (std::size_t r = 0; r < std::min(most, rankings[i].size()); ++r) {
      by_chance.push_back(double(searched) * background.share(rankings[i][r].score));
    }
    kept[i] = cut_length(by_chance, precision);
  });
  return kept;
}

Measured measure_cut(const Sides& sides, const MeasureOptions& options, double precision) {
  const SearchRows search(sides, options);
  const std::vector<int> queries = search.query_labels();
  const std::vector<int> gallery = search.gallery_labels();
  const std::size_t most = options.candidates == 0 ? gallery.size() : options.candidates;
  Measured measured;
  measured.queries = queries.size();
  measured.figures = {"precision", "empty", "right", "wrong"};
  search.for_each_row(gallery.size(), [&](const SearchRows::Row& row) {
    const std::vector<std::size_t> kept =
        cut_rankings(row.rankings, gallery.size(), search.within() ? search.rows() : std::vector<std::size_t>{},
                     row.score, most, precision, options.threads);
    std::vector<double> precisions, empty, right, wrong;
    for (std::size_t q = 0; q < kept.size(); ++q) {
      double found = 0;
      for (std::size_t r = 0; r < kept[q]; ++r) found += gallery[row.rankings[q][r].row] == queries[q] ? 1 : 0;
      empty.push_back(kept[q] == 0 ? 1 : 0);
      right.push_back(found);
      wrong.push_back(double(kept[q]) - found);
      if (kept[q] > 0) precisions.push_back(found / double(kept[q]));
    }
    if (precisions.empty()) precisions.push_back(0);
    measured.rows.push_back({row.name,
                             row.tokens,
                             {per_cent(precisions, options.seed), per_cent(empty, options.seed),
                              bootstrap_mean(right, options.seed), bootstrap_mean(wrong, options.seed)}});
  });
  return measured;
}

}  // namespace tessera::eval
