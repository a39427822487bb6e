// A matrix [out, in] packed for the own f32 product kernels, and the split of a product over threads.
#pragma once

#include <cstdint>
#include <span>

#include "cpu/aligned_memory.h"
#include "cpu/kernels.h"
#include "cpu/thread_pool.h"
#include "tessera/safetensors.h"

namespace tessera::cpu {

class PackedMatrix {
 public:
  // `weight` [out, in]; row o is multiplied by row_scale[o] unless that is empty; `bias` holds `out` values or none.
  PackedMatrix(const TensorView& weight, std::span<const float> bias, std::span<const float> row_scale,
               const Kernels& kernels, ThreadPool& pool);

  std::int64_t in() const { return in_; }
  std::int64_t out() const { return out_; }

  // out [rows, out] = a [rows, in] * matrix^T + bias, then GELU or + addend (unless null); spread over the pool.
  void multiply(const float* a, std::int64_t rows, bool gelu, const float* addend, float* out, const Kernels& kernels,
                ThreadPool& pool) const;

 private:
  std::int64_t in_ = 0;
  std::int64_t out_ = 0;
  std::int64_t panels_ = 0;
  AlignedFloats weights_;
  AlignedFloats bias_;  // padded to whole panels
};

}  // namespace tessera::cpu
