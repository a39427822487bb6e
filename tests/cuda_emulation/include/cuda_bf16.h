// Emulated CUDA: the bf16 type and its conversions.
#pragma once

#include <cstdint>

#include "model/float_convert.h"

struct __nv_bfloat16 {
  std::uint16_t bits;
};

inline float __bfloat162float(__nv_bfloat16 value) { return tessera::bf16_to_float(value.bits); }
inline __nv_bfloat16 __float2bfloat16_rn(float value) { return {tessera::float_to_bf16(value)}; }
