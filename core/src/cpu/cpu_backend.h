// Backend on the processor: own vector kernels and oneDNN on threads of its own.
#pragma once

#include <algorithm>

#include "backend.h"
#include "cpu/convolution.h"
#include "cpu/kernels.h"
#include "cpu/linear.h"
#include "cpu/thread_pool.h"

namespace tessera::cpu {

class CpuBackend final : public Backend {
 public:
  // `kernel_level` limits the own kernels (select_kernels); tests use it to check every instruction set.
  CpuBackend(DType activation, int threads, int kernel_level = kBestKernels);

  std::string name() const override { return "cpu"; }
  std::string detail() const override;
  DType activation_type() const override { return activation_; }

  void* allocate(std::size_t bytes) override;
  void deallocate(void* data) noexcept override;
  void upload(Tensor destination, std::span<const float> values) override;
  void download(Tensor source, std::span<float> values) override;
  void download_codes(Tensor source, std::span<std::int8_t> codes) override;

  std::unique_ptr<LinearWeights> pack_linear(const TensorView& weight, std::span<const float> bias,
                                             std::span<const float> row_scale) override;
  void patchify(std::span<const Image> images, int patch, const Conditioning& conditioning, Tensor out) override;
  void patchify(std::span<const float> pixels, int batch, GridSize grid, int patch, const Conditioning& conditioning,
                Tensor out) override;
  void linear(const LinearWeights& weights, Tensor in, std::int64_t rows, LinearOptions options, Tensor out) override;
  std::unique_ptr<ConvWeights> pack_convolution(const ConvShape& shape, const TensorView& weight,
                                                std::span<const float> bias) override;
  void convolution(const ConvWeights& weights, FeatureMap in, int batch, Tensor addend, Tensor out) override;
  void gather_maps(std::span<const FeatureMap> maps, int batch, GridSize grid, Tensor out) override;
  void pool_map(FeatureMap map, int batch, Tensor out) override;
  void pool_ranges(Tensor in, int batch, GridSize grid, int features, std::span<const CellRange> ranges,
                   Tensor out) override;
  void add_projection(Tensor weight, Tensor bias, Tensor in, int batch, int in_width, int out_width,
                      TokenRange out) override;
  void layer_norm(const NormWeights& norm, Tensor in, std::int64_t rows, int width, Tensor out) override;
  void qk_norm(const NormWeights& q, const NormWeights& k, Tensor qkv, std::int64_t rows, int heads,
               int head_dim) override;
  void attention(Tensor qkv, int batch, int tokens, int heads, int head_dim, Tensor out) override;
  void resize_grid(Tensor table, GridSize from, GridSize full, GridSize window, int width, Tensor out) override;
  void copy_tokens(TokenRange from, TokenRange to, int batch, int count, int width, Tensor addend) override;
  void code_tokens(TokenRange from, int batch, int count, int width, Tensor codes, Tensor scales) override;
  void merge_norm(const NormWeights& norm, TokenRange in, int batch, GridSize grid, int width, Tensor out) override;
  void split_norm(const NormWeights& norm, Tensor in, int batch, GridSize merged, int width, TokenRange out) override;

 private:
  // Rows of `width` values that repay handing to a thread, for operations that only read and write.
  static std::int64_t grain(int width) { return 1 + 16384 / std::max(width, 1); }
  // One row of f32 to `out` of any type.
  void normalise_row(const NormWeights& norm, const float* in, int width, Tensor out) const;
  void store_row(const float* in, std::size_t count, Tensor out) const;

  DType activation_;
  bool bf16_refused_ = false;
  const Kernels& kernels_;
  ThreadPool pool_;
  LinearEngine products_;
  ConvolutionEngine convolutions_;
  Buffer workspace_;  // attention, one part per thread
};

}  // namespace tessera::cpu
