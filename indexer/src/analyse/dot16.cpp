// Integer dot products of fixed-point vectors: portable, and the choice of instruction set.
#include "analyse/dot16.h"

namespace tessera {
namespace {

Dot dot_one(const std::int16_t* a, const std::int16_t* b, std::size_t count) {
  Dot sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += Dot(a[i]) * b[i];
  return sum;
}

void dot_rows_portable(const std::int16_t* query, const std::int16_t* rows, std::size_t stride, std::size_t count,
                       Dot* out) {
  for (std::size_t r = 0; r < count; ++r) out[r] = dot_one(query, rows + r * stride, stride);
}

std::uint32_t panel_hits_portable(const std::int16_t* queries, std::size_t stride, const std::int16_t* panel,
                                  std::size_t width, Dot least) {
  std::uint32_t hits = 0;
  for (std::size_t q = 0; q < kPanelQueries; ++q) {
    const std::int16_t* query = queries + q * stride;
    for (std::size_t r = 0; r < kPanelRows; ++r) {
      Dot sum = 0;
      for (std::size_t i = 0; i < width; i += 2) {
        const std::int16_t* pair = panel + i * kPanelRows + 2 * r;
        sum += Dot(query[i]) * pair[0] + Dot(query[i + 1]) * pair[1];
      }
      hits |= std::uint32_t(sum >= least) << (q * kPanelRows + r);
    }
  }
  return hits;
}

constexpr DotKernels kDotPortable{dot_rows_portable, panel_hits_portable};

}  // namespace

const DotKernels& dot_kernels(SimdLevel level) noexcept {
#if defined(__x86_64__)
  if (level != SimdLevel::kPortable) return kDotAvx2;
#endif
  (void)level;
  return kDotPortable;
}

}  // namespace tessera
