// How vectors become bytes: f16 coarse vectors, int8 coarse codes with an error bound, int8 token codes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace tessera {

inline constexpr int kMaxTokenWidth = 8192;  // D; int8 dot products of this width fit in 32-bit lanes

// v ~ scale * codes with |v - scale * codes|_2 <= error; v is the f16 coarse vector. Since |<q, v> - <q, scale *
// codes>|
// <= |q| * error (Cauchy-Schwarz), a scan of the codes can prove which rows are not among the best.
struct CodeScale {
  float scale = 0;
  float error = 0;  // rounded up
};

// False if the vector has a component that is not finite or is (nearly) zero throughout, so that it has no direction:
// code_token() gives codes for the others.
bool has_direction(std::span<const float> vector) noexcept;

// The L2-normalised vector in f16. The vector must have a direction.
void encode_coarse_half(std::span<const float> vector, std::span<std::uint16_t> half) noexcept;
// Codes in [-127, 127] with the scale that leaves the least error.
CodeScale encode_coarse_codes(std::span<const std::uint16_t> half, std::span<std::int8_t> codes) noexcept;

// One stored token: D codes of code_token(), zeros up to a multiple of 16, then the scale as float32.
std::size_t token_record_bytes(int width) noexcept;
float token_record_scale(const std::byte* record, int width) noexcept;
void write_token_record(std::span<const std::int8_t> codes, float scale, std::byte* record) noexcept;
void write_token_record(std::span<const float> vector, std::byte* record) noexcept;   // codes it
void decode_token_record(const std::byte* record, std::span<float> vector) noexcept;  // a unit vector, or zeros

}  // namespace tessera
