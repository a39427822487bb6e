// Matrix products of the CPU backend: oneDNN matmul on weights packed once, with bias, GELU and residual.
#pragma once

#include <memory>
#include <span>

#include "backend.h"
#include "cpu/kernels.h"

namespace tessera::cpu {

// Owns the packed matrices' engine and the primitives per shape.
class LinearEngine {
 public:
  LinearEngine(DType activation, const Kernels& kernels);
  ~LinearEngine();

  std::unique_ptr<LinearWeights> pack(const TensorView& weight, std::span<const float> bias,
                                      std::span<const float> row_scale);
  void run(const LinearWeights& weights, Tensor in, std::int64_t rows, LinearOptions options, Tensor out, int threads);

  // False where oneDNN has no bf16 matrix product for this processor.
  static bool supports_bf16();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tessera::cpu
