// Integer dot products of fixed-point unit vectors (VectorSet), portable and with AVX2; both give the same sums.
//
// |row| is at most about kOne, so a sum of products and every part of it stays below 2^28 * 1.1 (Cauchy-Schwarz) and
// fits in 32 bits.
#pragma once

#include <cstddef>
#include <cstdint>

#include "search/kernels.h"
#include "tessera/indexer/vector_set.h"

namespace tessera {

using Dot = std::int32_t;
inline constexpr Dot kDotOne = VectorSet::kOne * VectorSet::kOne;  // of a vector with itself, but for rounding

inline float similarity_of(double dot) noexcept {
  const double value = dot / kDotOne;
  return static_cast<float>(value < -1 ? -1 : value > 1 ? 1 : value);
}

struct DotKernels {
  // out[r] = <query, rows[r]> for `count` rows at distances of `stride` values; stride is a multiple of 16.
  void (*dot_rows)(const std::int16_t* query, const std::int16_t* rows, std::size_t stride, std::size_t count,
                   Dot* out);
  // A panel holds eight rows side by side: for each pair of components (2j, 2j + 1) the pairs of row 0 to 7. Bit
  // 8 q + r of the result: is <query q, row r> >= least, for kPanelQueries queries? `width` is even.
  std::uint32_t (*panel_hits)(const std::int16_t* queries, std::size_t stride, const std::int16_t* panel,
                              std::size_t width, Dot least);
};
inline constexpr std::size_t kPanelRows = 8;
inline constexpr std::size_t kPanelQueries = 4;

// The level must be supported.
const DotKernels& dot_kernels(SimdLevel level = best_simd_level()) noexcept;

extern const DotKernels kDotAvx2;

}  // namespace tessera
