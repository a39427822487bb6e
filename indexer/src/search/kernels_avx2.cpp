// Dot products with AVX2 and F16C: int8 codes widened to 16 bits and multiplied with the 15-bit query.
#include "search/kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <cstring>

namespace tessera {
namespace {

#define TESSERA_AVX2 __attribute__((target("avx2")))

// Rows ahead of the ones in work that are asked into the cache: the hardware's own prefetch stops at page boundaries.
constexpr std::size_t kPrefetchRows = 8;

TESSERA_AVX2 inline std::int64_t sum_of(__m256i lanes) {
  const __m256i wide = _mm256_add_epi64(_mm256_cvtepi32_epi64(_mm256_castsi256_si128(lanes)),
                                        _mm256_cvtepi32_epi64(_mm256_extracti128_si256(lanes, 1)));
  const __m128i half = _mm_add_epi64(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
  return _mm_cvtsi128_si64(half) + _mm_extract_epi64(half, 1);
}

// kRows rows share each load of the query. A 32-bit lane sums D/8 products of at most 127 * 16319, in 31 bits for
// D <= 8192.
template <int kRows>
TESSERA_AVX2 void dot_rows(const QueryCodes& query, const std::int8_t* codes, std::size_t stride, std::int64_t* out) {
  const int chunks = (query.width() + 15) / 16;
  __m256i sums[kRows];
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) sums[r] = _mm256_setzero_si256();
  for (int chunk = 0; chunk < chunks; ++chunk) {
    const __m256i wanted = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(query.both() + 16 * chunk));
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      const std::int8_t* at = codes + std::size_t(r) * stride + 16 * chunk;
      if (chunk % 4 == 0) _mm_prefetch(reinterpret_cast<const char*>(at + kPrefetchRows * stride), _MM_HINT_T0);
      const __m256i row = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)));
      sums[r] = _mm256_add_epi32(sums[r], _mm256_madd_epi16(row, wanted));
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) out[r] = sum_of(sums[r]);
}

TESSERA_AVX2 void dot_codes_avx2(const QueryCodes& query, const std::int8_t* codes, std::size_t stride,
                                 std::size_t rows, std::int64_t* out) {
  std::size_t r = 0;
  for (; r + 4 <= rows; r += 4) dot_rows<4>(query, codes + r * stride, stride, out + r);
  for (; r < rows; ++r) dot_rows<1>(query, codes + r * stride, stride, out + r);
}

#undef TESSERA_AVX2

__attribute__((target("avx2,fma,f16c"))) double dot_half_avx2(const float* query, const std::uint16_t* half,
                                                              int width) {
  __m256d sums[4] = {_mm256_setzero_pd(), _mm256_setzero_pd(), _mm256_setzero_pd(), _mm256_setzero_pd()};
  float query_tail[16] = {};
  std::uint16_t half_tail[16] = {};
  for (int i = 0; i < width; i += 16) {
    const float* q = query + i;
    const std::uint16_t* h = half + i;
    if (width - i < 16) {
      std::memcpy(query_tail, q, std::size_t(width - i) * sizeof *q);
      std::memcpy(half_tail, h, std::size_t(width - i) * sizeof *h);
      q = query_tail;
      h = half_tail;
    }
    for (int j = 0; j < 4; ++j) {
      const __m128 values = _mm_cvtph_ps(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(h + 4 * j)));
      sums[j] = _mm256_fmadd_pd(_mm256_cvtps_pd(_mm_loadu_ps(q + 4 * j)), _mm256_cvtps_pd(values), sums[j]);
    }
  }
  double lanes[16];
  for (int j = 0; j < 4; ++j) _mm256_storeu_pd(lanes + 4 * j, sums[j]);
  return reduce_lanes(lanes);
}

}  // namespace

const Kernels kAvx2Kernels{dot_codes_avx2, dot_half_avx2};

}  // namespace tessera
#endif
