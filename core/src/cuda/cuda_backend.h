// Backend on an NVIDIA GPU: cuBLASLt matrix products and own kernels, one stream, one arena.
#pragma once

#include <string>

#include "backend.h"
#include "cuda/arena.h"
#include "cuda/launch.h"
#include "cuda/matmul.h"
#include "cuda/recordings.h"
#include "cuda/staging.h"

namespace tessera::cuda {

// A matrix [out, in] in the activation type; `bias` also in that type, for the products' own epilogue.
class PackedLinear final : public LinearWeights {
 public:
  Buffer weight;
  Buffer bias;         // f32, empty if there is none
  Buffer narrow_bias;  // activation type; empty where that is f32
};

// A pointwise layer is a matrix; others keep f32 weights with output channels innermost: [k, k, in, out] or [k, k,
// out].
class PackedConvolution final : public ConvWeights {
 public:
  std::unique_ptr<LinearWeights> pointwise;
  Buffer weight;
  Buffer bias;
};

struct DeviceChoice {
  int index = 0;
  DType activation = DType::kBF16;
  std::size_t memory_limit = 0;  // bytes, 0 = what the device has
};

// Throws kInternal with the driver's words if it refuses; 0 if there is none.
int device_count();
// "NVIDIA H200, sm_90, 143771 MiB, cuBLASLt 13.0.2". Throws kNotFound if there is no such device.
std::string describe_device(int index);
// bf16, or f16 where the device has no bf16. Throws kNotFound.
DType fastest_type(int index);

class CudaBackend final : public Backend {
 public:
  // Throws kNotFound if there is no such device, kUnsupported below sm_75 or for bf16 below sm_80.
  explicit CudaBackend(const DeviceChoice& choice);
  ~CudaBackend() override;

  std::string name() const override;
  std::string detail() const override;
  DType activation_type() const override { return activation_; }
  const Arena& arena() const { return arena_; }
  const Recordings& recordings() const { return recordings_; }

  void reserve(std::size_t bytes) override;
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
  void repeatable(std::span<const std::uint64_t> key, const std::function<void()>& pass) override {
    recordings_.run(stream_, key, pass);
  }

 private:
  // out [rows, width] in place: + bias (f32, may be null), then the activation, then + addend (may be null).
  void reserve_pixels(std::size_t bytes);
  enum class Activation { kNone, kGelu, kRelu6 };
  void activate(Activation activation, Tensor bias, Tensor addend, std::int64_t rows, int width, Tensor out);

  DeviceChoice choice_;
  DType activation_;
  std::string description_;
  Arena arena_;
  Stream stream_;
  Matmul products_;
  Recordings recordings_;
  Staging staging_;
  Buffer pixels_;  // of the pictures being cut into patches
};

}  // namespace tessera::cuda
