// The second stage: scoring candidates by their sets of ordered tokens.
#include "search/rerank.h"

#include <algorithm>
#include <cmath>

#include "search/parallel.h"

namespace tessera {
namespace {

constexpr std::size_t kGrain = 16;  // candidates per piece of work

class TokenScorer {
 public:
  TokenScorer(const CombinedQuery& query, const RerankOptions& options)
      : options_(options), kernels_(kernels(options.simd)) {
    const int count = options.tokens > 0 ? std::min(options.tokens, query.token_count) : query.token_count;
    for (int t = 0; t < std::min(count, kMaxStoredTokens); ++t) {
      const auto width = static_cast<std::size_t>(query.width);
      tokens_.emplace_back(std::span(query.tokens).subspan(std::size_t(t) * width, width));
    }
  }

  float score(const Segment& segment, std::uint32_t row) const {
    const int most = segment.max_tokens();
    const int of_query = std::min(static_cast<int>(tokens_.size()), most);
    int of_image = segment.token_count(row);
    if (options_.tokens > 0) of_image = std::min(of_image, options_.tokens);
    const double score = options_.method == RerankMethod::kAligned
                             ? aligned(segment, row, std::min(of_query, of_image), most)
                             : max_sim(segment, row, of_query, of_image, most);
    return static_cast<float>(std::clamp(score, -1.0, 1.0));
  }

 private:
  static double weight(int token, int most) {
    const double kept = 1.0 - double(token) / most;
    return kept * kept;
  }

  double aligned(const Segment& segment, std::uint32_t row, int count, int most) const {
    const std::size_t stride = token_record_bytes(segment.width());
    const std::byte* record = segment.token_records(row);
    double sum = 0, weights = 0;
    for (int t = 0; t < count; ++t, record += stride) {
      std::int64_t dot = 0;
      const QueryCodes& query = tokens_[std::size_t(t)];
      kernels_.dot_codes(query, reinterpret_cast<const std::int8_t*>(record), stride, 1, &dot);
      const double w = weight(t, most);
      sum += w * cosine(dot, query, record, segment.width());
      weights += w;
    }
    return sum / weights;
  }

  double max_sim(const Segment& segment, std::uint32_t row, int of_query, int of_image, int most) const {
    const std::size_t stride = token_record_bytes(segment.width());
    const std::byte* records = segment.token_records(row);
    std::vector<std::int64_t> dots(static_cast<std::size_t>(of_image));
    std::vector<double> best_of_image(static_cast<std::size_t>(of_image), -1.0);
    double query_sum = 0, query_weights = 0;
    for (int i = 0; i < of_query; ++i) {
      const QueryCodes& query = tokens_[std::size_t(i)];
      kernels_.dot_codes(query, reinterpret_cast<const std::int8_t*>(records), stride, std::size_t(of_image),
                         dots.data());
      double best = -1.0;
      for (std::size_t j = 0; j < dots.size(); ++j) {
        const double value = cosine(dots[j], query, records + j * stride, segment.width());
        best = std::max(best, value);
        best_of_image[j] = std::max(best_of_image[j], value);
      }
      query_sum += weight(i, most) * best;
      query_weights += weight(i, most);
    }
    double image_sum = 0, image_weights = 0;
    for (int j = 0; j < of_image; ++j) {
      image_sum += weight(j, most) * best_of_image[std::size_t(j)];
      image_weights += weight(j, most);
    }
    return (query_sum / query_weights + image_sum / image_weights) / 2;
  }

  static double cosine(std::int64_t dot, const QueryCodes& query, const std::byte* record, int width) {
    return double(dot) * query.scale() * token_record_scale(record, width);
  }

  const RerankOptions& options_;
  const Kernels& kernels_;
  std::vector<QueryCodes> tokens_;
};

void prefetch(std::span<const ScanSource> sources, std::span<const ScanHit> candidates, int tokens) {
  std::vector<std::vector<std::uint32_t>> rows(sources.size());
  for (const ScanHit& hit : candidates) rows[hit.source].push_back(hit.row);
  for (std::size_t s = 0; s < sources.size(); ++s) {
    std::sort(rows[s].begin(), rows[s].end());
    sources[s].segment->prefetch_tokens(rows[s], tokens);
  }
}

}  // namespace

std::vector<float> rerank_scores(std::span<const ScanSource> sources, const CombinedQuery& query,
                                 std::span<const ScanHit> candidates, const RerankOptions& options) {
  std::vector<float> scores(candidates.size());
  if (options.method == RerankMethod::kNone) {
    for (std::size_t c = 0; c < candidates.size(); ++c) scores[c] = candidates[c].score;
    return scores;
  }
  prefetch(sources, candidates, options.tokens);
  const TokenScorer scorer(query, options);
  const int threads = options.threads > 0 ? options.threads : usable_threads();
  parallel_for((candidates.size() + kGrain - 1) / kGrain, threads, [&](std::size_t piece, int) {
    const std::size_t end = std::min(candidates.size(), (piece + 1) * kGrain);
    for (std::size_t c = piece * kGrain; c < end; ++c) {
      scores[c] = scorer.score(*sources[candidates[c].source].segment, candidates[c].row);
    }
  });
  return scores;
}

}  // namespace tessera
