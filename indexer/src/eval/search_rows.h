// What the measures share: the rows that are asked, their rankings by each descriptor and each second stage.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tessera/indexer/eval_measures.h"

namespace tessera::eval {

// The rows that are asked, and what they are asked of.
class SearchRows {
 public:
  SearchRows(const Sides& sides, const MeasureOptions& options);

  bool within() const { return !sides_.gallery; }
  const Side& gallery() const { return sides_.gallery ? *sides_.gallery : sides_.queries; }
  const std::vector<std::size_t>& rows() const { return rows_; }
  std::size_t descriptors() const { return sides_.queries.features.vectors.size(); }
  const VectorTable& table(std::size_t d) const { return sides_.queries.features.vectors[d]; }

  std::vector<Ranking> ranked(std::size_t descriptor, std::size_t k) const;
  std::vector<Ranking> reranked(const std::vector<Ranking>& rankings, const TokenMatchOptions& match) const;

  std::vector<std::size_t> query_pictures() const;
  std::vector<int> query_labels() const;
  std::vector<int> gallery_labels() const;

  // A descriptor, or a second stage over the rankings of the first descriptor.
  struct Row {
    std::string name;
    int tokens = 0;
    const std::vector<Ranking>& rankings;
    std::function<float(std::size_t query, std::size_t row)> score;  // of any row of the gallery with query i of rows()
  };
  // Each descriptor, its k nearest, and then each second stage.
  void for_each_row(std::size_t k, const std::function<void(const Row&)>& use) const;

 private:
  const Sides& sides_;
  const MeasureOptions& options_;
  std::vector<std::size_t> rows_;
};

// In per cent.
Interval per_cent(std::span<const double> shares, std::uint64_t seed);

}  // namespace tessera::eval
