// Dot products with AVX2 and F16C: int8 codes widened to 16 bits and multiplied with the 15-bit query.
#include "search/kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <cstring>

namespace tessera {
namespace {

__attribute__((target("avx2"), always_inline)) inline __m256i products(const QueryCodes& query,
                                                                       const std::int8_t* codes, int chunk) {
  const __m128i narrow = _mm_loadu_si128(reinterpret_cast<const __m128i*>(codes + 16 * chunk));
  const __m256i wanted = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(query.both() + 16 * chunk));
  return _mm256_madd_epi16(_mm256_cvtepi8_epi16(narrow), wanted);
}

// A 32-bit lane sums D/8 products of at most 127 * 16319, in 31 bits for D <= 8192.
__attribute__((target("avx2"))) void dot_codes_avx2(const QueryCodes& query, const std::int8_t* codes,
                                                    std::size_t stride, std::size_t rows, std::int64_t* out) {
  const int chunks = (query.width() + 15) / 16;
  for (std::size_t r = 0; r < rows; ++r, codes += stride) {
    __m256i even = _mm256_setzero_si256();
    __m256i odd = _mm256_setzero_si256();
    int chunk = 0;
    for (; chunk + 1 < chunks; chunk += 2) {
      even = _mm256_add_epi32(even, products(query, codes, chunk));
      odd = _mm256_add_epi32(odd, products(query, codes, chunk + 1));
    }
    if (chunk < chunks) even = _mm256_add_epi32(even, products(query, codes, chunk));
    alignas(32) std::int32_t lanes[16];
    _mm256_store_si256(reinterpret_cast<__m256i*>(lanes), even);
    _mm256_store_si256(reinterpret_cast<__m256i*>(lanes + 8), odd);
    std::int64_t total = 0;
    for (const std::int32_t lane : lanes) total += lane;
    out[r] = total;
  }
}

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
