// int8 codes of tokens for storing.
#include "tessera/token_code.h"

#include "cpu/cpu_backend.h"

namespace tessera::cpu {

void CpuBackend::code_tokens(TokenRange from, int batch, int count, int width, Tensor codes, Tensor scales) {
  if (count <= 0) return;
  const auto w = static_cast<std::size_t>(width);
  const std::int64_t rows = std::int64_t{batch} * count;
  pool_.run_ranges(rows, grain(width), [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t row = begin; row < end; ++row) {
      const std::int64_t token = row / count * from.image_stride + from.first + row % count;
      const auto* values = static_cast<const float*>(from.tensor.data) + static_cast<std::size_t>(token) * w;
      auto* place = static_cast<std::int8_t*>(codes.data) + static_cast<std::size_t>(row) * w;
      static_cast<float*>(scales.data)[row] = code_token({values, w}, {place, w});
    }
  });
}

}  // namespace tessera::cpu
