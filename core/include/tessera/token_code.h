// int8 codes of tokens: what is stored of a token, and what an encoder gives where nothing else is asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tessera {

// Below this a vector has no direction: nothing that a model gives is so small throughout.
inline constexpr float kLeastMagnitude = 1e-30f;

// Codes in [-127, 127] of the vector's direction: x * (127 / largest magnitude), rounded to nearest even in double.
// The returned scale, 1 / |codes|_2, makes scale * codes a unit vector, so that scale * <q, codes> is the cosine to a
// unit query. Codes are all 0 and the scale is 0 for a vector without direction, NaN for one with a component that is
// not finite. Every backend gives these bits.
float code_token(std::span<const float> vector, std::span<std::int8_t> codes) noexcept;

// The tokens of one image.
struct CodedTokens {
  int count = 0;                       // n
  std::span<const std::int8_t> codes;  // [n, D]
  std::span<const float> scales;       // [n]
  std::span<const float> first;        // [D] token 0 as the encoder gave it; empty if n = 0
};

// Host memory, row-major.
struct CodedBatch {
  int batch = 0;
  int token_count = 0;             // n
  int width = 0;                   // D
  std::vector<std::int8_t> codes;  // [batch, n, D]
  std::vector<float> scales;       // [batch, n]
  std::vector<float> first;        // [batch, D], empty if n = 0

  CodedTokens image(int index) const {
    const auto i = static_cast<std::size_t>(index), n = static_cast<std::size_t>(token_count),
               d = static_cast<std::size_t>(width);
    return {token_count, std::span(codes).subspan(i * n * d, n * d), std::span(scales).subspan(i * n, n),
            n == 0 ? std::span<const float>() : std::span(first).subspan(i * d, d)};
  }
};

// `tokens` [batch, count, width].
CodedBatch code_tokens(std::span<const float> tokens, int batch, int count, int width);

}  // namespace tessera
