// Why a picture was found: occlusion maps of query and result, and which tiles are alike.
#include "tessera/indexer/explain.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "search/query.h"
#include "tessera/error.h"
#include "tessera/resize.h"

namespace tessera {
namespace {

struct TileRect {
  int left = 0;
  int top = 0;
  int right = 0;
  int bottom = 0;
};

class Tiles {
 public:
  Tiles(const Image& image, int grid) : width_(image.width), height_(image.height) {
    const double longer = std::max(width_, height_);
    columns_ = std::clamp(static_cast<int>(std::lround(grid * width_ / longer)), 1, width_);
    rows_ = std::clamp(static_cast<int>(std::lround(grid * height_ / longer)), 1, height_);
  }
  int columns() const { return columns_; }
  int rows() const { return rows_; }
  int count() const { return columns_ * rows_; }

  // The tile, and so many tiles more on each side.
  TileRect rect(int tile, double margin) const {
    const auto edge = [](double position, int tiles, int pixels) {
      return std::clamp(static_cast<int>(std::lround(position * pixels / tiles)), 0, pixels);
    };
    const int column = tile % columns_, row = tile / columns_;
    return {edge(column - margin, columns_, width_), edge(row - margin, rows_, height_),
            edge(column + 1 + margin, columns_, width_), edge(row + 1 + margin, rows_, height_)};
  }

 private:
  int width_;
  int height_;
  int columns_ = 1;
  int rows_ = 1;
};

std::array<std::uint8_t, 3> mean_color(const Image& image) {
  std::array<std::uint64_t, 3> sum{};
  for (std::size_t i = 0; i < image.rgb.size(); ++i) sum[i % 3] += image.rgb[i];
  const std::uint64_t pixels = std::max<std::uint64_t>(image.rgb.size() / 3, 1);
  return {static_cast<std::uint8_t>(sum[0] / pixels), static_cast<std::uint8_t>(sum[1] / pixels),
          static_cast<std::uint8_t>(sum[2] / pixels)};
}

Image covered(const Image& image, const TileRect& rect, const std::array<std::uint8_t, 3>& color) {
  Image result = image;
  for (int y = rect.top; y < rect.bottom; ++y) {
    for (int x = rect.left; x < rect.right; ++x) {
      std::copy(color.begin(), color.end(),
                &result.rgb[(std::size_t(y) * std::size_t(image.width) + std::size_t(x)) * 3]);
    }
  }
  return result;
}

// Encodes many variants of pictures of one size in batches, and counts them.
class Variants {
 public:
  Variants(ImageEncoder& encoder, int batch, int total, const ExplainObserver& observer, std::stop_token stop)
      : encoder_(encoder), batch_(batch), total_(total), observer_(observer), stop_(std::move(stop)) {}

  // make(i) for i < count, one at a time and never more than a batch in memory.
  template <typename Make>
  std::vector<QueryPart> encode(int count, int tokens, const Make& make) {
    std::vector<QueryPart> parts;
    for (int first = 0; first < count; first += batch_) {
      if (stop_.stop_requested()) throw Error(ErrorCode::kCancelled, "the explanation was cancelled");
      std::vector<Image> images;
      for (int i = first; i < std::min(count, first + batch_); ++i) images.push_back(make(i));
      const EncodedBatch encoded = encoder_.encode(images, tokens);
      if (encoded.token_count < 1) throw Error(ErrorCode::kInvalidArgument, "the pictures are too small for a token");
      for (int i = 0; i < encoded.batch; ++i) {
        const auto values = encoded.image_tokens(i);
        parts.push_back({{values.begin(), values.end()}, encoded.token_count, 1.0F});
      }
      done_ += encoded.batch;
      if (observer_) observer_(done_, total_);
    }
    return parts;
  }

