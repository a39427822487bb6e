// Stem outputs: patch features gathered from maps and pooled over regions, the pooled global feature and its
// projection.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "cpu/cpu_backend.h"

namespace tessera::cpu {

void CpuBackend::gather_maps(std::span<const FeatureMap> maps, int batch, GridSize grid, Tensor out) {
  std::size_t features = 0;
  for (const FeatureMap& map : maps) features += static_cast<std::size_t>(map.channels);
  const std::int64_t cells = grid.count();
  pool_.run_ranges(batch * cells, grain(static_cast<int>(features)), [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t index = begin; index < end; ++index) {
      const std::int64_t image = index / cells, y = index % cells / grid.width, x = index % cells % grid.width;
      std::size_t place = static_cast<std::size_t>(index) * features;
      for (const FeatureMap& map : maps) {
        const int factor = map.size == grid ? 1 : 2;
        const std::int64_t cell = (image * map.size.height + y / factor) * map.size.width + x / factor;
        const auto channels = static_cast<std::size_t>(map.channels);
        std::memcpy(out.offset(place).data, map.tensor.offset(static_cast<std::size_t>(cell) * channels).data,
                    channels * dtype_size(out.type));
        place += channels;
      }
    }
  });
}

void CpuBackend::pool_map(FeatureMap map, int batch, Tensor out) {
  const auto channels = static_cast<std::size_t>(map.channels);
  const std::int64_t cells = map.size.count();
  pool_.run_ranges(batch, 1, [&](std::int64_t begin, std::int64_t end, int) {
    std::vector<float> row(channels), sum(channels);
    for (std::int64_t image = begin; image < end; ++image) {
      std::fill(sum.begin(), sum.end(), 0.0f);
      for (std::int64_t cell = 0; cell < cells; ++cell) {
        const Tensor place = map.tensor.offset(static_cast<std::size_t>(image * cells + cell) * channels);
        const float* values = static_cast<const float*>(place.data);
        if (place.type == DType::kBF16) {
          kernels_.to_float(static_cast<const std::uint16_t*>(place.data), channels, row.data());
          values = row.data();
        }
        kernels_.add(sum.data(), values, channels, sum.data());
      }
      float* target = static_cast<float*>(out.data) + static_cast<std::size_t>(image) * channels;
      float squares = 0.0f;  // of the roots: the sum of the positive means
      for (std::size_t i = 0; i < channels; ++i) {
        const float mean = std::max(sum[i] / static_cast<float>(cells), 0.0f);
        squares += mean;
        target[i] = std::sqrt(mean);
      }
      const float norm = std::max(std::sqrt(squares), 1e-12f);
      for (std::size_t i = 0; i < channels; ++i) target[i] /= norm;
    }
  });
}

void CpuBackend::pool_ranges(Tensor in, int batch, GridSize grid, int features, std::span<const CellRange> ranges,
                             Tensor out) {
  const auto width = static_cast<std::size_t>(features), count = ranges.size();
  const std::size_t columns = 2 * width + count;
  const bool bf16 = in.type == DType::kBF16;
  pool_.run_ranges(static_cast<std::int64_t>(count) * batch, 1, [&](std::int64_t begin, std::int64_t end, int) {
    std::vector<float> row(columns), cell_values(width);
    for (std::int64_t index = begin; index < end; ++index) {
      const auto image = static_cast<std::size_t>(index) / count, number = static_cast<std::size_t>(index) % count;
      const CellRange& range = ranges[number];
      std::fill(row.begin(), row.end(), 0.0f);
      float* greatest = row.data() + width;
      std::fill(greatest, greatest + width, -std::numeric_limits<float>::infinity());
      for (int y = range.top; y < range.bottom; ++y) {
        for (int x = range.left; x < range.right; ++x) {
          const std::size_t cell = image * static_cast<std::size_t>(grid.count()) +
                                   static_cast<std::size_t>(y) * static_cast<std::size_t>(grid.width) +
                                   static_cast<std::size_t>(x);
          const Tensor place = in.offset(cell * width);
          const float* values = static_cast<const float*>(place.data);
          if (bf16) {
            kernels_.to_float(static_cast<const std::uint16_t*>(place.data), width, cell_values.data());
            values = cell_values.data();
          }
          kernels_.add(row.data(), values, width, row.data());
          for (std::size_t i = 0; i < width; ++i) greatest[i] = std::max(greatest[i], values[i]);
        }
      }
      const auto cells = static_cast<float>((range.bottom - range.top) * (range.right - range.left));
      for (std::size_t i = 0; i < width; ++i) row[i] /= cells;
      row[2 * width + number] = 1.0f;
      const Tensor target = out.offset(static_cast<std::size_t>(index) * columns);
      if (bf16) {
        kernels_.to_bf16(row.data(), columns, static_cast<std::uint16_t*>(target.data));
      } else {
        std::memcpy(target.data, row.data(), columns * sizeof(float));
      }
    }
  });
}

void CpuBackend::add_projection(Tensor weight, Tensor bias, Tensor in, int batch, int in_width, int out_width,
                                TokenRange out) {
  const auto columns = static_cast<std::size_t>(in_width);
  const auto rows = static_cast<std::size_t>(out_width);
  pool_.run_ranges(std::int64_t{batch} * out_width, grain(in_width), [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t index = begin; index < end; ++index) {
      const auto image = static_cast<std::size_t>(index) / rows;
      const auto row = static_cast<std::size_t>(index) % rows;
      const float* values = static_cast<const float*>(in.data) + image * columns;
      const float* factors = static_cast<const float*>(weight.data) + row * columns;
      double sum = static_cast<const float*>(bias.data)[row];
      for (std::size_t i = 0; i < columns; ++i) sum += double{factors[i]} * values[i];
      const std::int64_t token = static_cast<std::int64_t>(image) * out.image_stride + out.first;
      static_cast<float*>(out.tensor.data)[static_cast<std::size_t>(token) * rows + row] += static_cast<float>(sum);
    }
  });
}

}  // namespace tessera::cpu
