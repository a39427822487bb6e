// Stem outputs: patch features gathered from maps and pooled over regions, the pooled global feature and its
// projection.
#include <algorithm>

#include "cuda/cuda_backend.h"
#include "cuda/device.cuh"
#include "cuda/dispatch.h"

namespace tessera::cuda {
namespace {

constexpr unsigned kThreads = 256;

struct Gather {
  GridSize grid, map;
  int channels;         // of the map
  int first, features;  // where they go among all features of a cell
  std::int64_t values;
};

// One thread a value of one map's part of the output.
template <typename T>
__global__ void __launch_bounds__(kThreads) gather_map_kernel(Global<const T> map, Global<T> out, Gather g) {
  const std::int64_t index = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (index >= g.values) return;
  const int channel = static_cast<int>(index % g.channels);
  const std::int64_t cell = index / g.channels;
  const int x = static_cast<int>(cell % g.grid.width), y = static_cast<int>(cell / g.grid.width % g.grid.height);
  const std::int64_t image = cell / g.grid.width / g.grid.height;
  const int factor = g.map.height == g.grid.height && g.map.width == g.grid.width ? 1 : 2;
  const std::int64_t from = (image * g.map.height + y / factor) * g.map.width + x / factor;
  out[cell * g.features + g.first + channel] = map[from * g.channels + channel];
}

// One block an image: a thread sums whole channels, so that no order depends on the launch, then all share the norm.
template <typename T>
__global__ void __launch_bounds__(kThreads)
    pool_map_kernel(Global<const T> map, Global<float> out, std::int64_t cells, int channels) {
  __shared__ SharedArray<float, kThreads / kWarpSize> sums;
  const std::int64_t image = blockIdx.x;
  float squares = 0.0f;  // of the roots: the sum of the positive means
  for (int c = static_cast<int>(threadIdx.x); c < channels; c += kThreads) {
    float sum = 0.0f;
    for (std::int64_t cell = 0; cell < cells; ++cell) sum += to_float(map[(image * cells + cell) * channels + c]);
    const float mean = fmaxf(sum / static_cast<float>(cells), 0.0f);
    squares += mean;
    out[image * channels + c] = sqrtf(mean);
  }
  squares = warp_sum(squares);
  if (threadIdx.x % kWarpSize == 0) sums[threadIdx.x / kWarpSize] = squares;
  __syncthreads();
  float total = 0.0f;
  for (unsigned i = 0; i < kThreads / kWarpSize; ++i) total += sums[i];
  const float norm = fmaxf(sqrtf(total), 1e-12f);
  for (int c = static_cast<int>(threadIdx.x); c < channels; c += kThreads) {
    out[image * channels + c] = out[image * channels + c] / norm;  // this thread's own value
  }
}

struct Ranges {
  CellRange range[kMostCellRanges];
  int count;
  GridSize grid;
  int features;
  std::int64_t values;
};

// One thread a value of the output, which walks over the range's cells.
template <typename T>
__global__ void __launch_bounds__(kThreads) pool_ranges_kernel(Global<const T> in, Global<T> out, Ranges r) {
  const std::int64_t index = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (index >= r.values) return;
  const int columns = 2 * r.features + r.count;
  const int column = static_cast<int>(index % columns), number = static_cast<int>(index / columns % r.count);
  const std::int64_t image = index / columns / r.count;
  if (column >= 2 * r.features) {
    out[index] = from_float<T>(column - 2 * r.features == number ? 1.0f : 0.0f);
    return;
  }
  const CellRange range = r.range[number];
  const bool mean = column < r.features;
  const int feature = mean ? column : column - r.features;
  float sum = 0.0f, greatest = -INFINITY;
  for (int y = range.top; y < range.bottom; ++y) {
    for (int x = range.left; x < range.right; ++x) {
      const std::int64_t cell = (image * r.grid.height + y) * r.grid.width + x;
      const float value = to_float(in[cell * r.features + feature]);
      sum += value;
      greatest = fmaxf(greatest, value);
    }
  }
  const auto cells = static_cast<float>((range.bottom - range.top) * (range.right - range.left));
  out[index] = from_float<T>(mean ? sum / cells : greatest);
}

struct Projection {
  int in, out;
  std::int64_t image_stride, first;  // tokens
  std::int64_t values;
};

// One warp a value: weight row times feature, added to the image's first token.
__global__ void __launch_bounds__(kThreads)
    add_projection_kernel(Global<const float> weight, Global<const float> bias, Global<const float> in,
                          Global<float> out, Projection p) {
  const std::int64_t index = std::int64_t{blockIdx.x} * (kThreads / kWarpSize) + threadIdx.x / kWarpSize;
  if (index >= p.values) return;  // the whole warp
  const int lane = static_cast<int>(threadIdx.x % kWarpSize);
  const std::int64_t image = index / p.out, row = index % p.out;
  float sum = 0.0f;
  for (int i = lane; i < p.in; i += kWarpSize) sum += weight[row * p.in + i] * in[image * p.in + i];
  sum = warp_sum(sum);
  if (lane != 0) return;
  const std::int64_t place = (image * p.image_stride + p.first) * p.out + row;
  out[place] = out[place] + (sum + bias[row]);
}

}  // namespace

void CudaBackend::gather_maps(std::span<const FeatureMap> maps, int batch, GridSize grid, Tensor out) {
  Gather gather{grid, {}, 0, 0, 0, 0};
  for (const FeatureMap& map : maps) gather.features += map.channels;
  for (const FeatureMap& map : maps) {
    gather.map = map.size;
    gather.channels = map.channels;
    gather.values = std::int64_t{batch} * grid.count() * map.channels;
    dispatch(out.type, [&](auto element) {
      using T = typename decltype(element)::Type;
      stream_.launch("gather_maps", {batch, grid.height, grid.width, map.channels}, &gather_map_kernel<T>,
                     blocks_for(gather.values, kThreads), kThreads, data_of<const T>(map.tensor), data_of<T>(out),
                     gather);
    });
    gather.first += map.channels;
  }
}

void CudaBackend::pool_map(FeatureMap map, int batch, Tensor out) {
  dispatch(map.tensor.type, [&](auto element) {
    using T = typename decltype(element)::Type;
    stream_.launch("pool_map", {batch, map.size.height, map.size.width, map.channels}, &pool_map_kernel<T>, batch,
                   kThreads, data_of<const T>(map.tensor), data_of<float>(out), std::int64_t{map.size.count()},
                   map.channels);
  });
}

void CudaBackend::pool_ranges(Tensor in, int batch, GridSize grid, int features, std::span<const CellRange> ranges,
                              Tensor out) {
  Ranges all{};
  all.count = static_cast<int>(ranges.size());
  std::copy(ranges.begin(), ranges.end(), all.range);
  all.grid = grid;
  all.features = features;
  all.values = std::int64_t{batch} * all.count * (2 * features + all.count);
  dispatch(in.type, [&](auto element) {
    using T = typename decltype(element)::Type;
    stream_.launch("pool_ranges", {batch, grid.height, grid.width, features}, &pool_ranges_kernel<T>,
                   blocks_for(all.values, kThreads), kThreads, data_of<const T>(in), data_of<T>(out), all);
  });
}

void CudaBackend::add_projection(Tensor weight, Tensor bias, Tensor in, int batch, int in_width, int out_width,
                                 TokenRange out) {
  const Projection projection{in_width, out_width, out.image_stride, out.first, std::int64_t{batch} * out_width};
  stream_.launch("add_projection", {batch, in_width, out_width}, &add_projection_kernel,
                 blocks_for(projection.values, kThreads / kWarpSize), kThreads, data_of<const float>(weight),
                 data_of<const float>(bias), data_of<const float>(in), data_of<float>(out.tensor), projection);
}

}  // namespace tessera::cuda
