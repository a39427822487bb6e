// How vectors become bytes: f16 coarse vectors, int8 coarse codes with an error bound, int8 token codes.
#include "store/token_codec.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "store/half.h"
#include "tessera/token_code.h"

namespace tessera {
namespace {

double squared_norm(std::span<const float> vector) noexcept {
  double sum = 0;
  for (const float x : vector) sum += double(x) * x;
  return sum;
}

std::size_t padded_width(int width) noexcept { return (std::size_t(width) + 15) / 16 * 16; }

}  // namespace

bool has_direction(std::span<const float> vector) noexcept {
  float largest = 0;
  for (const float x : vector) {
    if (!std::isfinite(x)) return false;
    largest = std::max(largest, std::fabs(x));
  }
  return largest > kLeastMagnitude;
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

std::size_t token_record_bytes(int width) noexcept { return padded_width(width) + sizeof(float); }

float token_record_scale(const std::byte* record, int width) noexcept {
  float scale;
  std::memcpy(&scale, record + padded_width(width), sizeof scale);
  return scale;
}

void write_token_record(std::span<const std::int8_t> codes, float scale, std::byte* record) noexcept {
  const int width = static_cast<int>(codes.size());
  std::memset(record, 0, token_record_bytes(width));
  std::memcpy(record, codes.data(), codes.size());
  std::memcpy(record + padded_width(width), &scale, sizeof scale);
}

void write_token_record(std::span<const float> vector, std::byte* record) noexcept {
  std::vector<std::int8_t> codes(vector.size());
  const float scale = code_token(vector, codes);
  write_token_record(codes, scale, record);
}

void decode_token_record(const std::byte* record, std::span<float> vector) noexcept {
  const float scale = token_record_scale(record, static_cast<int>(vector.size()));
  const auto* codes = reinterpret_cast<const std::int8_t*>(record);
  for (std::size_t i = 0; i < vector.size(); ++i) vector[i] = scale * codes[i];
}

}  // namespace tessera
