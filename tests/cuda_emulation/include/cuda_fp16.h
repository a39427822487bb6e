// Emulated CUDA: the f16 type and its conversions.
#pragma once

#include <cstdint>

#include "model/float_convert.h"

struct __half {
  std::uint16_t bits;
};

inline float __half2float(__half value) { return tessera::f16_to_float(value.bits); }
inline __half __float2half_rn(float value) { return {tessera::float_to_f16(value)}; }
