// Convolutions of a stem on NHWC maps: pointwise layers as matrix products, depthwise and dense ones directly.
#include <algorithm>
#include <vector>

#include "cuda/cuda_backend.h"
#include "cuda/device.cuh"
#include "cuda/dispatch.h"

namespace tessera::cuda {
namespace {

constexpr unsigned kThreads = 256;

struct Geometry {
  GridSize in, out;
  int top, left;  // zeros before the first row and column ("same" padding)
  int kernel, stride;
  int channels_in, channels_out;
  bool relu6;
  std::int64_t values;  // of the output
};

// Zeros before one axis; the odd one of an odd total goes to the end (docs/MODEL_FORMAT.md).
int padding(int size, int out, const ConvShape& shape) {
  return std::max((out - 1) * shape.stride + shape.kernel - size, 0) / 2;
}

struct Cell {
  std::int64_t image;
  int y, x, channel;
};

__device__ inline Cell cell_of(const Geometry& g, std::int64_t index) {
  const int channel = static_cast<int>(index % g.channels_out);
  const std::int64_t cell = index / g.channels_out;
  const int x = static_cast<int>(cell % g.out.width), y = static_cast<int>(cell / g.out.width % g.out.height);
  return {cell / g.out.width / g.out.height, y, x, channel};
}

template <typename T>
__device__ inline void finish(const Geometry& g, float sum, Global<const T> addend, Global<T> out, std::int64_t index) {
  if (g.relu6) sum = fminf(fmaxf(sum, 0.0f), 6.0f);
  if (addend != nullptr) sum += to_float(addend[index]);
  out[index] = from_float<T>(sum);
}

// One thread a value of the output; neighbouring threads have neighbouring channels. weight [k, k, channels].
template <typename T>
__global__ void __launch_bounds__(kThreads)
    depthwise_kernel(Global<const T> in, Global<const float> weight, Global<const float> bias, Global<const T> addend,
                     Global<T> out, Geometry g) {
  const std::int64_t index = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (index >= g.values) return;
  const Cell cell = cell_of(g, index);
  float sum = bias[cell.channel];
  for (int ky = 0; ky < g.kernel; ++ky) {
    const int y = cell.y * g.stride + ky - g.top;
    if (y < 0 || y >= g.in.height) continue;
    for (int kx = 0; kx < g.kernel; ++kx) {
      const int x = cell.x * g.stride + kx - g.left;
      if (x < 0 || x >= g.in.width) continue;
      const std::int64_t place = ((cell.image * g.in.height + y) * g.in.width + x) * g.channels_in + cell.channel;
      sum += to_float(in[place]) * weight[(ky * g.kernel + kx) * g.channels_out + cell.channel];
    }
  }
  finish<T>(g, sum, addend, out, index);
}

// The same with every input channel; weight [k, k, in, out]. Only a stem's first layer, of three channels, comes here.
template <typename T>
__global__ void __launch_bounds__(kThreads)
    dense_kernel(Global<const T> in, Global<const float> weight, Global<const float> bias, Global<const T> addend,
                 Global<T> out, Geometry g) {
  const std::int64_t index = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (index >= g.values) return;
  const Cell cell = cell_of(g, index);
  float sum = bias[cell.channel];
  for (int ky = 0; ky < g.kernel; ++ky) {
    const int y = cell.y * g.stride + ky - g.top;
    if (y < 0 || y >= g.in.height) continue;
    for (int kx = 0; kx < g.kernel; ++kx) {
      const int x = cell.x * g.stride + kx - g.left;
      if (x < 0 || x >= g.in.width) continue;
      const std::int64_t place = ((cell.image * g.in.height + y) * g.in.width + x) * g.channels_in;
      const std::int64_t tap = std::int64_t{ky * g.kernel + kx} * g.channels_in * g.channels_out + cell.channel;
      for (int c = 0; c < g.channels_in; ++c) sum += to_float(in[place + c]) * weight[tap + c * g.channels_out];
    }
  }
  finish<T>(g, sum, addend, out, index);
}

}  // namespace

std::unique_ptr<ConvWeights> CudaBackend::pack_convolution(const ConvShape& shape, const TensorView& weight,
                                                           std::span<const float> bias) {
  auto layer = std::make_unique<PackedConvolution>();
  layer->shape = shape;
  if (shape.kernel == 1 && shape.stride == 1 && !shape.depthwise) {
    layer->pointwise = pack_linear(weight, bias, {});
    return layer;
  }
  // [out, in, k, k] -> [k, k, in, out], with in = 1 if depthwise.
  const std::vector<float> values = tessera::to_float(weight);
  const auto out = static_cast<std::size_t>(shape.out);
  const std::size_t inner = values.size() / out;
  const auto taps = static_cast<std::size_t>(shape.kernel) * static_cast<std::size_t>(shape.kernel);
  std::vector<float> arranged(values.size());
  for (std::size_t o = 0; o < out; ++o) {
    for (std::size_t i = 0; i < inner; ++i) {
      const std::size_t channel = i / taps, tap = i % taps;
      arranged[(tap * (inner / taps) + channel) * out + o] = values[o * inner + i];
    }
  }
  layer->weight = Buffer(*this, arranged.size(), DType::kF32);
  upload(layer->weight.tensor(), arranged);
  layer->bias = Buffer(*this, bias.size(), DType::kF32);
  upload(layer->bias.tensor(), bias);
  return layer;
}

void CudaBackend::convolution(const ConvWeights& weights, FeatureMap in, int batch, Tensor addend, Tensor out) {
  const auto& layer = static_cast<const PackedConvolution&>(weights);
  const ConvShape& shape = layer.shape;
  const GridSize size = strided(in.size, shape.stride);
  const std::int64_t cells = std::int64_t{batch} * size.count();
  if (layer.pointwise) {
    const auto& matrix = static_cast<const PackedLinear&>(*layer.pointwise);
    Product product{.rows = cells, .in = shape.in, .out = shape.out, .source = out.type, .destination = out.type};
    product.x = in.tensor.data;
    product.w = matrix.weight.tensor().data;
    product.d = out.data;
    if (!shape.relu6) {
      product.bias = (out.type == DType::kF32 ? matrix.bias : matrix.narrow_bias).tensor().data;
      product.addend = addend.data;
    }
    products_.run(product);
    if (shape.relu6) activate(Activation::kRelu6, matrix.bias.tensor(), addend, cells, shape.out, out);
    return;
  }
  const Geometry geometry{in.size,
                          size,
                          padding(in.size.height, size.height, shape),
                          padding(in.size.width, size.width, shape),
                          shape.kernel,
                          shape.stride,
                          shape.in,
                          shape.out,
                          shape.relu6,
                          cells * shape.out};
  dispatch(out.type, [&](auto element) {
    using T = typename decltype(element)::Type;
    stream_.launch(shape.depthwise ? "depthwise" : "convolution",
                   {batch, in.size.height, in.size.width, shape.in, shape.out, shape.kernel},
                   shape.depthwise ? &depthwise_kernel<T> : &dense_kernel<T>, blocks_for(geometry.values, kThreads),
                   kThreads, data_of<const T>(in.tensor), floats(layer.weight), floats(layer.bias),
                   data_of<const T>(addend), data_of<T>(out), geometry);
  });
}

}  // namespace tessera::cuda
