// Kernels for processors with AVX512; only functions in this file may use its instructions.
#include "cpu/kernels.h"

#include <cmath>

#include "model/float_convert.h"

#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512cd,avx2,fma,bmi,bmi2,f16c,prefer-vector-width=512")

#define TESSERA_LANES 16
namespace tessera::cpu {
namespace avx512 {
namespace {
// Each builds on the one before.
#include "cpu/simd.inl"

#include "cpu/kernels.inl"

#include "cpu/attention.inl"
}  // namespace
}  // namespace avx512
}  // namespace tessera::cpu

#pragma GCC pop_options

namespace tessera::cpu {

const Kernels& kernels_avx512() {
  static const Kernels& narrower = kernels_avx2();
  static const Kernels table = {
      "avx512",
      avx512::to_bf16,
      avx512::to_float,
      avx512::add,
      avx512::gelu_f32,
      avx512::gelu_bf16,
      avx512::layer_norm_f32,
      avx512::layer_norm_bf16,
      avx512::attention_workspace,
      avx512::attention,
      false,
      narrower.product_panel,
      narrower.product_weights,
      narrower.pack_product,
      narrower.product,
  };
  return table;
}

}  // namespace tessera::cpu
