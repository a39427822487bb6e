// Portable dot products, the query in fixed point, and the choice of instruction set.
#include "search/kernels.h"

#include <algorithm>
#include <cmath>

#include "store/half.h"

namespace tessera {
namespace {

constexpr int kLargestCode = 127 * 128 + 63;

void dot_codes_portable(const QueryCodes& query, const std::int8_t* codes, std::size_t stride, std::size_t rows,
                        std::int64_t* out) {
  // A product has at most 21 bits, so 512 of them fit in a 32-bit sum.
  constexpr int kPiece = 512;
  for (std::size_t r = 0; r < rows; ++r, codes += stride) {
    std::int64_t total = 0;
    for (int begin = 0; begin < query.width(); begin += kPiece) {
      const int end = std::min(begin + kPiece, query.width());
      std::int32_t sum = 0;
      for (int i = begin; i < end; ++i) sum += std::int32_t(query.both()[i]) * codes[i];
      total += sum;
    }
    out[r] = total;
  }
}

double dot_half_portable(const float* query, const std::uint16_t* half, int width) {
  double lanes[16] = {};
  for (int i = 0; i < width; ++i) lanes[i % 16] += double(query[i]) * half_to_float(half[i]);
  return reduce_lanes(lanes);
}

constexpr Kernels kPortableKernels{dot_codes_portable, dot_half_portable};

}  // namespace

const char* simd_level_name(SimdLevel level) noexcept {
  switch (level) {
    case SimdLevel::kPortable: return "portable";
    case SimdLevel::kAvx2: return "avx2";
    case SimdLevel::kAvx512: return "avx512-vnni";
  }
  return "unknown";
}

bool simd_level_supported(SimdLevel level) noexcept {
  switch (level) {
    case SimdLevel::kPortable: return true;
#if defined(__x86_64__)
    case SimdLevel::kAvx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    case SimdLevel::kAvx512:
      return simd_level_supported(SimdLevel::kAvx2) && __builtin_cpu_supports("avx512f") &&
             __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
             __builtin_cpu_supports("avx512vnni");
#else
    default: return false;
#endif
  }
  return false;
}

SimdLevel best_simd_level() noexcept {
  for (const SimdLevel level : {SimdLevel::kAvx512, SimdLevel::kAvx2}) {
    if (simd_level_supported(level)) return level;
  }
  return SimdLevel::kPortable;
}

const Kernels& kernels(SimdLevel level) noexcept {
  switch (level) {
#if defined(__x86_64__)
    case SimdLevel::kAvx2: return kAvx2Kernels;
    case SimdLevel::kAvx512: return kAvx512Kernels;
#endif
    default: return kPortableKernels;
  }
}

QueryCodes::QueryCodes(std::span<const float> query) : width_(static_cast<int>(query.size())) {
  const std::size_t padded = (query.size() + 63) / 64 * 64;
  high_ = std::make_unique<std::int8_t[]>(padded);
  low_ = std::make_unique<std::int8_t[]>(padded);
  both_ = std::make_unique<std::int16_t[]>(padded);
  float largest = 0;
  double norm = 0;
  for (const float x : query) {
    largest = std::max(largest, std::fabs(x));
    norm += double(x) * x;
  }
  norm_ = std::sqrt(norm);
  scale_ = largest / kLargestCode;
  double error = 0;
  for (std::size_t i = 0; i < query.size(); ++i) {
    const double scaled = scale_ > 0 ? std::nearbyint(query[i] / double(scale_)) : 0.0;
    const int code = std::clamp(static_cast<int>(scaled), -kLargestCode, kLargestCode);
    const int high = (code + 64) >> 7;
    both_[i] = static_cast<std::int16_t>(code);
    high_[i] = static_cast<std::int8_t>(high);
    low_[i] = static_cast<std::int8_t>(code - 128 * high);
    high_sum_ += high;
    low_sum_ += code - 128 * high;
    const double difference = query[i] - double(scale_) * code;
    error += difference * difference;
  }
  error_ = std::sqrt(error);
}

}  // namespace tessera
