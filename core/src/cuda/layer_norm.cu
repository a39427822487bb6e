// LayerNorm over rows, over heads of q and k, over merged cells and over split quarters: one kernel, four addressings.
#include "cuda/cuda_backend.h"
#include "cuda/device.cuh"
#include "cuda/dispatch.h"

namespace tessera::cuda {
namespace {

constexpr unsigned kThreads = 256;  // of a block
constexpr int kHeld = 10;           // packs of four values that a thread keeps: 1280 values a warp

// Rows one after the other, in and out.
template <typename T>
struct Rows {
  Global<const float> in;
  Global<T> out;
  int width;

  template <int kCount>
  __device__ Pack<float, kCount> load(std::int64_t row, int column) const {
    return load_floats<kCount, float>(in + (row * width + column));
  }
  template <int kCount>
  __device__ void store(std::int64_t row, int column, const Pack<float, kCount>& values) const {
    store_floats<kCount, T>(out + (row * width + column), values);
  }
};

// Row = a 2 x 2 cell of the grid: top-left, bottom-left, top-right, bottom-right, zeros outside (section 5).
template <typename T>
struct Merge {
  Global<const float> in;
  Global<T> out;
  std::int64_t image_stride, first;  // tokens
  GridSize grid;
  int width;  // of a token; a row holds four

  template <int kCount>
  __device__ Pack<float, kCount> load(std::int64_t row, int column) const {
    const int columns = (grid.width + 1) / 2, cells = (grid.height + 1) / 2 * columns;
    const int cell = static_cast<int>(row % cells), part = column / width;
    const int y = 2 * (cell / columns) + part % 2, x = 2 * (cell % columns) + part / 2;
    if (y >= grid.height || x >= grid.width) return {};
    const std::int64_t token = row / cells * image_stride + first + std::int64_t{y} * grid.width + x;
    return load_floats<kCount, float>(in + (token * width + column % width));
  }
  template <int kCount>
  __device__ void store(std::int64_t row, int column, const Pack<float, kCount>& values) const {
    store_floats<kCount, T>(out + (row * 4 * width + column), values);
  }
};

// Row = a quarter of a merged cell, written to its place of the doubled grid (section 7).
struct Split {
  Global<const float> in;
  Global<float> out;
  std::int64_t image_stride, first;  // tokens
  GridSize merged;
  int width;

  template <int kCount>
  __device__ Pack<float, kCount> load(std::int64_t row, int column) const {
    return load_floats<kCount, float>(in + (row * width + column));
  }
  template <int kCount>
  __device__ void store(std::int64_t row, int column, const Pack<float, kCount>& values) const {
    const int cells = merged.height * merged.width;
    const int part = static_cast<int>(row % 4), cell = static_cast<int>(row / 4 % cells);
    const int y = 2 * (cell / merged.width) + part / 2, x = 2 * (cell % merged.width) + part % 2;
    const std::int64_t token = row / 4 / cells * image_stride + first + std::int64_t{y} * 2 * merged.width + x;
    store_floats<kCount, float>(out + (token * width + column), values);
  }
};

// Row = a head of q or of k inside qkv, in place.
template <typename T>
struct Heads {
  Global<T> qkv;
  int heads, width;

