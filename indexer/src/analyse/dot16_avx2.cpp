// Integer dot products of fixed-point vectors with AVX2: 16 products and eight sums an instruction.
#include "analyse/dot16.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <cstring>

namespace tessera {
namespace {

__attribute__((target("avx2"), always_inline)) inline __m256i load16(const std::int16_t* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}

__attribute__((target("avx2"), always_inline)) inline Dot lane_sum(__m256i lanes) {
  __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256(lanes, 1));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4E));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xB1));
  return _mm_cvtsi128_si32(sum);
}

// Four rows at a time share the loads of the query.
__attribute__((target("avx2"))) void dot_rows_avx2(const std::int16_t* query, const std::int16_t* rows,
                                                   std::size_t stride, std::size_t count, Dot* out) {
  std::size_t r = 0;
  for (; r + 4 <= count; r += 4) {
    const std::int16_t* at = rows + r * stride;
    __m256i sums[4] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256()};
    for (std::size_t i = 0; i < stride; i += 16) {
      const __m256i wanted = load16(query + i);
      for (std::size_t j = 0; j < 4; ++j) {
        sums[j] = _mm256_add_epi32(sums[j], _mm256_madd_epi16(wanted, load16(at + j * stride + i)));
      }
    }
    for (std::size_t j = 0; j < 4; ++j) out[r + j] = lane_sum(sums[j]);
  }
  for (; r < count; ++r) {
    __m256i sum = _mm256_setzero_si256();
    for (std::size_t i = 0; i < stride; i += 16) {
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(load16(query + i), load16(rows + r * stride + i)));
    }
    out[r] = lane_sum(sum);
  }
}

__attribute__((target("avx2"), always_inline)) inline __m256i pair_of(const std::int16_t* from) {
  std::int32_t pair;
  std::memcpy(&pair, from, sizeof pair);
  return _mm256_set1_epi32(pair);
}

// A lane holds the sum of one row: no sums across lanes.
__attribute__((target("avx2"))) std::uint32_t panel_hits_avx2(const std::int16_t* queries, std::size_t stride,
                                                              const std::int16_t* panel, std::size_t width, Dot least) {
  __m256i sums[kPanelQueries] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(),
                                 _mm256_setzero_si256()};
  for (std::size_t i = 0; i < width; i += 2) {
    const __m256i rows = load16(panel + i * kPanelRows);
    for (std::size_t q = 0; q < kPanelQueries; ++q) {
      sums[q] = _mm256_add_epi32(sums[q], _mm256_madd_epi16(rows, pair_of(queries + q * stride + i)));
    }
  }
  const __m256i below = _mm256_set1_epi32(least - 1);
  std::uint32_t hits = 0;
  for (std::size_t q = 0; q < kPanelQueries; ++q) {
    const __m256 reached = _mm256_castsi256_ps(_mm256_cmpgt_epi32(sums[q], below));
    hits |= static_cast<std::uint32_t>(_mm256_movemask_ps(reached)) << (q * kPanelRows);
  }
  return hits;
}

}  // namespace

const DotKernels kDotAvx2{dot_rows_avx2, panel_hits_avx2};

}  // namespace tessera
#endif
