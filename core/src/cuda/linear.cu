// Matrix products with bias, exact GELU or residual; the elementwise steps that cuBLASLt has not, in kernels of our
// own.
#include "cuda/cuda_backend.h"
#include "cuda/device.cuh"
#include "cuda/dispatch.h"

namespace tessera::cuda {
namespace {

constexpr unsigned kThreads = 256;

enum class Curve { kNone, kGelu, kRelu6 };

template <Curve kCurve>
__device__ inline float curve(float x) {
  if constexpr (kCurve == Curve::kGelu) return 0.5f * x * (1.0f + erff(x * 0.70710678118654752f));
  if constexpr (kCurve == Curve::kRelu6) return fminf(fmaxf(x, 0.0f), 6.0f);
  return x;
}

// One thread takes kCount neighbouring values (16 bytes); width is a multiple of kCount, so they share a row.
template <typename T, Curve kCurve, int kCount>
__global__ void __launch_bounds__(kThreads)
    activate_kernel(Global<T> out, Global<const float> bias, Global<const T> addend, std::int64_t packs, int width) {
  const std::int64_t index = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (index >= packs) return;
  const std::int64_t place = index * kCount;
  Pack<float, kCount> values = load_floats<kCount, T>(out + place);
  if (bias != nullptr) {
    const int column = static_cast<int>(place % width);
#pragma unroll
    for (int i = 0; i < kCount; ++i) values.values[i] += bias[column + i];
  }
#pragma unroll
  for (int i = 0; i < kCount; ++i) values.values[i] = curve<kCurve>(values.values[i]);
  if (addend != nullptr) {
    const auto added = load_floats<kCount, T>(addend + place);
#pragma unroll
    for (int i = 0; i < kCount; ++i) values.values[i] += added.values[i];
  }
  store_floats<kCount, T>(out + place, values);
}

template <typename T, Curve kCurve>
void run_activation(Stream& stream, Tensor bias, Tensor addend, std::int64_t rows, int width, Tensor out) {
  constexpr int kWide = 16 / sizeof(T);
  const auto run = [&](auto kernel, int count) {
    const std::int64_t packs = rows * width / count;
    stream.launch("activate", {rows, width}, kernel, blocks_for(packs, kThreads), kThreads, data_of<T>(out),
                  data_of<const float>(bias), data_of<const T>(addend), packs, width);
  };
  if (width % kWide == 0) {
    run(&activate_kernel<T, kCurve, kWide>, kWide);
  } else {
    run(&activate_kernel<T, kCurve, 1>, 1);
  }
}

}  // namespace

void CudaBackend::activate(Activation activation, Tensor bias, Tensor addend, std::int64_t rows, int width,
                           Tensor out) {
  dispatch(out.type, [&](auto element) {
    using T = typename decltype(element)::Type;
    switch (activation) {
      case Activation::kNone: run_activation<T, Curve::kNone>(stream_, bias, addend, rows, width, out); break;
      case Activation::kGelu: run_activation<T, Curve::kGelu>(stream_, bias, addend, rows, width, out); break;
      case Activation::kRelu6: run_activation<T, Curve::kRelu6>(stream_, bias, addend, rows, width, out); break;
    }
  });
}

// The products' epilogue adds the bias in the output's type. With GELU it is left to the kernel that follows, which
// adds it in f32.
void CudaBackend::linear(const LinearWeights& weights, Tensor in, std::int64_t rows, LinearOptions options,
                         Tensor out) {
  const auto& linear = static_cast<const PackedLinear&>(weights);
  Product product{.rows = rows, .in = linear.in, .out = linear.out, .source = in.type, .destination = out.type};
  product.x = in.data;
  product.w = linear.weight.tensor().data;
  product.d = out.data;
  if (options.accumulate) product.addend = out.data;
  if (linear.bias && !options.gelu) {
    product.bias = (out.type == DType::kF32 ? linear.bias : linear.narrow_bias).tensor().data;
  }
  products_.run(product);
  if (options.gelu) activate(Activation::kGelu, linear.bias.tensor(), {}, rows, linear.out, out);
}

}  // namespace tessera::cuda
