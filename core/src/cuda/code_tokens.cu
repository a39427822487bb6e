// int8 codes of tokens for storing: the bits of code_token().
#include "cuda/cuda_backend.h"
#include "cuda/device.cuh"
#include "cuda/dispatch.h"
#include "tessera/token_code.h"

namespace tessera::cuda {
namespace {

constexpr unsigned kThreads = 256;
constexpr unsigned kInfinity = 0x7f800000u, kNotANumber = 0x7fc00000u;  // bits of f32

struct TokenRows {
  std::int64_t image_stride, first;  // tokens
  int count, width;
  std::int64_t rows;
};

__device__ inline unsigned larger(unsigned a, unsigned b) { return a < b ? b : a; }

// One warp a token, which it reads twice. Magnitudes are compared as bits: these have their order, and what is not
// finite is the largest. Codes and scale in double, as on the processor.
template <int kCount>
__global__ void __launch_bounds__(kThreads)
    code_tokens_kernel(Global<const float> from, Global<std::int8_t> codes, Global<float> scales, TokenRows tokens) {
  const std::int64_t row = std::int64_t{blockIdx.x} * (kThreads / kWarpSize) + threadIdx.x / kWarpSize;
  if (row >= tokens.rows) return;  // the whole warp
  constexpr int kStep = kCount * static_cast<int>(kWarpSize);
  const int begin = kCount * static_cast<int>(threadIdx.x % kWarpSize);
  const std::int64_t token = row / tokens.count * tokens.image_stride + tokens.first + row % tokens.count;
  const Global<const float> values = from + token * tokens.width;
  unsigned largest = 0;
  for (int i = begin; i < tokens.width; i += kStep) {
    const auto pack = load_floats<kCount, float>(values + i);
#pragma unroll
    for (int j = 0; j < kCount; ++j) largest = larger(largest, __float_as_uint(pack.values[j]) & 0x7fffffffu);
  }
#pragma unroll
  for (int mask = 16; mask > 0; mask /= 2) largest = larger(largest, __shfl_xor_sync(kAllLanes, largest, mask));
  const float magnitude = __uint_as_float(largest);
  const bool coded = largest < kInfinity && magnitude > kLeastMagnitude;
  const double factor = coded ? 127.0 / magnitude : 0.0;
  int squares = 0;
  for (int i = begin; i < tokens.width; i += kStep) {
    const auto pack = load_floats<kCount, float>(values + i);
    Pack<std::int8_t, kCount> result;
#pragma unroll
    for (int j = 0; j < kCount; ++j) {
      const int code = coded ? static_cast<int>(rint(pack.values[j] * factor)) : 0;
      result.values[j] = static_cast<std::int8_t>(code);
      squares += code * code;
    }
    store_as(codes + (row * tokens.width + i), result);
  }
#pragma unroll
  for (int mask = 16; mask > 0; mask /= 2) squares += __shfl_xor_sync(kAllLanes, squares, mask);
  if (begin != 0) return;
  scales[row] = coded                 ? static_cast<float>(1.0 / sqrt(static_cast<double>(squares)))
                : largest < kInfinity ? 0.0f
                                      : __uint_as_float(kNotANumber);
}

}  // namespace

void CudaBackend::code_tokens(TokenRange from, int batch, int count, int width, Tensor codes, Tensor scales) {
  const TokenRows tokens{from.image_stride, from.first, count, width, std::int64_t{batch} * count};
  const auto run = [&](auto kernel) {
    stream_.launch("code_tokens", {batch, count, width}, kernel, blocks_for(tokens.rows, kThreads / kWarpSize),
                   kThreads, data_of<const float>(from.tensor), data_of<std::int8_t>(codes), data_of<float>(scales),
                   tokens);
  };
  if (width % 4 == 0) {
    run(&code_tokens_kernel<4>);
  } else {
    run(&code_tokens_kernel<1>);
  }
}

}  // namespace tessera::cuda
