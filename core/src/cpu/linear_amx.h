// bf16 matrix products on AMX tiles: weights packed once, epilogue (bias, GELU, residual) fused into the product.
//
// Thread rule: a TileProducts object serves one call at a time; packed weights are constant after packing.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <vector>

#include "backend.h"
#include "cpu/kernels.h"

namespace tessera::cpu {

// Weights as tiles: panels of 32 outputs; in a panel, per 32 inputs, two tiles of 16 outputs; in a tile, row r holds
// inputs 2r and 2r + 1 of each output side by side. Outputs past the last are zero.
class TiledWeights final : public LinearWeights {
 public:
  struct Free {
    void operator()(std::uint16_t* data) const noexcept { std::free(data); }
  };
  std::unique_ptr<std::uint16_t[], Free> packed;
  std::vector<float> bias;  // one per output of every panel, or none

  int panels() const { return (out + 31) / 32; }
};

class TileProducts {
 public:
  // Tiles take 32 inputs at a time; other widths are oneDNN's.
  static bool supports(int in) { return in > 0 && in % 32 == 0; }

  // As Backend::pack_linear. Throws kLimit if there is not enough memory.
  static std::unique_ptr<TiledWeights> pack(const Kernels& kernels, const TensorView& weight,
                                            std::span<const float> bias, std::span<const float> row_scale, int threads);

  // As Backend::linear; `in` is bf16 [rows, in].
  void run(const TiledWeights& weights, Tensor in, std::int64_t rows, LinearOptions options, Tensor out, int threads);

 private:
  std::vector<float> scratch_;  // sums of one panel, one part per thread
};

}  // namespace tessera::cpu