  __device__ std::int64_t place(std::int64_t row, int column) const {
    const std::int64_t token = row / (2 * heads), part = row % (2 * heads);
    return (token * 3 * heads + part) * width + column;
  }
  template <int kCount>
  __device__ Pack<float, kCount> load(std::int64_t row, int column) const {
    return load_floats<kCount, T>(qkv + place(row, column));
  }
  template <int kCount>
  __device__ void store(std::int64_t row, int column, const Pack<float, kCount>& values) const {
    store_floats<kCount, T>(qkv + place(row, column), values);
  }
};

struct Scale {
  Global<const float> weight;
  Global<const float> bias;
};

template <int kCount>
__device__ inline Pack<float, kCount> normalised(const Pack<float, kCount>& values, const Scale& scale, int column,
                                                 float mean, float factor) {
  const auto weight = load_floats<kCount, float>(scale.weight + column);
  const auto bias = load_floats<kCount, float>(scale.bias + column);
  Pack<float, kCount> result;
#pragma unroll
  for (int i = 0; i < kCount; ++i) {
    result.values[i] = (values.values[i] - mean) * factor * weight.values[i] + bias.values[i];
  }
  return result;
}

// Sum over the kWarps warps that share a row; every thread gets it.
template <int kWarps>
__device__ inline float row_sum(float value, Shared<float> sums) {
  value = warp_sum(value);
  if constexpr (kWarps > 1) {
    const int warp = static_cast<int>(threadIdx.x / kWarpSize);
    __syncthreads();  // the sums of before have been read
    if (threadIdx.x % kWarpSize == 0) sums[warp] = value;
    __syncthreads();
    value = 0.0f;
    const int first = warp / kWarps * kWarps;
#pragma unroll
    for (int i = 0; i < kWarps; ++i) value += sums[first + i];
  }
  return value;
}

// kWarps warps a row, which they keep in registers: width is a multiple of 4 and at most 1280 * kWarps. Mean first,
// then variance, as the reference does.
template <int kWarps, typename Access>
__global__ void __launch_bounds__(kThreads)
    layer_norm_kernel(Access access, Scale scale, float eps, std::int64_t rows, int width) {
  __shared__ SharedArray<float, kThreads / kWarpSize> sums;
  constexpr int kTeam = kWarps * static_cast<int>(kWarpSize);
  constexpr int kTeams = static_cast<int>(kThreads) / kTeam;
  const int member = static_cast<int>(threadIdx.x) % kTeam;
  const std::int64_t row = std::int64_t{blockIdx.x} * kTeams + static_cast<int>(threadIdx.x) / kTeam;
  const bool valid = row < rows;  // a team beyond the end still meets the barriers
  Pack<float, 4> values[kHeld];
  float sum = 0.0f;
#pragma unroll
  for (int i = 0; i < kHeld; ++i) {
    const int column = 4 * (i * kTeam + member);
    values[i] = {};
    if (valid && column < width) values[i] = access.template load<4>(row, column);
#pragma unroll
    for (int j = 0; j < 4; ++j) sum += values[i].values[j];
  }
  const float mean = row_sum<kWarps>(sum, sums.at(0)) / static_cast<float>(width);
  sum = 0.0f;
#pragma unroll
  for (int i = 0; i < kHeld; ++i) {
    if (4 * (i * kTeam + member) >= width) continue;
#pragma unroll
    for (int j = 0; j < 4; ++j) sum += (values[i].values[j] - mean) * (values[i].values[j] - mean);
  }
  const float factor = rsqrtf(row_sum<kWarps>(sum, sums.at(0)) / static_cast<float>(width) + eps);
#pragma unroll
  for (int i = 0; i < kHeld; ++i) {
    const int column = 4 * (i * kTeam + member);
    if (valid && column < width) access.store(row, column, normalised(values[i], scale, column, mean, factor));
  }
}

// Any width: one warp a row, which it reads three times. A thread writes only what it alone read: in place is allowed.
// With `second`, rows come in groups of 2 * group, and the second half of a group uses it (heads of q, heads of k).
template <typename Access>
__global__ void __launch_bounds__(kThreads)
    layer_norm_any_kernel(Access access, Scale first, Scale second, int group, float eps, float second_eps,
                          std::int64_t rows, int width) {
  const int lane = static_cast<int>(threadIdx.x % kWarpSize);
  const std::int64_t row = std::int64_t{blockIdx.x} * (kThreads / kWarpSize) + threadIdx.x / kWarpSize;
  if (row >= rows) return;  // the whole warp
  const bool other = group > 0 && row % (2 * group) >= group;
  float sum = 0.0f;
  for (int i = lane; i < width; i += kWarpSize) sum += access.template load<1>(row, i).values[0];
  const float mean = warp_sum(sum) / static_cast<float>(width);
  sum = 0.0f;
  for (int i = lane; i < width; i += kWarpSize) {
    const float difference = access.template load<1>(row, i).values[0] - mean;
    sum += difference * difference;
  }
  const float factor = rsqrtf(warp_sum(sum) / static_cast<float>(width) + (other ? second_eps : eps));
  for (int i = lane; i < width; i += kWarpSize) {
    access.store(row, i, normalised(access.template load<1>(row, i), other ? second : first, i, mean, factor));
  }
}

Scale scale_of(const NormWeights& norm) { return {floats(norm.weight), floats(norm.bias)}; }

// `unit` divides the distance between values that are read together.
template <typename Access>
void run(Stream& stream, const char* name, const Access& access, const NormWeights& norm, std::int64_t rows, int width,
         int unit) {
  const Scale scale = scale_of(norm);
  const auto run_held = [&](auto kernel, int warps) {
    stream.launch(name, {rows, width}, kernel, blocks_for(rows, kThreads / kWarpSize / warps), kThreads, access, scale,
                  norm.eps, rows, width);
  };
  constexpr int kWarpHolds = kHeld * 4 * static_cast<int>(kWarpSize);
  if (unit % 4 == 0 && width <= kWarpHolds) {
    run_held(&layer_norm_kernel<1, Access>, 1);
  } else if (unit % 4 == 0 && width <= 4 * kWarpHolds) {
    run_held(&layer_norm_kernel<4, Access>, 4);
  } else if (unit % 4 == 0 && width <= 8 * kWarpHolds) {
    run_held(&layer_norm_kernel<8, Access>, 8);
  } else {
    stream.launch(name, {rows, width}, &layer_norm_any_kernel<Access>, blocks_for(rows, kThreads / kWarpSize), kThreads,
                  access, scale, scale, 0, norm.eps, norm.eps, rows, width);
  }
}

}  // namespace

void CudaBackend::layer_norm(const NormWeights& norm, Tensor in, std::int64_t rows, int width, Tensor out) {
  dispatch(out.type, [&](auto element) {
    using T = typename decltype(element)::Type;
    run(stream_, "layer_norm", Rows<T>{data_of<const float>(in), data_of<T>(out), width}, norm, rows, width, width);
  });
}

void CudaBackend::qk_norm(const NormWeights& q, const NormWeights& k, Tensor qkv, std::int64_t rows, int heads,
                          int head_dim) {
  dispatch(qkv.type, [&](auto element) {
    using T = typename decltype(element)::Type;
    const std::int64_t parts = rows * 2 * heads;
    stream_.launch("qk_norm", {rows, heads, head_dim}, &layer_norm_any_kernel<Heads<T>>,
                   blocks_for(parts, kThreads / kWarpSize), kThreads, Heads<T>{data_of<T>(qkv), heads, head_dim},
                   scale_of(q), scale_of(k), heads, q.eps, k.eps, parts, head_dim);
  });
}

void CudaBackend::merge_norm(const NormWeights& norm, TokenRange in, int batch, GridSize grid, int width, Tensor out) {
  const std::int64_t cells = std::int64_t{(grid.height + 1) / 2} * ((grid.width + 1) / 2);
  dispatch(out.type, [&](auto element) {
    using T = typename decltype(element)::Type;
    const Merge<T> access{data_of<const float>(in.tensor), data_of<T>(out), in.image_stride, in.first, grid, width};
    run(stream_, "merge_norm", access, norm, batch * cells, 4 * width, width);
  });
}

void CudaBackend::split_norm(const NormWeights& norm, Tensor in, int batch, GridSize merged, int width,
                             TokenRange out) {
  const Split access{data_of<const float>(in), data_of<float>(out.tensor), out.image_stride, out.first, merged, width};
  run(stream_, "split_norm", access, norm, std::int64_t{batch} * merged.count() * 4, width, width);
}

}  // namespace tessera::cuda
