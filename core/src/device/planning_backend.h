// A backend that computes nothing and counts the memory that the CUDA backend would hold for the same calls.
#pragma once

#include <cstddef>
#include <map>

#include "backend.h"

namespace tessera {

// allocate() gives addresses that nobody may follow. Thread rule: one thread at a time.
class PlanningBackend final : public Backend {
 public:
  explicit PlanningBackend(DType activation);

  std::size_t in_use() const { return in_use_; }
  std::size_t peak() const { return peak_; }
  void release_pixels() { pixels_ = Buffer(); }

  std::string name() const override { return "plan"; }
  std::string detail() const override { return "counts memory"; }
  DType activation_type() const override { return activation_; }

  void* allocate(std::size_t bytes) override;
  void deallocate(void* data) noexcept override;
  void upload(Tensor, std::span<const float>) override {}
  void download(Tensor, std::span<float>) override {}
  void download_codes(Tensor, std::span<std::int8_t>) override {}

  std::unique_ptr<LinearWeights> pack_linear(const TensorView& weight, std::span<const float> bias,
                                             std::span<const float> row_scale) override;
  void patchify(std::span<const Image> images, int patch, const Conditioning& conditioning, Tensor out) override;
  void patchify(std::span<const float> pixels, int batch, GridSize grid, int patch, const Conditioning& conditioning,
                Tensor out) override;
  void linear(const LinearWeights&, Tensor, std::int64_t, LinearOptions, Tensor) override {}
  std::unique_ptr<ConvWeights> pack_convolution(const ConvShape& shape, const TensorView& weight,
                                                std::span<const float> bias) override;
  void convolution(const ConvWeights&, FeatureMap, int, Tensor, Tensor) override {}
  void gather_maps(std::span<const FeatureMap>, int, GridSize, Tensor) override {}
  void pool_map(FeatureMap, int, Tensor) override {}
  void pool_ranges(Tensor, int, GridSize, int, std::span<const CellRange>, Tensor) override {}
  void add_projection(Tensor, Tensor, Tensor, int, int, int, TokenRange) override {}
  void layer_norm(const NormWeights&, Tensor, std::int64_t, int, Tensor) override {}
  void qk_norm(const NormWeights&, const NormWeights&, Tensor, std::int64_t, int, int) override {}
  void attention(Tensor, int, int, int, int, Tensor) override {}
  void resize_grid(Tensor, GridSize, GridSize, GridSize, int, Tensor) override {}
  void copy_tokens(TokenRange, TokenRange, int, int, int, Tensor) override {}
  void code_tokens(TokenRange, int, int, int, Tensor, Tensor) override {}
  void merge_norm(const NormWeights&, TokenRange, int, GridSize, int, Tensor) override {}
  void split_norm(const NormWeights&, Tensor, int, GridSize, int, TokenRange) override {}

 private:
  void reserve_pixels(std::size_t bytes);

  DType activation_;
  std::map<std::size_t, std::size_t> held_;  // bytes by address
  std::size_t next_ = 0;
  std::size_t in_use_ = 0, peak_ = 0;
  Buffer pixels_;
};

}  // namespace tessera
