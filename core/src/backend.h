// The operations that the RADIO1D graph is written in; one implementation per kind of device.
//
// Notation: B images in a batch, T tokens per image, w channels; tensors are dense, row-major, channels innermost.
// The residual stream, positions, norms' parameters and results are f32; what goes into a matrix product or attention
// has the backend's activation type. Numbers and eps: radio1d specification, sections 3 to 7.
// Ownership: a Buffer and the weight handles belong to their holder and must not outlive the backend.
// Errors: Error kInternal or kUnsupported from the device library; shapes are the graph's responsibility.
// Thread rule: one thread at a time per backend, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tessera/image.h"
#include "tessera/safetensors.h"

namespace tessera {

enum class DType { kF32, kBF16, kF16, kI8 };  // kI8: codes of tokens, never computed with
constexpr std::size_t dtype_size(DType type) { return type == DType::kF32 ? 4 : type == DType::kI8 ? 1 : 2; }

// A place in a backend's memory; only that backend may follow the pointer.
struct Tensor {
  void* data = nullptr;
  DType type = DType::kF32;

  Tensor offset(std::size_t elements) const { return {static_cast<char*>(data) + elements * dtype_size(type), type}; }
};

class Backend;

// Owned device memory.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Backend& backend, std::size_t elements, DType type);
  Buffer(Buffer&& other) noexcept { *this = std::move(other); }
  Buffer& operator=(Buffer&& other) noexcept;
  ~Buffer() { reset(); }

  Tensor tensor() const { return tensor_; }
  std::size_t elements() const { return elements_; }
  explicit operator bool() const { return backend_ != nullptr; }

 private:
  void reset() noexcept;

  Backend* backend_ = nullptr;
  Tensor tensor_;
  std::size_t elements_ = 0;
};

// A matrix [out, in] with an optional bias in the layout that the backend multiplies fastest.
class LinearWeights {
 public:
  virtual ~LinearWeights() = default;
  int in = 0;
  int out = 0;
};

struct LinearOptions {
  bool gelu = false;        // exact erf form, after the bias
  bool accumulate = false;  // out += result (residual); out is f32
};

struct NormWeights {
  Buffer weight;  // [w] f32
  Buffer bias;    // [w] f32
  float eps = 1e-6f;
};

// Rows `first` .. of the sequence of each image: image b's sequence begins at tensor + b * image_stride * w.
// image_stride 0 = one sequence shared by all images.
struct TokenRange {
  Tensor tensor;
  std::int64_t image_stride = 0;  // tokens
  std::int64_t first = 0;
};

struct GridSize {
  int height = 0;
  int width = 0;
  int count() const { return height * width; }
  friend bool operator==(const GridSize&, const GridSize&) = default;
};

// x <- (x - mean) / std per channel, x in [0, 1].
struct Conditioning {
  float mean[3] = {};
  float std[3] = {};
};

// A k x k convolution over NHWC maps, "same" padding (docs/MODEL_FORMAT.md), then bias, then ReLU6 if asked for.
struct ConvShape {
  int kernel = 1;
  int stride = 1;
  int in = 0;
  int out = 0;
  bool depthwise = false;
  bool relu6 = false;
};

class ConvWeights {
 public:
  virtual ~ConvWeights() = default;
  ConvShape shape;
};

// [B, size.height, size.width, channels] in the activation type.
struct FeatureMap {
  Tensor tensor;
  GridSize size;
  int channels = 0;
};

// Rows top .. bottom - 1 and columns left .. right - 1 of a grid.
struct CellRange {
  int top = 0;
  int bottom = 0;
  int left = 0;
  int right = 0;
};
inline constexpr std::size_t kMostCellRanges = 64;  // at once

// Size of a "same" convolution's output.
constexpr GridSize strided(GridSize size, int stride) {
  return {(size.height + stride - 1) / stride, (size.width + stride - 1) / stride};
}

class Backend {
 public:
  virtual ~Backend() = default;

  virtual std::string name() const = 0;    // "cpu"
  virtual std::string detail() const = 0;  // library, instruction set, threads
  virtual DType activation_type() const = 0;

  // Memory. allocate() throws kLimit if there is not enough. reserve() takes what will be needed in one piece, so that
  // later pieces come out of it, where a backend keeps memory of its own; it throws kLimit as well.
  virtual void reserve(std::size_t /*bytes*/) {}
  virtual void* allocate(std::size_t bytes) = 0;
  virtual void deallocate(void* data) noexcept = 0;
  virtual void upload(Tensor destination, std::span<const float> values) = 0;  // converts to destination.type
  virtual void download(Tensor source, std::span<float> values) = 0;           // converts to f32; waits for the device
  virtual void download_codes(Tensor source, std::span<std::int8_t> codes) = 0;  // of a kI8 tensor; waits

  // Packs `weight` [out, in] of any float type; row o is multiplied by row_scale[o] unless that is empty; `bias` holds
  // `out` values or none. Host data is not needed after the call.
  virtual std::unique_ptr<LinearWeights> pack_linear(const TensorView& weight, std::span<const float> bias,
                                                     std::span<const float> row_scale) = 0;

  // Cuts conditioned images into patches: out [B, gh*gw, 3*p*p], inside a patch channel, row, column (section 3).
  virtual void patchify(std::span<const Image> images, int patch, const Conditioning& conditioning, Tensor out) = 0;
  // The same from host pixels [B, 3, gh*p, gw*p].
  virtual void patchify(std::span<const float> pixels, int batch, GridSize grid, int patch,
                        const Conditioning& conditioning, Tensor out) = 0;

