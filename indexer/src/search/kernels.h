// Dot products of the scan and the rerank: int8 codes against a 15-bit query, f16 against float32; three instruction
// sets.
//
// All variants of one function return the same bits: the integer products are exact, and the f16 products are exact in
// double and summed in one fixed order. What a search returns does not depend on the machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace tessera {

enum class SimdLevel {
  kPortable,
  kAvx2,    // AVX2, F16C, FMA
  kAvx512,  // AVX-512 F, BW, VL, VNNI
};
const char* simd_level_name(SimdLevel level) noexcept;
bool simd_level_supported(SimdLevel level) noexcept;
SimdLevel best_simd_level() noexcept;  // of this CPU

// A query vector in fixed point: q ~ scale * (128 * high + low), high in [-127, 127], low in [-64, 63].
class QueryCodes {
 public:
  explicit QueryCodes(std::span<const float> query);

  int width() const noexcept { return width_; }
  float scale() const noexcept { return scale_; }
  double norm() const noexcept { return norm_; }    // |q|_2
  double error() const noexcept { return error_; }  // |q - scale * (128 high + low)|_2
  // Padded with zeros to a multiple of 64.
  const std::int8_t* high() const noexcept { return high_.get(); }
  const std::int8_t* low() const noexcept { return low_.get(); }
  const std::int16_t* both() const noexcept { return both_.get(); }  // 128 * high + low
  std::int32_t high_sum() const noexcept { return high_sum_; }
  std::int32_t low_sum() const noexcept { return low_sum_; }

 private:
  int width_ = 0;
  float scale_ = 0;
  double norm_ = 0;
  double error_ = 0;
  std::unique_ptr<std::int8_t[]> high_;
  std::unique_ptr<std::int8_t[]> low_;
  std::unique_ptr<std::int16_t[]> both_;
  std::int32_t high_sum_ = 0;
  std::int32_t low_sum_ = 0;
};

struct Kernels {
  // out[r] = sum over i < width of (128 high_i + low_i) * codes[r * stride + i], r < rows. Reads no byte beyond
  // codes[r * stride + width) rounded up to a multiple of 16. Width at most kMaxTokenWidth.
  void (*dot_codes)(const QueryCodes& query, const std::int8_t* codes, std::size_t stride, std::size_t rows,
                    std::int64_t* out);
  // Sum over i < width of query[i] * half[i].
  double (*dot_half)(const float* query, const std::uint16_t* half, int width);
};
// The level must be supported.
const Kernels& kernels(SimdLevel level) noexcept;

extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;

// The fixed order in which 16 partial sums are added; lane j holds the sum over i = j mod 16.
inline double reduce_lanes(double* lanes) noexcept {
  for (int half = 8; half > 0; half /= 2) {
    for (int j = 0; j < half; ++j) lanes[j] += lanes[j + half];
  }
  return lanes[0];
}

}  // namespace tessera
