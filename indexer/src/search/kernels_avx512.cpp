// Dot products with AVX-512 VNNI: both halves of the 15-bit query against each 64 codes that are loaded.
#include "search/kernels.h"

#if defined(__x86_64__)
// GCC 12 warns inside its own intrinsics about values that are undefined on purpose (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#include <immintrin.h>

namespace tessera {
namespace {

#define TESSERA_VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))

// Rows ahead of the ones in work that are asked into the cache: the hardware's own prefetch stops at page boundaries.
constexpr std::size_t kPrefetchRows = 8;

// VPDPBUSD multiplies unsigned with signed bytes, so the codes get 128 added (a flip of their top bit) and 128 times
// the sum of the query is taken off again. kRows rows share each load of the query.
template <int kRows>
TESSERA_VNNI void dot_rows(const QueryCodes& query, const std::int8_t* codes, std::size_t stride, std::int64_t* out) {
  const __m512i flip = _mm512_set1_epi8(static_cast<char>(0x80));
  const int whole = query.width() / 64 * 64;
  const int rest = query.width() - whole;
  __m512i high[kRows], low[kRows];
  for (int r = 0; r < kRows; ++r) high[r] = low[r] = _mm512_setzero_si512();
  for (int i = 0; i < whole; i += 64) {
    const __m512i query_high = _mm512_loadu_si512(query.high() + i);
    const __m512i query_low = _mm512_loadu_si512(query.low() + i);
    for (int r = 0; r < kRows; ++r) {
      const std::int8_t* at = codes + std::size_t(r) * stride + i;
      _mm_prefetch(reinterpret_cast<const char*>(at + kPrefetchRows * stride), _MM_HINT_T0);
      const __m512i row = _mm512_xor_si512(_mm512_loadu_si512(at), flip);
      high[r] = _mm512_dpbusd_epi32(high[r], row, query_high);
      low[r] = _mm512_dpbusd_epi32(low[r], row, query_low);
    }
  }
  if (rest != 0) {
    const __mmask64 tail = ~std::uint64_t{0} >> (64 - rest);
    const __m512i query_high = _mm512_loadu_si512(query.high() + whole);
    const __m512i query_low = _mm512_loadu_si512(query.low() + whole);
    for (int r = 0; r < kRows; ++r) {
      const std::int8_t* at = codes + std::size_t(r) * stride + whole;
      const __m512i row = _mm512_xor_si512(_mm512_maskz_loadu_epi8(tail, at), flip);
      high[r] = _mm512_dpbusd_epi32(high[r], row, query_high);
      low[r] = _mm512_dpbusd_epi32(low[r], row, query_low);
    }
  }
  const std::int64_t offset = 128 * (std::int64_t{128} * query.high_sum() + query.low_sum());
  for (int r = 0; r < kRows; ++r) {
    out[r] = std::int64_t{128} * _mm512_reduce_add_epi32(high[r]) + _mm512_reduce_add_epi32(low[r]) - offset;
  }
}

TESSERA_VNNI void dot_codes_avx512(const QueryCodes& query, const std::int8_t* codes, std::size_t stride,
                                   std::size_t rows, std::int64_t* out) {
  std::size_t r = 0;
  for (; r + 4 <= rows; r += 4) dot_rows<4>(query, codes + r * stride, stride, out + r);
  for (; r < rows; ++r) dot_rows<1>(query, codes + r * stride, stride, out + r);
}

#undef TESSERA_VNNI

__attribute__((target("avx512f"), always_inline)) inline __m256 upper_half(__m512 v) {
  return _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(v), 1));
}

__attribute__((target("avx512f,avx512bw,avx512vl"))) double dot_half_avx512(const float* query,
                                                                            const std::uint16_t* half, int width) {
  __m512d first = _mm512_setzero_pd();
  __m512d second = _mm512_setzero_pd();
  for (int i = 0; i < width; i += 16) {
    const int rest = width - i;
    const auto mask = static_cast<__mmask16>(rest >= 16 ? 0xffffu : (1u << rest) - 1);
    const __m512 q = _mm512_maskz_loadu_ps(mask, query + i);
    const __m512 h = _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, half + i));
    first =
        _mm512_fmadd_pd(_mm512_cvtps_pd(_mm512_castps512_ps256(q)), _mm512_cvtps_pd(_mm512_castps512_ps256(h)), first);
    second = _mm512_fmadd_pd(_mm512_cvtps_pd(upper_half(q)), _mm512_cvtps_pd(upper_half(h)), second);
  }
  double lanes[16];
  _mm512_storeu_pd(lanes, first);
  _mm512_storeu_pd(lanes + 8, second);
  return reduce_lanes(lanes);
}

}  // namespace

const Kernels kAvx512Kernels{dot_codes_avx512, dot_half_avx512};

}  // namespace tessera
#endif
