// LayerNorm over rows, over heads of q and k, over merged cells and over split quarters.
#include <algorithm>
#include <cstring>
#include <vector>

#include "cpu/cpu_backend.h"

namespace tessera::cpu {
namespace {

const float* floats(Tensor tensor) { return static_cast<const float*>(tensor.data); }
const float* floats(const Buffer& buffer) { return floats(buffer.tensor()); }

}  // namespace

void CpuBackend::normalise_row(const NormWeights& norm, const float* in, int width, Tensor out) const {
  if (out.type == DType::kF32) {
    kernels_.layer_norm_f32(in, floats(norm.weight), floats(norm.bias), norm.eps, width, static_cast<float*>(out.data));
  } else {
    kernels_.layer_norm_bf16(in, floats(norm.weight), floats(norm.bias), norm.eps, width,
                             static_cast<std::uint16_t*>(out.data));
  }
}

void CpuBackend::layer_norm(const NormWeights& norm, Tensor in, std::int64_t rows, int width, Tensor out) {
  pool_.run_ranges(rows, grain(width), [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t row = begin; row < end; ++row) {
      const std::size_t start = static_cast<std::size_t>(row) * static_cast<std::size_t>(width);
      normalise_row(norm, floats(in) + start, width, out.offset(start));
    }
  });
}

void CpuBackend::qk_norm(const NormWeights& q, const NormWeights& k, Tensor qkv, std::int64_t rows, int heads,
                         int head_dim) {
  const auto dim = static_cast<std::size_t>(head_dim);
  const auto count = static_cast<std::size_t>(heads);
  pool_.run_ranges(rows, grain(heads * head_dim), [&](std::int64_t begin, std::int64_t end, int) {
    std::vector<float> head(dim);
    for (std::int64_t row = begin; row < end; ++row) {
      for (std::size_t part = 0; part < 2 * count; ++part) {  // heads of q, then heads of k
        const Tensor place = qkv.offset((static_cast<std::size_t>(row) * 3 * count + part) * dim);
        if (place.type == DType::kBF16) {
          kernels_.to_float(static_cast<const std::uint16_t*>(place.data), dim, head.data());
        } else {
          std::memcpy(head.data(), place.data, dim * sizeof(float));
        }
        normalise_row(part < count ? q : k, head.data(), head_dim, place);
      }
    }
  });
}

void CpuBackend::merge_norm(const NormWeights& norm, TokenRange in, int batch, GridSize grid, int width, Tensor out) {
  const int merged_height = (grid.height + 1) / 2;
  const int merged_width = (grid.width + 1) / 2;
  const auto w = static_cast<std::size_t>(width);
  const std::int64_t cells = std::int64_t{merged_height} * merged_width;
  pool_.run_ranges(batch * cells, grain(4 * width), [&](std::int64_t begin, std::int64_t end, int) {
    std::vector<float> joined(4 * w);
    for (std::int64_t index = begin; index < end; ++index) {
      const std::int64_t image = index / cells;
      const auto cell = static_cast<int>(index % cells);
      for (int part = 0; part < 4; ++part) {  // top-left, bottom-left, top-right, bottom-right
        const int y = 2 * (cell / merged_width) + part % 2;
        const int x = 2 * (cell % merged_width) + part / 2;
        float* target = joined.data() + static_cast<std::size_t>(part) * w;
        if (y < grid.height && x < grid.width) {
          const std::int64_t token = image * in.image_stride + in.first + y * grid.width + x;
          std::memcpy(target, floats(in.tensor) + static_cast<std::size_t>(token) * w, w * sizeof(float));
        } else {
          std::fill_n(target, w, 0.0f);
        }
      }
      normalise_row(norm, joined.data(), 4 * width, out.offset(static_cast<std::size_t>(index) * 4 * w));
    }
  });
}

void CpuBackend::split_norm(const NormWeights& norm, Tensor in, int batch, GridSize merged, int width, TokenRange out) {
  const auto w = static_cast<std::size_t>(width);
  const std::int64_t cells = merged.count();
  pool_.run_ranges(batch * cells, grain(4 * width), [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t index = begin; index < end; ++index) {
      const std::int64_t image = index / cells;
      const auto cell = static_cast<int>(index % cells);
      for (int part = 0; part < 4; ++part) {  // top-left, top-right, bottom-left, bottom-right
        const int y = 2 * (cell / merged.width) + part / 2;
        const int x = 2 * (cell % merged.width) + part % 2;
        const std::int64_t token = image * out.image_stride + out.first + std::int64_t{y} * 2 * merged.width + x;
        normalise_row(norm, floats(in) + (static_cast<std::size_t>(index) * 4 + static_cast<std::size_t>(part)) * w,
                      width, out.tensor.offset(static_cast<std::size_t>(token) * w));
      }
    }
  });
}

}  // namespace tessera::cpu
