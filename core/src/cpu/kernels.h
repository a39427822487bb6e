// Inner loops of the CPU backend, one table per instruction set, chosen once when a backend is made.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tessera::cpu {

// Query rows [query_begin, query_end) of one head of one image. Rows of q, k, v and out are `stride` and `out_stride`
// elements apart; element type bf16 if `bf16`, else f32.
struct AttentionJob {
  const void* q = nullptr;
  const void* k = nullptr;
  const void* v = nullptr;
  void* out = nullptr;
  std::int64_t stride = 0;
  std::int64_t out_stride = 0;
  int tokens = 0;
  int head_dim = 0;
  int query_begin = 0;
  int query_end = 0;
  float scale = 1.0f;
  bool bf16 = false;
  void* workspace = nullptr;  // attention_workspace() bytes, aligned to 64
};

// out = a * weights + bias + addend, or GELU(a * weights + bias), f32, for `rows` rows and the panels [panel_begin,
// panel_end) of weights that pack_product() has packed; `a`, `addend` and `out` are dense.
struct ProductJob {
  const float* a = nullptr;  // [rows, depth]
  std::int64_t rows = 0;
  const float* weights = nullptr;
  const float* bias = nullptr;    // [columns in whole panels]
  const float* addend = nullptr;  // [rows, columns] or null; may be `out`; never together with gelu
  float* out = nullptr;           // [rows, columns]
  std::int64_t depth = 0;
  std::int64_t columns = 0;
  std::int64_t panel_begin = 0;
  std::int64_t panel_end = 0;
  bool gelu = false;
};

struct Kernels {
  const char* name;  // "amx", "avx512", "avx2", "sse2"
  void (*to_bf16)(const float* in, std::size_t count, std::uint16_t* out);
  void (*to_float)(const std::uint16_t* in, std::size_t count, float* out);
  void (*add)(const float* a, const float* b, std::size_t count, float* out);
  // x * (1 + erf(x / sqrt 2)) / 2 in place, absolute error of erf below 2e-7.
  void (*gelu_f32)(float* values, std::size_t count);
  void (*gelu_bf16)(std::uint16_t* values, std::size_t count);
  // One row of `width` values to f32 or bf16; in == out is allowed for f32.
  void (*layer_norm_f32)(const float* in, const float* weight, const float* bias, float eps, int width, float* out);
  void (*layer_norm_bf16)(const float* in, const float* weight, const float* bias, float eps, int width,
                          std::uint16_t* out);
  std::size_t (*attention_workspace)(int tokens, int head_dim);
  void (*attention)(const AttentionJob& job);

  // Products in f32. Columns of the result are dealt with in panels of `product_panel`; the packed weights of a product
  // have product_weights() floats, and pack_product() fills in those of one panel from `rows`, the panel's own.
  bool products_fastest;  // false where oneDNN has wider vectors
  int product_panel;
  std::int64_t (*product_weights)(std::int64_t depth, std::int64_t columns);
  void (*pack_product)(const float* rows, std::int64_t depth, std::int64_t columns, std::int64_t panel, float* out);
  void (*product)(const ProductJob& job);
};

const Kernels& kernels_sse2();
const Kernels& kernels_avx2();
const Kernels& kernels_avx512();
const Kernels& kernels_amx();
// Asks the system for the tile registers; false if this process cannot have them.
bool enable_amx();

// The best table for this processor within `max_level` (0 = sse2, 1 = avx2, 2 = avx512, 3 = amx).
inline constexpr int kBestKernels = 3;
const Kernels& select_kernels(int max_level = kBestKernels);

}  // namespace tessera::cpu
