// Agglomerative clustering by the nearest-neighbour chain.
#include "analyse/linkage.h"

#include <algorithm>
#include <numeric>

namespace tessera {
namespace {

// Similarities of all pairs, below the diagonal.
class PairTable {
 public:
  PairTable(const VectorSet& vectors, int threads, const std::stop_token& stop)
      : values_(vectors.size() * (vectors.size() - 1) / 2) {
    parallel_for(vectors.size() - 1, threads, [&](std::size_t i, int) {
      stop_if_asked(stop);
      const std::size_t row = vectors.size() - 1 - i;  // the longest first
      std::vector<Dot> dots(row);
      dot_kernels().dot_rows(vectors.row(row), vectors.row(0), vectors.stride(), row, dots.data());
      for (std::size_t j = 0; j < row; ++j) at(row, j) = similarity_of(dots[j]);
    });
  }
  float& at(std::size_t a, std::size_t b) noexcept {
    const auto [small, large] = std::minmax(a, b);
    return values_[large * (large - 1) / 2 + small];
  }

 private:
  std::vector<float> values_;
};

std::size_t root_of(std::vector<std::size_t>& parents, std::size_t row) {
  while (parents[row] != row) {
    parents[row] = parents[parents[row]];
    row = parents[row];
  }
  return row;
}

}  // namespace

std::vector<Merge> linkage_merges(const VectorSet& vectors, bool complete, int threads, const std::stop_token& stop) {
  const std::size_t rows = vectors.size();
  std::vector<Merge> merges;
  if (rows < 2) return merges;
  PairTable table(vectors, threads, stop);
  std::vector<std::size_t> sizes(rows, 1);
  std::vector<std::size_t> live(rows);  // rows that stand for a group, ascending
  std::iota(live.begin(), live.end(), std::size_t{0});
  std::vector<std::size_t> chain;
  while (live.size() > 1) {
    stop_if_asked(stop);
    if (chain.empty()) chain.push_back(live.front());
    const std::size_t tip = chain.back();
    // The one before in the chain wins ties, so that the chain ends.
    std::size_t next = chain.size() > 1 ? chain[chain.size() - 2] : rows;
    float most = next == rows ? -2.0f : table.at(tip, next);
    for (const std::size_t other : live) {
      if (other == tip) continue;
      if (const float similarity = table.at(tip, other); similarity > most) {
        most = similarity;
        next = other;
      }
    }
    if (chain.size() < 2 || next != chain[chain.size() - 2]) {
      chain.push_back(next);
      continue;
    }
    chain.resize(chain.size() - 2);
    const std::size_t kept = std::min(tip, next);
    const std::size_t gone = std::max(tip, next);
    merges.push_back({kept, gone, most});
    const auto of_kept = static_cast<double>(sizes[kept]);
    const auto of_gone = static_cast<double>(sizes[gone]);
    live.erase(std::lower_bound(live.begin(), live.end(), gone));
    for (const std::size_t other : live) {
      if (other == kept) continue;
      float& value = table.at(kept, other);
      const float merged = table.at(gone, other);
      value = complete ? std::min(value, merged)
                       : static_cast<float>((of_kept * double(value) + of_gone * double(merged)) / (of_kept + of_gone));
    }
    sizes[kept] += sizes[gone];
  }
  std::stable_sort(merges.begin(), merges.end(),
                   [](const Merge& a, const Merge& b) { return a.similarity > b.similarity; });
  return merges;
}

Partition cut_merges(const std::vector<Merge>& merges, std::size_t rows, std::size_t groups) {
  std::vector<std::size_t> parents(rows);
  std::iota(parents.begin(), parents.end(), std::size_t{0});
  const std::size_t count = rows - std::min(rows, groups);
  for (std::size_t m = 0; m < count; ++m) {
    const std::size_t a = root_of(parents, merges[m].a);
    const std::size_t b = root_of(parents, merges[m].b);
    parents[std::max(a, b)] = std::min(a, b);
  }
  Partition partition{0, std::vector<std::uint32_t>(rows)};
  for (std::size_t row = 0; row < rows; ++row) {
    const std::size_t root = root_of(parents, row);
    partition.group[row] = root == row ? static_cast<std::uint32_t>(partition.groups++) : partition.group[root];
  }
  return partition;
}

}  // namespace tessera
