// Conditioning and cutting of pictures into patches (specification, section 3, steps 2 and 3).
#include <array>
#include <vector>

#include "cpu/cpu_backend.h"

namespace tessera::cpu {

void CpuBackend::patchify(std::span<const Image> images, int patch, const Conditioning& conditioning, Tensor out) {
  std::array<std::array<float, 256>, 3> table;  // (value / 255 - mean) / std
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t v = 0; v < 256; ++v) {
      table[c][v] = (static_cast<float>(v) / 255.0f - conditioning.mean[c]) / conditioning.std[c];
    }
  }
  const int columns = images[0].width / patch;
  const std::int64_t count = std::int64_t{images[0].height / patch} * columns;
  const auto p = static_cast<std::size_t>(patch);
  const auto total = static_cast<std::int64_t>(images.size()) * count;
  pool_.run_ranges(total, grain(3 * patch * patch), [&](std::int64_t begin, std::int64_t end, int) {
    std::vector<float> values(3 * p * p);
    for (std::int64_t index = begin; index < end; ++index) {
      const Image& image = images[static_cast<std::size_t>(index / count)];
      const auto top = static_cast<std::size_t>(index % count / columns) * p;
      const auto left = static_cast<std::size_t>(index % count % columns) * p;
      for (std::size_t y = 0; y < p; ++y) {
        const std::uint8_t* row = image.rgb.data() + 3 * ((top + y) * static_cast<std::size_t>(image.width) + left);
        for (std::size_t x = 0; x < p; ++x) {
          for (std::size_t c = 0; c < 3; ++c) values[(c * p + y) * p + x] = table[c][row[3 * x + c]];
        }
      }
      store_row(values.data(), values.size(), out.offset(static_cast<std::size_t>(index) * values.size()));
    }
  });
}

void CpuBackend::patchify(std::span<const float> pixels, int batch, GridSize grid, int patch,
                          const Conditioning& conditioning, Tensor out) {
  const auto p = static_cast<std::size_t>(patch);
  const std::size_t width = static_cast<std::size_t>(grid.width) * p;
  const std::size_t plane = static_cast<std::size_t>(grid.height) * p * width;
  const std::int64_t count = grid.count();
  pool_.run_ranges(batch * count, grain(3 * patch * patch), [&](std::int64_t begin, std::int64_t end, int) {
    std::vector<float> values(3 * p * p);
    for (std::int64_t index = begin; index < end; ++index) {
      const float* image = pixels.data() + static_cast<std::size_t>(index / count) * 3 * plane;
      const auto top = static_cast<std::size_t>(index % count / grid.width) * p;
      const auto left = static_cast<std::size_t>(index % count % grid.width) * p;
      for (std::size_t c = 0; c < 3; ++c) {
        for (std::size_t y = 0; y < p; ++y) {
          const float* row = image + c * plane + (top + y) * width + left;
          for (std::size_t x = 0; x < p; ++x) {
            values[(c * p + y) * p + x] = (row[x] - conditioning.mean[c]) / conditioning.std[c];
          }
        }
      }
      store_row(values.data(), values.size(), out.offset(static_cast<std::size_t>(index) * values.size()));
    }
  });
}

}  // namespace tessera::cpu
