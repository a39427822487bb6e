// Matrix products by oneDNN with bias, GELU and residual: bf16, and f32 where oneDNN has AVX-512 kernels.
#pragma once

#include <memory>
#include <span>

#include "backend.h"
#include "cpu/kernels.h"
#include "cpu/thread_pool.h"

namespace tessera::cpu {

// Owns the packed matrices' engine and the primitives per shape.
class OneDnnProducts {
 public:
  OneDnnProducts(DType activation, const Kernels& kernels, ThreadPool& pool);
  ~OneDnnProducts();

  std::unique_ptr<LinearWeights> pack(const TensorView& weight, std::span<const float> bias,
                                      std::span<const float> row_scale);
  void run(const LinearWeights& weights, Tensor in, std::int64_t rows, LinearOptions options, Tensor out);

  // False where oneDNN has no bf16 matrix product for this processor.
  static bool supports_bf16();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tessera::cpu
