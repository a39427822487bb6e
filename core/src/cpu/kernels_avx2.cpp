// Kernels for processors with AVX2; only functions in this file may use its instructions.
#include "cpu/kernels.h"

#include <cmath>

#include "model/float_convert.h"

#pragma GCC push_options
#pragma GCC target("avx2,fma,bmi,bmi2,f16c")

#define TESSERA_LANES 8
namespace tessera::cpu {
namespace avx2 {
namespace {
// Each builds on the one before.
#include "cpu/simd.inl"

#include "cpu/kernels.inl"

#include "cpu/attention.inl"

#include "cpu/product.inl"
}  // namespace
}  // namespace avx2
}  // namespace tessera::cpu

#pragma GCC pop_options

namespace tessera::cpu {

const Kernels& kernels_avx2() {
  static constexpr Kernels table = {
      "avx2",
      avx2::to_bf16,
      avx2::to_float,
      avx2::add,
      avx2::gelu_f32,
      avx2::gelu_bf16,
      avx2::layer_norm_f32,
      avx2::layer_norm_bf16,
      avx2::attention_workspace,
      avx2::attention,
      true,
      avx2::kPanel,
      avx2::product_weights,
      avx2::pack_product,
      avx2::product,
  };
  return table;
}

}  // namespace tessera::cpu
