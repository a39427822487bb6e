// Bilinear resize of position and filler tables (specification, section 3, step 5).
#include <algorithm>
#include <vector>

#include "cpu/cpu_backend.h"

namespace tessera::cpu {
namespace {

struct Sample {
  int low;
  int high;
  float weight;  // of `high`
};

// Half-pixel centres, no antialiasing, edge clamped.
std::vector<Sample> samples(int from, int to, int count) {
  std::vector<Sample> result;
  const float scale = static_cast<float>(from) / static_cast<float>(to);
  for (int i = 0; i < count; ++i) {
    const float source = std::max(0.0f, (static_cast<float>(i) + 0.5f) * scale - 0.5f);
    const int low = std::min(static_cast<int>(source), from - 1);
    result.push_back({low, std::min(low + 1, from - 1), source - static_cast<float>(low)});
  }
  return result;
}

}  // namespace

void CpuBackend::resize_grid(Tensor table, GridSize from, GridSize full, GridSize window, int width, Tensor out) {
  const float* source = static_cast<const float*>(table.data);
  float* target = static_cast<float*>(out.data);
  const auto w = static_cast<std::size_t>(width);
  const std::vector<Sample> rows = samples(from.height, full.height, window.height);
  const std::vector<Sample> columns = samples(from.width, full.width, window.width);
  const auto at = [&](int y, int x) { return source + static_cast<std::size_t>(y * from.width + x) * w; };
  for (const Sample& row : rows) {
    for (const Sample& column : columns) {
      const float* a = at(row.low, column.low);
      const float* b = at(row.low, column.high);
      const float* c = at(row.high, column.low);
      const float* d = at(row.high, column.high);
      for (std::size_t i = 0; i < w; ++i) {
        const float top = (1.0f - column.weight) * a[i] + column.weight * b[i];
        const float bottom = (1.0f - column.weight) * c[i] + column.weight * d[i];
        target[i] = (1.0f - row.weight) * top + row.weight * bottom;
      }
      target += w;
    }
  }
}

}  // namespace tessera::cpu
