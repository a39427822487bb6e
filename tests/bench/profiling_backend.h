// A backend that forwards to another one and adds up time and arithmetic per class of operation.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "backend.h"

namespace tessera::bench {

struct OpTotal {
  double seconds = 0;
  double flops = 0;
  std::int64_t calls = 0;
};

// Classes: linear, linear_gelu (product and GELU together), attention, layer_norm (merge and split norms too), other.
class ProfilingBackend final : public Backend {
 public:
  explicit ProfilingBackend(std::unique_ptr<Backend> inner) : inner_(std::move(inner)) {}

  const std::map<std::string, OpTotal>& totals() const { return totals_; }
  void clear() { totals_.clear(); }
  // With false, linear() drops the GELU: the difference in time is what the GELU costs.
  void set_gelu(bool enabled) { gelu_ = enabled; }

  std::string name() const override { return inner_->name(); }
  std::string detail() const override { return inner_->detail(); }
  DType activation_type() const override { return inner_->activation_type(); }
  void* allocate(std::size_t bytes) override { return inner_->allocate(bytes); }
  void deallocate(void* data) noexcept override { inner_->deallocate(data); }
  void upload(Tensor destination, std::span<const float> values) override { inner_->upload(destination, values); }
  void download(Tensor source, std::span<float> values) override {
    timed("other", 0, [&] { inner_->download(source, values); });
  }
  void download_codes(Tensor source, std::span<std::int8_t> codes) override {
    timed("other", 0, [&] { inner_->download_codes(source, codes); });
  }
  std::unique_ptr<LinearWeights> pack_linear(const TensorView& weight, std::span<const float> bias,
                                             std::span<const float> row_scale) override {
    return inner_->pack_linear(weight, bias, row_scale);
  }
  void patchify(std::span<const Image> images, int patch, const Conditioning& conditioning, Tensor out) override {
    timed("other", 0, [&] { inner_->patchify(images, patch, conditioning, out); });
  }
  void patchify(std::span<const float> pixels, int batch, GridSize grid, int patch, const Conditioning& conditioning,
                Tensor out) override {
    timed("other", 0, [&] { inner_->patchify(pixels, batch, grid, patch, conditioning, out); });
  }
  void linear(const LinearWeights& weights, Tensor in, std::int64_t rows, LinearOptions options, Tensor out) override {
    const double flops = 2.0 * static_cast<double>(rows) * weights.in * weights.out;
    const char* label = options.gelu ? "linear_gelu" : "linear";
    options.gelu = options.gelu && gelu_;
    timed(label, flops, [&] { inner_->linear(weights, in, rows, options, out); });
  }
  std::unique_ptr<ConvWeights> pack_convolution(const ConvShape& shape, const TensorView& weight,
                                                std::span<const float> bias) override {
    return inner_->pack_convolution(shape, weight, bias);
  }
  void convolution(const ConvWeights& weights, FeatureMap in, int batch, Tensor addend, Tensor out) override {
    const ConvShape& shape = weights.shape;
    const double flops = 2.0 * batch * strided(in.size, shape.stride).count() * shape.kernel * shape.kernel *
                         shape.out * (shape.depthwise ? 1 : shape.in);
    timed(shape.depthwise ? "depthwise" : "convolution", flops,
          [&] { inner_->convolution(weights, in, batch, addend, out); });
  }
  void gather_maps(std::span<const FeatureMap> maps, int batch, GridSize grid, Tensor out) override {
    timed("other", 0, [&] { inner_->gather_maps(maps, batch, grid, out); });
  }
  void pool_map(FeatureMap map, int batch, Tensor out) override {
    timed("other", 0, [&] { inner_->pool_map(map, batch, out); });
  }
  void pool_ranges(Tensor in, int batch, GridSize grid, int features, std::span<const CellRange> ranges,
                   Tensor out) override {
    timed("other", 0, [&] { inner_->pool_ranges(in, batch, grid, features, ranges, out); });
  }
  void add_projection(Tensor weight, Tensor bias, Tensor in, int batch, int in_width, int out_width,
                      TokenRange out) override {
    timed("other", 0, [&] { inner_->add_projection(weight, bias, in, batch, in_width, out_width, out); });
  }
  void layer_norm(const NormWeights& norm, Tensor in, std::int64_t rows, int width, Tensor out) override {
    timed("layer_norm", 0, [&] { inner_->layer_norm(norm, in, rows, width, out); });
  }
  void qk_norm(const NormWeights& q, const NormWeights& k, Tensor qkv, std::int64_t rows, int heads,
               int head_dim) override {
    timed("layer_norm", 0, [&] { inner_->qk_norm(q, k, qkv, rows, heads, head_dim); });
  }
  void attention(Tensor qkv, int batch, int tokens, int heads, int head_dim, Tensor out) override {
    const double flops = 4.0 * batch * heads * static_cast<double>(tokens) * tokens * head_dim;
    timed("attention", flops, [&] { inner_->attention(qkv, batch, tokens, heads, head_dim, out); });
  }
  void resize_grid(Tensor table, GridSize from, GridSize full, GridSize window, int width, Tensor out) override {
    timed("other", 0, [&] { inner_->resize_grid(table, from, full, window, width, out); });
  }
  void copy_tokens(TokenRange from, TokenRange to, int batch, int count, int width, Tensor addend) override {
    timed("other", 0, [&] { inner_->copy_tokens(from, to, batch, count, width, addend); });
  }
  void code_tokens(TokenRange from, int batch, int count, int width, Tensor codes, Tensor scales) override {
    timed("other", 0, [&] { inner_->code_tokens(from, batch, count, width, codes, scales); });
  }
  void merge_norm(const NormWeights& norm, TokenRange in, int batch, GridSize grid, int width, Tensor out) override {
    timed("layer_norm", 0, [&] { inner_->merge_norm(norm, in, batch, grid, width, out); });
  }
  void split_norm(const NormWeights& norm, Tensor in, int batch, GridSize merged, int width, TokenRange out) override {
    timed("layer_norm", 0, [&] { inner_->split_norm(norm, in, batch, merged, width, out); });
  }

 private:
  template <typename Operation>
  void timed(const char* label, double flops, const Operation& operation) {
    const auto begin = std::chrono::steady_clock::now();
    operation();
    OpTotal& total = totals_[label];
    total.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    total.flops += flops;
    ++total.calls;
  }

  std::unique_ptr<Backend> inner_;
  std::map<std::string, OpTotal> totals_;
  bool gelu_ = true;
};

}  // namespace tessera::bench
