// What the processor's cores and the libraries' matrix products reach at this moment, in GFLOP/s of f32.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "backend.h"

namespace tessera::bench {

struct PeakRates {
  double fma = 0;     // multiply-adds in registers alone, on all threads at once; mean of before and after the products
  double own = 0;     // kSize x kSize product by the backend
  double onednn = 0;  // the same by oneDNN's sgemm
  double openblas = 0;  // 0 where the library is not installed

  double best_product() const { return std::max({own, onednn, openblas}); }
};

class ProductPeak {
 public:
  static constexpr int kSize = 1536;

  // Throws kUnsupported on a processor without AVX2.
  ProductPeak(Backend& backend, int threads);

  PeakRates measure() const;

 private:
  using Sgemm = void (*)(const char*, const char*, const int*, const int*, const int*, const float*, const float*,
                         const int*, const float*, const int*, const float*, float*, const int*);

  double fma() const;

  Backend& backend_;
  int threads_;
  std::vector<float> a_, b_;
  mutable std::vector<float> out_;
  std::unique_ptr<LinearWeights> weights_;
  Buffer in_, result_;
  Sgemm openblas_ = nullptr;
};

}  // namespace tessera::bench
