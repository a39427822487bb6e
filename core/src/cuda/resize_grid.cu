// Bilinear resize of position and filler tables (specification, section 3, step 5).
#include "cuda/cuda_backend.h"
#include "cuda/device.cuh"
#include "cuda/dispatch.h"

namespace tessera::cuda {
namespace {

constexpr unsigned kThreads = 256;

struct Sample {
  int low;
  int high;
  float weight;  // of `high`
};

// Half-pixel centres, no antialiasing, edge clamped.
__device__ inline Sample sample(int index, int from, int to) {
  const float scale = static_cast<float>(from) / static_cast<float>(to);
  const float source = fmaxf(0.0f, (static_cast<float>(index) + 0.5f) * scale - 0.5f);
  const int whole = static_cast<int>(source);
  const int low = whole < from - 1 ? whole : from - 1;
  return {low, low + 1 < from ? low + 1 : from - 1, source - static_cast<float>(low)};
}

// One thread a value of the window.
__global__ void __launch_bounds__(kThreads)
    resize_grid_kernel(Global<const float> table, Global<float> out, GridSize from, GridSize full, GridSize window,
                       int width) {
  const std::int64_t index = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (index >= std::int64_t{window.height} * window.width * width) return;
  const int cell = static_cast<int>(index / width), channel = static_cast<int>(index % width);
  const Sample row = sample(cell / window.width, from.height, full.height);
  const Sample column = sample(cell % window.width, from.width, full.width);
  const auto at = [&](int y, int x) { return table[(std::int64_t{y} * from.width + x) * width + channel]; };
  const float top = (1.0f - column.weight) * at(row.low, column.low) + column.weight * at(row.low, column.high);
  const float bottom = (1.0f - column.weight) * at(row.high, column.low) + column.weight * at(row.high, column.high);
  out[index] = (1.0f - row.weight) * top + row.weight * bottom;
}

}  // namespace

void CudaBackend::resize_grid(Tensor table, GridSize from, GridSize full, GridSize window, int width, Tensor out) {
  const std::int64_t values = std::int64_t{window.count()} * width;
  stream_.launch("resize_grid", {from.height, from.width, full.height, full.width, width}, &resize_grid_kernel,
                 blocks_for(values, kThreads), kThreads, data_of<const float>(table), data_of<float>(out), from, full,
                 window, width);
}

}  // namespace tessera::cuda
