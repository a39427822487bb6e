// How vectors become bytes: f16 coarse vectors, int8 coarse codes with an error bound, int8 token codes.
#include "store/token_codec.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "store/half.h"

namespace tessera {
namespace {

double squared_norm(std::span<const float> vector) noexcept {
  double sum = 0;
  for (const float x : vector) sum += double(x) * x;
  return sum;
}

// Rounds x * factor to [-127, 127]; `factor` maps the largest magnitude to 127.
void round_codes(std::span<const float> vector, double factor, std::span<std::int8_t> codes) noexcept {
  for (std::size_t i = 0; i < vector.size(); ++i) {
    codes[i] = static_cast<std::int8_t>(std::clamp(std::nearbyint(vector[i] * factor), -127.0, 127.0));
  }
}

float largest_magnitude(std::span<const float> vector) noexcept {
  float largest = 0;
  for (const float x : vector) largest = std::max(largest, std::fabs(x));
  return largest;
}

std::size_t padded_width(int width) noexcept { return (std::size_t(width) + 15) / 16 * 16; }

}  // namespace

bool has_direction(std::span<const float> vector) noexcept {
  const double norm = squared_norm(vector);  // NaN and infinity propagate into it
  return std::isfinite(norm) && norm > 1e-60;
}

void encode_coarse_half(std::span<const float> vector, std::span<std::uint16_t> half) noexcept {
  const double inverse = 1.0 / std::sqrt(squared_norm(vector));
  for (std::size_t i = 0; i < vector.size(); ++i) half[i] = float_to_half(static_cast<float>(vector[i] * inverse));
}

CodeScale encode_coarse_codes(std::span<const std::uint16_t> half, std::span<std::int8_t> codes) noexcept {
  float largest = 0;
  for (const std::uint16_t h : half) largest = std::max(largest, std::fabs(half_to_float(h)));
  if (!(largest > 0)) {
    std::fill(codes.begin(), codes.end(), std::int8_t{0});
    return {};
  }
  const double factor = 127.0 / largest;
  double dot = 0, norm = 0;
  for (std::size_t i = 0; i < half.size(); ++i) {
    const double value = half_to_float(half[i]);
    codes[i] = static_cast<std::int8_t>(std::clamp(std::nearbyint(value * factor), -127.0, 127.0));
    dot += value * codes[i];
    norm += double(codes[i]) * codes[i];
  }
  CodeScale result;
  result.scale = static_cast<float>(dot / norm);
  double error = 0;
  for (std::size_t i = 0; i < half.size(); ++i) {
    const double difference = half_to_float(half[i]) - double(result.scale) * codes[i];
    error += difference * difference;
  }
  result.error = std::nextafter(static_cast<float>(std::sqrt(error) * (1 + 1e-6)), std::numeric_limits<float>::max());
  return result;
}

float encode_token(std::span<const float> vector, std::span<std::int8_t> codes) noexcept {
  const float largest = largest_magnitude(vector);
  if (!has_direction(vector) || !(largest > 0)) {
    std::fill(codes.begin(), codes.end(), std::int8_t{0});
    return 0;
  }
  round_codes(vector, 127.0 / largest, codes);
  double norm = 0;
  for (const std::int8_t c : codes) norm += double(c) * c;
  return static_cast<float>(1.0 / std::sqrt(norm));
}

std::size_t token_record_bytes(int width) noexcept { return padded_width(width) + sizeof(float); }

float token_record_scale(const std::byte* record, int width) noexcept {
  float scale;
  std::memcpy(&scale, record + padded_width(width), sizeof scale);
  return scale;
}

void write_token_record(std::span<const float> vector, std::byte* record) noexcept {
  const int width = static_cast<int>(vector.size());
  std::memset(record, 0, token_record_bytes(width));
  auto* codes = reinterpret_cast<std::int8_t*>(record);
  const float scale = encode_token(vector, {codes, vector.size()});
  std::memcpy(record + padded_width(width), &scale, sizeof scale);
}

void decode_token_record(const std::byte* record, std::span<float> vector) noexcept {
  const float scale = token_record_scale(record, static_cast<int>(vector.size()));
  const auto* codes = reinterpret_cast<const std::int8_t*>(record);
  for (std::size_t i = 0; i < vector.size(); ++i) vector[i] = scale * codes[i];
}

}  // namespace tessera
