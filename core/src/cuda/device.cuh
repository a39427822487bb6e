// What kernels are written against: pointers, wide accesses, asynchronous copies, tensor-core products and conversions.
//
// The same sources run under nvcc and, compiled as C++, under the emulator of tests/cuda_emulation, which gives
// pointers with bounds and shared arrays with a race check. So a kernel takes Global<T> for T*, declares shared memory
// as
// `__shared__ SharedArray<T, N>`, and names a place in it by at().
#pragma once

#if defined(TESSERA_CUDA_EMULATION)
#include <emulated_device.h>
#else
#include "cuda/device_nvcc.cuh"
#endif

namespace tessera::cuda {

constexpr unsigned kWarpSize = 32;
constexpr unsigned kAllLanes = 0xffffffffu;

// kCount neighbouring values as one access of up to 16 bytes.
template <typename T, int kCount>
struct alignas(sizeof(T) * kCount) Pack {
  T values[kCount];
};

__host__ __device__ inline float to_float(float value) { return value; }
__host__ __device__ inline float to_float(__nv_bfloat16 value) { return __bfloat162float(value); }
__host__ __device__ inline float to_float(__half value) { return __half2float(value); }

template <typename T>
__host__ __device__ inline T from_float(float value);
template <>
__host__ __device__ inline float from_float<float>(float value) {
  return value;
}
template <>
__host__ __device__ inline __nv_bfloat16 from_float<__nv_bfloat16>(float value) {
  return __float2bfloat16_rn(value);
}
template <>
__host__ __device__ inline __half from_float<__half>(float value) {
  return __float2half_rn(value);
}

template <int kCount, typename T>
__device__ inline Pack<float, kCount> load_floats(Global<const T> place) {
  const auto stored = load_as<Pack<T, kCount>>(place);
  Pack<float, kCount> result;
#pragma unroll
  for (int i = 0; i < kCount; ++i) result.values[i] = to_float(stored.values[i]);
  return result;
}

template <int kCount, typename T>
__device__ inline void store_floats(Global<T> place, const Pack<float, kCount>& values) {
  Pack<T, kCount> stored;
#pragma unroll
  for (int i = 0; i < kCount; ++i) stored.values[i] = from_float<T>(values.values[i]);
  store_as(place, stored);
}

__device__ inline float warp_sum(float value) {
#pragma unroll
  for (int mask = 16; mask > 0; mask /= 2) value += __shfl_xor_sync(kAllLanes, value, mask);
  return value;
}

__device__ inline float warp_max(float value) {
#pragma unroll
  for (int mask = 16; mask > 0; mask /= 2) value = fmaxf(value, __shfl_xor_sync(kAllLanes, value, mask));
  return value;
}

}  // namespace tessera::cuda
