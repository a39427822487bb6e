// k-NN classification and retrieval over labels: accuracy, mean average precision, P@k, recall@k.
#pragma once

#include <span>
#include <vector>

#include "tessera/indexer/eval_ranking.h"

namespace tessera::eval {

// For each query 1 if the vote of its first k neighbours, each with exp(score / temperature), gives its label, else 0;
// the label of the smaller number wins a tie. Labels are those of the gallery rows and of the queries, one a ranking.
std::vector<double> knn_hits(std::span<const Ranking> rankings, std::span<const int> query_labels,
                             std::span<const int> gallery_labels, std::size_t k, double temperature = 0.07);

// One value in [0, 1] per query that has something to find.
struct RetrievalFigures {
  std::size_t without_match = 0;  // queries left out: nothing of their label is there
  std::vector<double> average_precision;
  std::vector<std::vector<double>> precision;  // for each k asked for
  std::vector<std::vector<double>> recall;
};
// `rankings` must hold the whole gallery (without the query) for mAP and recall. `relevant[i]` = how many of the
// gallery have the label of query i.
RetrievalFigures retrieval_figures(std::span<const Ranking> rankings, std::span<const int> query_labels,
                                   std::span<const int> gallery_labels, std::span<const std::size_t> relevant,
                                   std::span<const int> precision_at, std::span<const int> recall_at);

}  // namespace tessera::eval
