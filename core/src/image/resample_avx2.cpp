// The resampling inner loops with AVX2: 16-bit multiply-add of two taps at a time.
#include <algorithm>
#include <cstring>

#include "image/resample.h"

#if defined(__x86_64__)
#include <immintrin.h>

namespace tessera {
namespace {

#define TESSERA_AVX2 __attribute__((target("avx2")))

// Each 128-bit half of a register takes four taps of RGB (12 bytes): the first two as words R0 R1 G0 G1 B0 B1 0 0,
// the other two alike; multiply-add with the pair (w0, w1) leaves the three sums as 32-bit lanes.
TESSERA_AVX2 void horizontal_avx2(const std::uint8_t* row, const AxisWeights& axis, std::uint8_t* out) {
  const __m256i taps01 = _mm256_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1,  //
                                          0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1);
  const __m256i taps23 = _mm256_setr_epi8(6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1,  //
                                          6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1);
  const __m256i pairs02 = _mm256_setr_epi32(0, 0, 0, 0, 2, 2, 2, 2);
  const __m256i pairs13 = _mm256_setr_epi32(1, 1, 1, 1, 3, 3, 3, 3);
  const __m128i half = _mm_set1_epi32(1 << (axis.precision - 1));
  const int out_size = static_cast<int>(axis.start.size());
  const std::int16_t* weights = axis.weights.data();
  for (int i = 0; i < out_size; ++i, out += 3) {
    const std::uint8_t* in = row + static_cast<std::size_t>(axis.start[i]) * 3;
    __m256i sum = _mm256_setzero_si256();
    for (int t = 0; t < axis.taps; t += AxisWeights::kTapBlock, in += 24, weights += AxisWeights::kTapBlock) {
      const __m256i pixels =
          _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(in))),
                                  _mm_loadu_si128(reinterpret_cast<const __m128i*>(in + 12)), 1);
      const __m256i w = _mm256_castsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(weights)));
      sum = _mm256_add_epi32(
          sum, _mm256_madd_epi16(_mm256_shuffle_epi8(pixels, taps01), _mm256_permutevar8x32_epi32(w, pairs02)));
      sum = _mm256_add_epi32(
          sum, _mm256_madd_epi16(_mm256_shuffle_epi8(pixels, taps23), _mm256_permutevar8x32_epi32(w, pairs13)));
    }
    __m128i rgb = _mm_add_epi32(_mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1)), half);
    rgb = _mm_sra_epi32(rgb, _mm_cvtsi32_si128(axis.precision));
    rgb = _mm_packus_epi16(_mm_packs_epi32(rgb, rgb), rgb);
    const int packed = _mm_cvtsi128_si32(rgb);
    std::memcpy(out, &packed, 3);
  }
}

// 32 columns at a time; rows in pairs, interleaved to words a0 b0 a1 b1 ... for the multiply-add with (w0, w1).
TESSERA_AVX2 void vertical_avx2(const std::uint8_t* first, std::size_t stride, int rows, const std::int16_t* weights,
                                int precision, std::uint8_t* out, std::size_t bytes) {
  constexpr std::size_t kBlock = 32;
  const __m256i zero = _mm256_setzero_si256();
  const __m128i shift = _mm_cvtsi32_si128(precision);
  for (std::size_t x = 0; x < bytes; x += kBlock) {
    __m256i sum0 = _mm256_set1_epi32(1 << (precision - 1));
    __m256i sum1 = sum0;
    __m256i sum2 = sum0;
    __m256i sum3 = sum0;
    const std::uint8_t* in = first + x;
    for (int t = 0; t < rows; t += 2, in += 2 * stride) {
      const bool pair = t + 1 < rows;
      const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(in));
      const __m256i b = pair ? _mm256_loadu_si256(reinterpret_cast<const __m256i*>(in + stride)) : zero;
      const unsigned packed = static_cast<std::uint16_t>(weights[t]) |
                              (pair ? static_cast<unsigned>(static_cast<std::uint16_t>(weights[t + 1])) << 16 : 0u);
      const __m256i w = _mm256_set1_epi32(static_cast<int>(packed));
      const __m256i low = _mm256_unpacklo_epi8(a, b);
      const __m256i high = _mm256_unpackhi_epi8(a, b);
      sum0 = _mm256_add_epi32(sum0, _mm256_madd_epi16(_mm256_unpacklo_epi8(low, zero), w));
      sum1 = _mm256_add_epi32(sum1, _mm256_madd_epi16(_mm256_unpackhi_epi8(low, zero), w));
      sum2 = _mm256_add_epi32(sum2, _mm256_madd_epi16(_mm256_unpacklo_epi8(high, zero), w));
      sum3 = _mm256_add_epi32(sum3, _mm256_madd_epi16(_mm256_unpackhi_epi8(high, zero), w));
    }
    const __m256i words01 = _mm256_packs_epi32(_mm256_sra_epi32(sum0, shift), _mm256_sra_epi32(sum1, shift));
    const __m256i words23 = _mm256_packs_epi32(_mm256_sra_epi32(sum2, shift), _mm256_sra_epi32(sum3, shift));
    const __m256i result = _mm256_packus_epi16(words01, words23);
    if (bytes - x >= kBlock) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + x), result);
    } else {
      alignas(32) std::uint8_t last[kBlock];
      _mm256_store_si256(reinterpret_cast<__m256i*>(last), result);
      std::memcpy(out + x, last, bytes - x);
    }
  }
}

#undef TESSERA_AVX2

}  // namespace

const ResampleKernels* avx2_resample_kernels() {
  static constexpr ResampleKernels kKernels{horizontal_avx2, vertical_avx2};
  return __builtin_cpu_supports("avx2") ? &kKernels : nullptr;
}

}  // namespace tessera

#else

namespace tessera {
const ResampleKernels* avx2_resample_kernels() { return nullptr; }
}  // namespace tessera

#endif
