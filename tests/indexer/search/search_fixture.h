// A small library in memory of the test, searched by plain arithmetic: the oracle of the two stages.
#pragma once

#include <algorithm>
#include <cmath>
#include <map>

#include "search/searcher.h"
#include "store/segment_fixture.h"

namespace tessera::test {

inline double weight(int token, int most) { return std::pow(1.0 - double(token) / most, 2); }

inline double dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += double(a[i]) * b[i];
  return sum;
}

// Token t of a row, dequantised, all of them from the codes (also token 0).
inline std::vector<float> code_token(const Segment& segment, std::uint32_t row, int t) {
  std::vector<float> v(std::size_t(segment.width()));
  decode_token_record(segment.token_records(row) + std::size_t(t) * token_record_bytes(segment.width()), v);
  return v;
}

// The documented formulas over dequantised tokens; `query` rows are unit vectors.
inline double oracle_rerank(RerankMethod method, const Segment& segment, std::uint32_t row,
                            const std::vector<std::vector<float>>& query, int budget) {
  const int most = segment.max_tokens();
  const int limit = budget > 0 ? budget : most;
  const int lq = std::min({int(query.size()), limit, most});
  const int ld = std::min(segment.token_count(row), limit);
  const auto cosine = [&](int i, int j) { return dot(query[std::size_t(i)], code_token(segment, row, j)); };
  if (method == RerankMethod::kAligned) {
    double sum = 0, weights = 0;
    for (int i = 0; i < std::min(lq, ld); ++i) {
      sum += weight(i, most) * cosine(i, i);
      weights += weight(i, most);
    }
    return sum / weights;
  }
  double a = 0, aw = 0, b = 0, bw = 0;
  for (int i = 0; i < lq; ++i) {
    double best = -2;
    for (int j = 0; j < ld; ++j) best = std::max(best, cosine(i, j));
    a += weight(i, most) * best;
    aw += weight(i, most);
  }
  for (int j = 0; j < ld; ++j) {
    double best = -2;
    for (int i = 0; i < lq; ++i) best = std::max(best, cosine(i, j));
    b += weight(j, most) * best;
    bw += weight(j, most);
  }
  return (a / aw + b / bw) / 2;
}

// Images around a few themes, so that neighbours mean something, in several segments with ids out of order.
class TestLibrary {
 public:
  TestLibrary(int width, int max_tokens, std::vector<int> rows, unsigned seed, int themes = 12)
      : width_(width), max_tokens_(max_tokens), maker_(width, max_tokens, seed) {
    for (int i = 0; i < themes; ++i) themes_.push_back(maker_.image(max_tokens));
    for (const int count : rows) add_segment(count);
  }

  TestImage themed() {
    TestImage made = maker_.image();
    const TestImage& theme = themes_[maker_.random()() % themes_.size()];
    for (std::size_t i = 0; i < made.tokens.size(); ++i) made.tokens[i] += theme.tokens[i];
    return made;
  }

  void add_segment(int count) {
    std::vector<TestImage> images;
    for (int i = 0; i < count; ++i) images.push_back(themed());
    const std::string name = std::to_string(parts_.size()) + ".seg";
    SearchPart part{write_segment(folder_ / name, test_spec(width_, max_tokens_), images), {}};
    for (int i = 0; i < count; ++i) part.ids.push_back(next_id_++);
    std::shuffle(part.ids.begin(), part.ids.end(), maker_.random());
    parts_.push_back(std::move(part));
  }

  // Deletes about this share of the rows; returns how many.
  int delete_rows(double share) {
    int deleted = 0;
    for (SearchPart& part : parts_) {
      for (ImageId& id : part.ids) {
        if (id <= 0 || maker_.random()() % 1000 >= share * 1000) continue;
        id = maker_.random()() % 2 == 0 ? 0 : -id;
        ++deleted;
      }
    }
    return deleted;
  }

  Query query() {
    const TestImage image = themed();
    return {{{image.tokens, image.count, 1.0f}}, width_};
  }

  std::vector<std::shared_ptr<const Segment>> segments() const {
    std::vector<std::shared_ptr<const Segment>> result;
    for (const SearchPart& part : parts_) result.push_back(part.segment);
    return result;
  }

  int width() const { return width_; }
  std::vector<SearchPart>& parts() { return parts_; }
  TemporaryFolder& folder() { return folder_; }
  ImageMaker& maker() { return maker_; }

 private:
  int width_;
  int max_tokens_;
  TemporaryFolder folder_;
  ImageMaker maker_;
  std::vector<TestImage> themes_;
  std::vector<SearchPart> parts_;
  ImageId next_id_ = 1;
};

inline std::vector<std::vector<float>> unit_tokens(const Query& query) {
  std::vector<std::vector<float>> result;
  const QueryPart& part = query.parts.front();
  for (int t = 0; t < part.token_count; ++t) {
    const std::size_t width = std::size_t(query.width);
    result.push_back(normalised(std::span(part.tokens).subspan(std::size_t(t) * width, width)));
  }
  return result;
}

// Both stages by brute force for a query of one part.
inline std::vector<SearchHit> oracle_search(const std::vector<SearchPart>& parts, const Query& query,
                                            const SearchOptions& options,
                                            const std::function<bool(ImageId)>& wanted = {}) {
  struct Row {
    SearchHit hit;
    const Segment* segment;
    std::uint32_t row;
  };
  const auto tokens = unit_tokens(query);
  std::vector<Row> rows;
  for (const SearchPart& part : parts) {
    for (std::uint32_t row = 0; row < part.segment->rows(); ++row) {
      const ImageId id = part.ids[row];
      if (id <= 0 || std::count(options.exclude.begin(), options.exclude.end(), id) > 0) continue;
      if (wanted && !wanted(id)) continue;
      std::vector<float> v(tokens[0].size());
      part.segment->decode_coarse(row, v);
      Row made{{}, part.segment.get(), row};
      made.hit.id = id;
      made.hit.coarse_score = static_cast<float>(dot(tokens[0], v));
      rows.push_back(made);
    }
  }
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return a.hit.coarse_score != b.hit.coarse_score ? a.hit.coarse_score > b.hit.coarse_score : a.hit.id < b.hit.id;
  });
  const bool rerank = options.rerank != RerankMethod::kNone;
  rows.resize(std::min(rows.size(), std::size_t(rerank ? std::max(options.k, options.candidates) : options.k)));
  std::vector<SearchHit> hits;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    SearchHit hit = rows[r].hit;
    hit.coarse_rank = static_cast<int>(r);
    hit.rerank_score =
        rerank
            ? static_cast<float>(oracle_rerank(options.rerank, *rows[r].segment, rows[r].row, tokens, options.tokens))
            : hit.coarse_score;
    hit.score = rerank ? (1 - options.rerank_weight) * hit.coarse_score + options.rerank_weight * hit.rerank_score
                       : hit.coarse_score;
    hits.push_back(hit);
  }
  std::stable_sort(hits.begin(), hits.end(), [](const SearchHit& a, const SearchHit& b) { return a.score > b.score; });
  hits.resize(std::min(hits.size(), std::size_t(options.k)));
  return hits;
}

}  // namespace tessera::test
