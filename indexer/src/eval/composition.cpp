// Comp@K and Recall@K over boxes, class by class.
#include "tessera/indexer/eval_composition.h"

#include <algorithm>
#include <numeric>

#include "search/parallel.h"

namespace tessera::eval {
namespace {

// The boxes of a picture, class after class.
std::vector<Box> by_class(std::span<const Box> boxes) {
  std::vector<Box> sorted(boxes.begin(), boxes.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const Box& a, const Box& b) { return a.category < b.category; });
  return sorted;
}

std::size_t class_end(std::span<const Box> boxes, std::size_t from) {
  std::size_t end = from;
  while (end < boxes.size() && boxes[end].category == boxes[from].category) ++end;
  return end;
}

// Pairs of different classes have weight 0, so that the best matching is the sum of those of the classes. Lists as
// by_class() gives them.
RawScores sorted_scores(std::span<const Box> query, std::span<const Box> result, std::vector<double>& weights) {
  RawScores scores;
  std::size_t q = 0;
  std::size_t r = 0;
  while (q < query.size() && r < result.size()) {
    if (query[q].category < result[r].category) {
      q = class_end(query, q);
    } else if (result[r].category < query[q].category) {
      r = class_end(result, r);
    } else {
      const std::size_t q_end = class_end(query, q);
      const std::size_t r_end = class_end(result, r);
      weights.clear();
      for (std::size_t i = q; i < q_end; ++i) {
        for (std::size_t j = r; j < r_end; ++j) weights.push_back((generalised_iou(query[i], result[j]) + 1) / 2);
      }
      scores.composition += best_matching(weights, q_end - q, r_end - r);
      scores.objects += double(std::min(q_end - q, r_end - r));
      q = q_end;
      r = r_end;
    }
  }
  return scores;
}

std::vector<std::vector<Box>> sorted_boxes(const EvalSet& set, std::span<const std::size_t> pictures) {
  std::vector<std::vector<Box>> boxes;
  for (const std::size_t picture : pictures) boxes.push_back(by_class(set.pictures[picture].boxes));
  return boxes;
}

}  // namespace

double generalised_iou(const Box& a, const Box& b) noexcept {
  const double a_right = a.x + a.width, a_bottom = a.y + a.height;
  const double b_right = b.x + b.width, b_bottom = b.y + b.height;
  const double width = std::max(0.0, std::min(a_right, b_right) - std::max(a.x, b.x));
  const double height = std::max(0.0, std::min(a_bottom, b_bottom) - std::max(a.y, b.y));
  const double shared = width * height;
  const double joined = a.width * a.height + b.width * b.height - shared;
  const double around =
      (std::max(a_right, b_right) - std::min(a.x, b.x)) * (std::max(a_bottom, b_bottom) - std::min(a.y, b.y));
  if (joined <= 0 || around <= 0) return -1;
  return shared / joined - (around - joined) / around;
}

RawScores raw_scores(std::span<const Box> query, std::span<const Box> result) {
  std::vector<double> weights;
  return sorted_scores(by_class(query), by_class(result), weights);
}

CompositionTable::CompositionTable(const EvalSet& query_set, std::span<const std::size_t> queries,
                                   const EvalSet& database_set, std::span<const std::size_t> database, bool within,
                                   int threads)
    : queries_(queries.size()), database_(database.size()), raw_(queries_ * database_), best_(queries_) {
  const std::vector<std::vector<Box>> of_queries = sorted_boxes(query_set, queries);
  const std::vector<std::vector<Box>> of_database = sorted_boxes(database_set, database);
  parallel_for(queries_, threads > 0 ? threads : usable_threads(), [&](std::size_t q, int) {
    std::vector<double> weights;
    for (std::size_t d = 0; d < database_; ++d) {
      if (within && queries[q] == database[d]) continue;
      const RawScores scores = sorted_scores(of_queries[q], of_database[d], weights);
      Score& raw = raw_[q * database_ + d];
      raw = {static_cast<float>(scores.composition), static_cast<float>(scores.objects)};
      best_[q].composition = std::max(best_[q].composition, raw.composition);
      best_[q].objects = std::max(best_[q].objects, raw.objects);
    }
  });
}

double CompositionTable::composition(std::size_t query, std::size_t row) const {
  const float best = best_[query].composition;
  return best > 0 ? double(raw_[query * database_ + row].composition) / double(best) : 0;
}

double CompositionTable::recall(std::size_t query, std::size_t row) const {
  const float best = best_[query].objects;
  return best > 0 ? double(raw_[query * database_ + row].objects) / double(best) : 0;
}

std::vector<Ranking> oracle_rankings(const CompositionTable& table, std::span<const Ranking> rankings,
                                     std::size_t candidates) {
  std::vector<Ranking> result(rankings.begin(), rankings.end());
  for (std::size_t q = 0; q < result.size(); ++q) {
    Ranking& ranking = result[q];
    const std::size_t scored = candidates == 0 ? ranking.size() : std::min(candidates, ranking.size());
    for (std::size_t i = 0; i < scored; ++i)
      ranking[i].score = static_cast<float>(table.composition(q, ranking[i].row));
    std::sort(ranking.begin(), ranking.begin() + static_cast<std::ptrdiff_t>(scored));
  }
  return result;
}

CompositionAt composition_at(const CompositionTable& table, std::span<const Ranking> rankings, std::size_t k) {
  CompositionAt result;
  for (std::size_t q = 0; q < rankings.size(); ++q) {
    if (!table.has_match(q)) continue;
    double composition = 0;
    double recall = 0;
    for (std::size_t i = 0; i < std::min(k, rankings[q].size()); ++i) {
      composition = std::max(composition, table.composition(q, rankings[q][i].row));
      recall = std::max(recall, table.recall(q, rankings[q][i].row));
    }
    result.composition.push_back(composition);
    result.recall.push_back(recall);
  }
  return result;
}

}  // namespace tessera::eval