 private:
  ImageEncoder& encoder_;
  int batch_;
  int total_;
  const ExplainObserver& observer_;
  std::stop_token stop_;
  int done_ = 0;
};

double cosine(const CombinedQuery& a, int i, const CombinedQuery& b, int j) {
  const auto width = static_cast<std::size_t>(a.width);
  double sum = 0;
  for (std::size_t d = 0; d < width; ++d) {
    sum += double(a.tokens[std::size_t(i) * width + d]) * double(b.tokens[std::size_t(j) * width + d]);
  }
  return sum;
}

double weight(int token, int most) {
  const double kept = 1.0 - double(token) / most;
  return kept * kept;
}

double aligned_score(const CombinedQuery& query, const CombinedQuery& image, int count, int most) {
  double sum = 0, weights = 0;
  for (int t = 0; t < count; ++t) {
    sum += weight(t, most) * cosine(query, t, image, t);
    weights += weight(t, most);
  }
  return sum / weights;
}

// One direction: the best match of each token of `from` in `to`.
double best_matches(const CombinedQuery& from, int from_count, const CombinedQuery& to, int to_count, int most) {
  double sum = 0, weights = 0;
  for (int i = 0; i < from_count; ++i) {
    double best = -1.0;
    for (int j = 0; j < to_count; ++j) best = std::max(best, cosine(from, i, to, j));
    sum += weight(i, most) * best;
    weights += weight(i, most);
  }
  return sum / weights;
}

MatchScore combined_score(const CombinedQuery& query, const CombinedQuery& image, const SearchOptions& options,
                          int most) {
  MatchScore match;
  match.coarse_score = static_cast<float>(cosine(query, 0, image, 0));
  const int limit = options.tokens > 0 ? std::min(options.tokens, most) : most;
  const int of_query = std::min(query.token_count, limit), of_image = std::min(image.token_count, limit);
  double rerank = match.coarse_score;
  if (options.rerank == RerankMethod::kAligned) {
    rerank = aligned_score(query, image, std::min(of_query, of_image), most);
  } else if (options.rerank == RerankMethod::kMaxSim) {
    rerank =
        (best_matches(query, of_query, image, of_image, most) + best_matches(image, of_image, query, of_query, most)) /
        2;
  }
  match.rerank_score = static_cast<float>(std::clamp(rerank, -1.0, 1.0));
  const double share = options.rerank == RerankMethod::kNone ? 0.0 : double(options.rerank_weight);
  match.score = static_cast<float>((1 - share) * double(match.coarse_score) + share * double(match.rerank_score));
  return match;
}

CombinedQuery unit_tokens(const QueryPart& part, int width) { return combine_query({{part}, width}); }

void check(const ExplainOptions& options) {
  const auto require = [](bool condition, const char* message) {
    if (!condition) throw Error(ErrorCode::kInvalidArgument, message);
  };
  require(options.grid >= 2 && options.grid <= 16, "an explanation has 2 to 16 tiles along the longer side");
  require(options.margin >= 0 && options.margin <= 4, "the cover of a tile reaches 0 to 4 tiles beyond it");
  require(options.batch >= 1, "a batch needs at least one picture");
  require(options.stored_tokens >= 1, "an explanation needs the number of tokens that are stored");
}

// How much the score falls below `whole` when a tile of `image` is covered.
TileMap falls(Variants& variants, const Image& image, const Tiles& tiles, const ExplainOptions& options, float whole,
              const std::function<float(const QueryPart&)>& score) {
  const auto color = mean_color(image);
  const auto parts = variants.encode(tiles.count(), options.stored_tokens,
                                     [&](int tile) { return covered(image, tiles.rect(tile, options.margin), color); });
  TileMap map{tiles.columns(), tiles.rows(), {}};
  for (const QueryPart& part : parts) map.values.push_back(whole - score(part));
  return map;
}

std::vector<CombinedQuery> crop_tokens(Variants& variants, const Image& image, const Tiles& tiles,
                                       const ExplainOptions& options, int width) {
  const auto parts = variants.encode(tiles.count(), 1, [&](int tile) {
    const TileRect rect = tiles.rect(tile, options.margin);
    const Image crop = crop_image(image, rect.left, rect.top, rect.right - rect.left, rect.bottom - rect.top);
    return resize_bicubic(crop, image.width, image.height);
  });
  std::vector<CombinedQuery> tokens;
  for (const QueryPart& part : parts) tokens.push_back(unit_tokens(part, width));
  return tokens;
}

}  // namespace

MatchScore match_score(const QueryPart& query, const QueryPart& image, int width, const SearchOptions& options,
                       int most) {
  return combined_score(unit_tokens(query, width), unit_tokens(image, width), options, most);
}

MatchExplanation explain_match(ImageEncoder& encoder, const Image& query, const Image& result,
                               const ExplainOptions& options, const ExplainObserver& observer, std::stop_token stop) {
  check(options);
  const Tiles query_tiles(query, options.grid), result_tiles(result, options.grid);
  const int total = 2 * (1 + query_tiles.count() + result_tiles.count());
  Variants variants(encoder, options.batch, total, observer, std::move(stop));
  const int width = encoder.info().token_width;
  const auto whole = [&](const Image& image) {
    return unit_tokens(variants.encode(1, options.stored_tokens, [&](int) { return image; }).front(), width);
  };
  const CombinedQuery query_tokens = whole(query), result_tokens = whole(result);

  MatchExplanation explanation;
  explanation.score = combined_score(query_tokens, result_tokens, options.search, options.stored_tokens);
  explanation.result =
      falls(variants, result, result_tiles, options, explanation.score.score, [&](const QueryPart& part) {
        return combined_score(query_tokens, unit_tokens(part, width), options.search, options.stored_tokens).score;
      });
  explanation.query = falls(variants, query, query_tiles, options, explanation.score.score, [&](const QueryPart& part) {
    return combined_score(unit_tokens(part, width), result_tokens, options.search, options.stored_tokens).score;
  });
  const auto query_crops = crop_tokens(variants, query, query_tiles, options, width);
  for (const CombinedQuery& crop : crop_tokens(variants, result, result_tiles, options, width)) {
    TileMatch best{0, -2.0F};
    for (std::size_t q = 0; q < query_crops.size(); ++q) {
      const auto similarity = static_cast<float>(cosine(crop, 0, query_crops[q], 0));
      if (similarity > best.similarity) best = {static_cast<int>(q), similarity};
    }
    explanation.matches.push_back(best);
  }
  return explanation;
}

}  // namespace tessera