  // out [rows, w.out] = in [rows, w.in] * w^T + bias, then options. `in` has the activation type.
  virtual void linear(const LinearWeights& weights, Tensor in, std::int64_t rows, LinearOptions options,
                      Tensor out) = 0;

  // `weight` [out, in, k, k], or [out, 1, k, k] if depthwise, of any float type; `bias` holds `out` values.
  virtual std::unique_ptr<ConvWeights> pack_convolution(const ConvShape& shape, const TensorView& weight,
                                                        std::span<const float> bias) = 0;

  // out [B, ceil(h / stride), ceil(w / stride), out channels] = activation(convolution(in)) + addend (of out's shape,
  // unless null). All in the activation type; out is none of the other two.
  virtual void convolution(const ConvWeights& weights, FeatureMap in, int batch, Tensor addend, Tensor out) = 0;

  // out [B, grid.count(), sum of channels]: for every cell the features of all maps side by side; a map of half the
  // grid's size (rounded up) is repeated 2 x 2.
  virtual void gather_maps(std::span<const FeatureMap> maps, int batch, GridSize grid, Tensor out) = 0;

  // out [B, channels] f32: mean over all cells, square root of what is positive, divided by its Euclidean norm.
  virtual void pool_map(FeatureMap map, int batch, Tensor out) = 0;

  // in [B, grid.count(), features] -> out [B, R, 2 * features + R], both in the activation type: for every range the
  // mean of each feature over its cells, then the greatest value of each, then 1 in the range's own column and 0 in the
  // other R - 1. At most kMostCellRanges.
  virtual void pool_ranges(Tensor in, int batch, GridSize grid, int features, std::span<const CellRange> ranges,
                           Tensor out) = 0;

  // Adds weight [out_width, in_width] * in [B, in_width] + bias to the first token of `out` of each image. All f32.
  virtual void add_projection(Tensor weight, Tensor bias, Tensor in, int batch, int in_width, int out_width,
                              TokenRange out) = 0;

  // Over the last dimension, biased variance; in f32, out any type, may be the same place.
  virtual void layer_norm(const NormWeights& norm, Tensor in, std::int64_t rows, int width, Tensor out) = 0;

  // Normalises each head of q and of k inside qkv [rows, 3 * heads * head_dim], in place (qk_norm).
  virtual void qk_norm(const NormWeights& q, const NormWeights& k, Tensor qkv, std::int64_t rows, int heads,
                       int head_dim) = 0;

  // Full softmax attention, scale head_dim^-0.5: qkv [B, T, 3 * heads * head_dim] -> out [B, T, heads * head_dim].
  virtual void attention(Tensor qkv, int batch, int tokens, int heads, int head_dim, Tensor out) = 0;

  // Bilinear resize of a table [from.height * from.width, w] to `full`, half-pixel centres, no antialiasing; writes the
  // top-left `window` of it to out [window.count(), w]. All f32.
  virtual void resize_grid(Tensor table, GridSize from, GridSize full, GridSize window, int width, Tensor out) = 0;

  // Copies `count` tokens of every image from one f32 sequence to another of any type, adding `addend` [count, w] f32
  // unless null.
  virtual void copy_tokens(TokenRange from, TokenRange to, int batch, int count, int width, Tensor addend = {}) = 0;

  // code_token() of `count` f32 tokens of every image: codes [B, count, w] kI8, scales [B, count] f32; its bits.
  virtual void code_tokens(TokenRange from, int batch, int count, int width, Tensor codes, Tensor scales) = 0;

  // Merge gather (section 5): the grid tokens `in` of each image, joined 2x2 in the order top-left, bottom-left,
  // top-right, bottom-right with zeros outside, normalised: out [B, mh*mw, 4 * width] in the activation type.
  virtual void merge_norm(const NormWeights& norm, TokenRange in, int batch, GridSize grid, int width, Tensor out) = 0;

  // Split scatter (section 7): in [B, mh*mw, 4 * width] f32, each quarter normalised and written to the 2x2 cell in
  // the order top-left, top-right, bottom-left, bottom-right of the f32 grid 2mh x 2mw of each image at `out`.
  virtual void split_norm(const NormWeights& norm, Tensor in, int batch, GridSize merged, int width,
                          TokenRange out) = 0;

  // Runs `pass`, which calls operations of this backend only, allocates nothing and moves nothing to or from the host.
  // A backend may keep what it launches and launch that again where `key` is the same, without calling `pass`; so the
  // key names all that the pass depends on, first its batch, rows and columns, then sizes and places.
  virtual void repeatable(std::span<const std::uint64_t> /*key*/, const std::function<void()>& pass) { pass(); }
};

inline Buffer::Buffer(Backend& backend, std::size_t elements, DType type)
    : backend_(&backend), tensor_{backend.allocate(elements * dtype_size(type)), type}, elements_(elements) {}

inline Buffer& Buffer::operator=(Buffer&& other) noexcept {
  if (this != &other) {
    reset();
    backend_ = std::exchange(other.backend_, nullptr);
    tensor_ = std::exchange(other.tensor_, {});
    elements_ = std::exchange(other.elements_, 0);
  }
  return *this;
}

inline void Buffer::reset() noexcept {
  if (backend_ != nullptr) backend_->deallocate(tensor_.data);
  backend_ = nullptr;
}

// Backend on the processor. `threads` 0 = all cores of this process. bf16 needs AVX-512 (bf16 arithmetic is emulated by
// oneDNN where the processor has none); elsewhere the backend computes in f32 and detail() says so.
std::unique_ptr<Backend> make_cpu_backend(DType activation, int threads);
// True where bf16 is faster than f32: AVX512-BF16 or AMX.
bool cpu_has_fast_bf16();

}  // namespace tessera
