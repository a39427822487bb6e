// Matrix products of the CPU backend on weights packed once, with bias, GELU and residual; own f32 kernels or oneDNN.
#pragma once

#include <memory>
#include <span>

#include "backend.h"
#include "cpu/kernels.h"
#include "cpu/linear_onednn.h"
#include "cpu/packed_matrix.h"
#include "cpu/thread_pool.h"

namespace tessera::cpu {

// bf16 and AVX-512 are oneDNN's; in f32 on narrower vectors the own kernels are faster and fuse what follows.
class LinearEngine {
 public:
  LinearEngine(DType activation, const Kernels& kernels, ThreadPool& pool);

  std::unique_ptr<LinearWeights> pack(const TensorView& weight, std::span<const float> bias,
                                      std::span<const float> row_scale);
  void run(const LinearWeights& weights, Tensor in, std::int64_t rows, LinearOptions options, Tensor out);

 private:
  const Kernels& kernels_;
  ThreadPool& pool_;
  std::unique_ptr<OneDnnProducts> onednn_;  // null: own kernels
};

}  // namespace tessera::cpu
