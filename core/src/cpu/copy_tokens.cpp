// Token copies between sequences: slicing, joining, broadcasting, and adding positions.
#include <cstring>
#include <vector>

#include "cpu/cpu_backend.h"

namespace tessera::cpu {

void CpuBackend::copy_tokens(TokenRange from, TokenRange to, int batch, int count, int width, Tensor addend) {
  if (count <= 0) return;
  const auto w = static_cast<std::size_t>(width);
  const std::int64_t rows = std::int64_t{batch} * count;
  pool_.run_ranges(rows, grain(width), [&](std::int64_t begin, std::int64_t end, int) {
    std::vector<float> sum(addend.data != nullptr ? w : 0);
    for (std::int64_t index = begin; index < end; ++index) {
      const std::int64_t image = index / count;
      const std::int64_t token = index % count;
      const auto place = [&](const TokenRange& range) {
        return range.tensor.offset(static_cast<std::size_t>(image * range.image_stride + range.first + token) * w);
      };
      const float* source = static_cast<const float*>(place(from).data);
      if (addend.data != nullptr) {
        kernels_.add(source, static_cast<const float*>(addend.data) + static_cast<std::size_t>(token) * w, w,
                     sum.data());
        source = sum.data();
      }
      store_row(source, w, place(to));
    }
  });
}

}  // namespace tessera::cpu
