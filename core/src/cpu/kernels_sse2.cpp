// Kernels for processors with SSE2; only functions in this file may use its instructions.
#include "cpu/kernels.h"

#include <cmath>

#include "model/float_convert.h"

#define TESSERA_LANES 4
namespace tessera::cpu {
namespace sse2 {
namespace {
// Each builds on the one before.
#include "cpu/simd.inl"

#include "cpu/kernels.inl"

#include "cpu/attention.inl"

#include "cpu/product.inl"
}  // namespace
}  // namespace sse2
}  // namespace tessera::cpu

namespace tessera::cpu {

const Kernels& kernels_sse2() {
  static constexpr Kernels table = {
      "sse2",
      sse2::to_bf16,
      sse2::to_float,
      sse2::add,
      sse2::gelu_f32,
      sse2::gelu_bf16,
      sse2::layer_norm_f32,
      sse2::layer_norm_bf16,
      sse2::attention_workspace,
      sse2::attention,
      false,
      sse2::kPanel,
      sse2::product_weights,
      sse2::pack_product,
      sse2::product,
  };
  return table;
}

}  // namespace tessera::cpu
