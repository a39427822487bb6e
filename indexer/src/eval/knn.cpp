// k-NN classification and retrieval over labels: accuracy, mean average precision, P@k, recall@k.
#include "tessera/indexer/eval_knn.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace tessera::eval {
namespace {

int voted_label(const Ranking& ranking, std::span<const int> labels, std::size_t k, double temperature) {
  std::map<int, double> votes;
  const double best = ranking.empty() ? 0 : ranking.front().score;
  for (std::size_t i = 0; i < std::min(k, ranking.size()); ++i) {
    // Relative to the best, so that no temperature overflows; the order of the votes is the same.
    votes[labels[ranking[i].row]] += std::exp((ranking[i].score - best) / temperature);
  }
  int winner = -1;
  double most = 0;
  for (const auto& [label, vote] : votes) {
    if (winner == -1 || vote > most) {
      winner = label;
      most = vote;
    }
  }
  return winner;
}

// The value at each k of a figure that grows with the ranks; places beyond the end of a ranking hold nothing right.
template <typename Value>
void add_at(std::span<const int> at, std::span<const std::size_t> found, std::vector<std::vector<double>>& into,
            const Value& value) {
  for (std::size_t i = 0; i < at.size(); ++i) {
    const std::size_t k = std::min(static_cast<std::size_t>(at[i]), found.size());
    into[i].push_back(value(k == 0 ? 0 : found[k - 1], at[i]));
  }
}

}  // namespace

std::vector<double> knn_hits(std::span<const Ranking> rankings, std::span<const int> query_labels,
                             std::span<const int> gallery_labels, std::size_t k, double temperature) {
  std::vector<double> hits;
  for (std::size_t i = 0; i < rankings.size(); ++i) {
    hits.push_back(voted_label(rankings[i], gallery_labels, k, temperature) == query_labels[i] ? 1 : 0);
  }
  return hits;
}

RetrievalFigures retrieval_figures(std::span<const Ranking> rankings, std::span<const int> query_labels,
                                   std::span<const int> gallery_labels, std::span<const std::size_t> relevant,
                                   std::span<const int> precision_at, std::span<const int> recall_at) {
  RetrievalFigures figures;
  figures.precision.resize(precision_at.size());
  figures.recall.resize(recall_at.size());
  for (std::size_t i = 0; i < rankings.size(); ++i) {
    if (relevant[i] == 0) {
      ++figures.without_match;
      continue;
    }
    std::vector<std::size_t> found;  // right ones among the first ranks
    double sum = 0;
    std::size_t right = 0;
    for (const Neighbour& neighbour : rankings[i]) {
      if (gallery_labels[neighbour.row] == query_labels[i]) {
        ++right;
        sum += double(right) / double(found.size() + 1);
      }
      found.push_back(right);
    }
    figures.average_precision.push_back(sum / double(relevant[i]));
    add_at(precision_at, found, figures.precision, [](std::size_t count, int k) { return double(count) / k; });
    add_at(recall_at, found, figures.recall,
           [&](std::size_t count, int) { return double(count) / double(relevant[i]); });
  }
  return figures;
}

}  // namespace tessera::eval
