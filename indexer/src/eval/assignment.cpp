// Maximum-weight bipartite matching by the Hungarian method with potentials.
#include <algorithm>
#include <limits>

#include "tessera/indexer/eval_composition.h"

namespace tessera::eval {
namespace {

// One augmenting path per row over reduced costs; rows <= columns. `weight(r, c)` >= 0.
template <typename Weight>
double matched_sum(std::size_t rows, std::size_t columns, const Weight& weight) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  constexpr std::size_t kNone = 0;  // rows and columns are numbered from 1; column 0 stands for the row to be placed
  std::vector<double> row_potential(rows + 1), column_potential(columns + 1), distance(columns + 1);
  std::vector<bool> done(columns + 1);
  std::vector<std::size_t> row_of(columns + 1, kNone), came_from(columns + 1, kNone);
  for (std::size_t row = 1; row <= rows; ++row) {
    row_of[0] = row;
    std::size_t column = 0;
    std::fill(distance.begin(), distance.end(), kInfinity);
    std::fill(done.begin(), done.end(), false);
    do {
      done[column] = true;
      const std::size_t from = row_of[column];
      double step = kInfinity;
      std::size_t next = 0;
      for (std::size_t c = 1; c <= columns; ++c) {
        if (done[c]) continue;
        const double reduced = -weight(from - 1, c - 1) - row_potential[from] - column_potential[c];
        if (reduced < distance[c]) {
          distance[c] = reduced;
          came_from[c] = column;
        }
        if (distance[c] < step) {
          step = distance[c];
          next = c;
        }
      }
      for (std::size_t c = 0; c <= columns; ++c) {
        if (done[c]) {
          row_potential[row_of[c]] += step;
          column_potential[c] -= step;
        } else {
          distance[c] -= step;
        }
      }
      column = next;
    } while (row_of[column] != kNone);
    while (column != 0) {
      row_of[column] = row_of[came_from[column]];
      column = came_from[column];
    }
  }
  double sum = 0;
  for (std::size_t c = 1; c <= columns; ++c) {
    if (row_of[c] != kNone) sum += weight(row_of[c] - 1, c - 1);
  }
  return sum;
}

}  // namespace

double best_matching(std::span<const double> weights, std::size_t rows, std::size_t columns) {
  if (rows == 0 || columns == 0) return 0;
  if (rows == 1 || columns == 1) return *std::max_element(weights.begin(), weights.end());
  if (rows <= columns) {
    return matched_sum(rows, columns, [&](std::size_t r, std::size_t c) { return weights[r * columns + c]; });
  }
  return matched_sum(columns, rows, [&](std::size_t r, std::size_t c) { return weights[c * columns + r]; });
}

}  // namespace tessera::eval
