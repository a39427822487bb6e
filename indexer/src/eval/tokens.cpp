// Tokens and summaries of an encoder as tables of unit vectors, and the descriptors made of them.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "eval/token_cache.h"
#include "store/token_codec.h"
#include "tessera/error.h"
#include "tessera/indexer/eval_descriptors.h"

namespace tessera::eval {
namespace {

constexpr int kPatch = 16;

// To unit length; what has no direction becomes zeros.
void make_unit(std::span<float> vector) {
  double norm = 0;
  for (const float x : vector) norm += double(x) * x;
  norm = std::sqrt(norm);
  const bool direction = std::isfinite(norm) && norm > 1e-30;
  for (float& x : vector) x = direction ? static_cast<float>(x / norm) : 0.0f;
}

// What one picture gave, until all are there.
struct PictureTokens {
  int count = 0;
  std::vector<float> values;
  std::vector<float> summary;
};

PictureSource with_a_token(const PictureSource& source) {
  return [&source](std::size_t index, const ResizeSpec& resize) {
    Image image = source(index, resize);
    if ((image.width / kPatch) * (image.height / kPatch) < 4) {
      throw Error(ErrorCode::kUnsupported, "at " + std::to_string(image.width) + " x " + std::to_string(image.height) +
                                               " pixels it is too small for a token");
    }
    return image;
  };
}

PictureTokens take(const EncodedBatch& encoded, int image, const std::vector<int>& slots) {
  PictureTokens result;
  const auto width = static_cast<std::size_t>(encoded.width);
  const std::span<const float> tokens = encoded.image_tokens(image);
  result.count = encoded.token_count;
  result.values.assign(tokens.begin(), tokens.end());
  for (int t = 0; t < result.count; ++t) make_unit(std::span(result.values).subspan(std::size_t(t) * width, width));
  const std::span<const float> prefix = encoded.image_prefix(image);
  for (const int slot : slots) {
    const auto token = prefix.subspan(std::size_t(slot) * width, width);
    result.summary.insert(result.summary.end(), token.begin(), token.end());
  }
  make_unit(result.summary);
  return result;
}

std::size_t position(std::span<const std::size_t> ascending, std::size_t value) {
  return static_cast<std::size_t>(std::lower_bound(ascending.begin(), ascending.end(), value) - ascending.begin());
}

}  // namespace

TokenTable extract_tokens(std::span<const std::size_t> pictures, const PictureSource& source, ImageEncoder& encoder,
                          const TokenOptions& tokens, const BatchOptions& options) {
  if (tokens.tokens < 1) throw Error(ErrorCode::kInvalidArgument, "at least one token is needed");
  if (!std::is_sorted(pictures.begin(), pictures.end())) {
    throw Error(ErrorCode::kInvalidArgument, "pictures must be in ascending order");
  }
  std::vector<PictureTokens> taken(pictures.size());
  TokenTable table;
  table.tokens = tokens.tokens;
  table.width = encoder.info().token_width;
  table.summary_width = table.width * static_cast<int>(tokens.summary_slots.size());
  table.failures = for_each_batch(pictures, with_a_token(source), options,
                                  [&](std::span<const std::size_t> numbers, std::span<const Image> images) {
                                    const EncodedBatch encoded = encoder.encode(images, tokens.tokens);
                                    for (std::size_t i = 0; i < numbers.size(); ++i) {
                                      taken[position(pictures, numbers[i])] =
                                          take(encoded, static_cast<int>(i), tokens.summary_slots);
                                    }
                                  });
  for (std::size_t p = 0; p < pictures.size(); ++p) {
    PictureTokens& from = taken[p];
    if (from.count == 0) continue;
    table.pictures.push_back(pictures[p]);
    table.counts.push_back(from.count);
    from.values.resize(std::size_t(table.tokens) * std::size_t(table.width));
    table.values.insert(table.values.end(), from.values.begin(), from.values.end());
    table.summary.insert(table.summary.end(), from.summary.begin(), from.summary.end());
    from = {};
  }
  return table;
}

TokenTable extract_tokens(const EvalSet& set, const std::string& hash, ImageEncoder& encoder,
                          const TokenOptions& tokens, const BatchOptions& options) {
  std::vector<std::size_t> pictures(set.pictures.size());
  std::iota(pictures.begin(), pictures.end(), std::size_t{0});
  if (tokens.cache.empty()) return extract_tokens(pictures, file_source(set), encoder, tokens, options);
  const TokenCache cache(tokens.cache, cache_key(encoder.info(), hash, tokens, options));
  if (auto found = cache.read()) return std::move(*found);
  TokenTable table = extract_tokens(pictures, file_source(set), encoder, tokens, options);
  cache.write(table);
  return table;
}

void store_as_library(TokenTable& table) {
  const auto width = static_cast<std::size_t>(table.width);
  std::vector<std::byte> record(token_record_bytes(table.width));
  for (std::size_t r = 0; r < table.rows(); ++r) {
    for (int t = 0; t < table.counts[r]; ++t) {
      const auto at = std::span(table.values).subspan((r * std::size_t(table.tokens) + std::size_t(t)) * width, width);
      if (!has_direction(at)) continue;
      write_token_record(at, record.data());
      decode_token_record(record.data(), at);
    }
  }
}

double token_weight(int token, int most, double power) { return std::pow(1.0 - double(token) / most, power); }

VectorTable describe(const TokenTable& table, const Descriptor& descriptor, double weight_power) {
  VectorTable result;
  result.name = descriptor_name(descriptor);
  if (descriptor.kind == Descriptor::Kind::kSummary) {
    if (table.summary_width == 0) throw Error(ErrorCode::kInvalidArgument, "the model has no summary tokens");
    result.width = table.summary_width;
    result.values = table.summary;
    return result;
  }
  const int count = descriptor.kind == Descriptor::Kind::kTokens ? descriptor.tokens : 1;
  if (count < 1 || count > table.tokens) {
    throw Error(ErrorCode::kInvalidArgument,
                result.name + " needs more tokens than the " + std::to_string(table.tokens) + " that were extracted");
  }
  const auto width = static_cast<std::size_t>(table.width);
  result.width = count * table.width;
  result.values.reserve(table.rows() * std::size_t(result.width));
  for (std::size_t r = 0; r < table.rows(); ++r) {
    const std::size_t start = result.values.size();
    for (int t = 0; t < count; ++t) {
      const double scale = std::sqrt(token_weight(t, table.tokens, weight_power));
      for (const float x : table.token(r, t)) result.values.push_back(static_cast<float>(scale * x));
    }
    make_unit(std::span(result.values).subspan(start, std::size_t(count) * width));
  }
  return result;
}

}  // namespace tessera::eval
