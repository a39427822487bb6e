// Convolutions of the CPU backend by oneDNN on NHWC maps, weights packed per primitive layout.
#pragma once

#include <memory>
#include <span>

#include "backend.h"
#include "cpu/thread_pool.h"

namespace tessera::cpu {

class ConvolutionEngine {
 public:
  ConvolutionEngine(DType activation, ThreadPool& pool);
  ~ConvolutionEngine();

  std::unique_ptr<ConvWeights> pack(const ConvShape& shape, const TensorView& weight, std::span<const float> bias);
  void run(const ConvWeights& weights, FeatureMap in, int batch, Tensor addend, Tensor out);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tessera::cpu
