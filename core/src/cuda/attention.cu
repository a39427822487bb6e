// Fused softmax attention on tensor cores (bf16, f16): no T x T matrix in memory, running maximum and sum per query.
#include <cmath>

#include "cuda/cuda_backend.h"
#include "cuda/device.cuh"
#include "cuda/dispatch.h"

namespace tessera::cuda {

// Attention in plain f32 arithmetic, any type, head sizes up to 256 (attention_plain.cu).
void attention_plain(Stream& stream, Tensor qkv, int batch, int tokens, int heads, int head_dim, Tensor out);

namespace {

constexpr int kWarps = 4;
constexpr unsigned kThreads = kWarps * kWarpSize;

struct Shape {
  int tokens, heads, head_dim;
  float scale;  // of scores, times log2(e): the softmax runs on powers of two
};

// kDim: head size rounded up to a multiple of 16, what is beyond counts as zeros. kKeys: keys of one tile. kTiles:
// 16-row tiles of queries that a warp owns; two halve the traffic from shared memory where registers allow it.
template <int kDim, int kKeys>
struct Tiles {
  static constexpr int kPitch = kDim + 8;            // an odd number of 16-byte units: ldmatrix meets no bank twice
  static constexpr int kStage = 2 * kKeys * kPitch;  // keys, then values
};

// Starts copying one tile of keys and values; rows beyond the last token become zeros.
template <typename T, int kDim, int kKeys>
__device__ inline void fetch(Shared<T> stage, Global<const T> head, const Shape& shape, int first_key) {
  using Layout = Tiles<kDim, kKeys>;
  constexpr int kUnits = kDim / 8;  // of 16 bytes in a row
  const std::int64_t width = std::int64_t{shape.heads} * shape.head_dim;
  for (int i = static_cast<int>(threadIdx.x); i < 2 * kKeys * kUnits; i += kThreads) {
    const int part = i / (kKeys * kUnits), row = i / kUnits % kKeys, column = i % kUnits * 8;
    const bool valid = first_key + row < shape.tokens && column < shape.head_dim;
    const std::int64_t place = (first_key + row) * 3 * width + (1 + part) * width + column;
    copy_async(stage + ((part * kKeys + row) * Layout::kPitch + column), valid ? head + place : head, valid);
  }
  copy_async_commit();
}

// Two neighbouring values of a query, or zeros, as a register.
template <typename T>
__device__ inline std::uint32_t query_pair(Global<const T> head, const Shape& shape, int row, int column) {
  if (row >= shape.tokens || column >= shape.head_dim) return 0;
  return load_as<std::uint32_t>(head + (std::int64_t{row} * 3 * shape.heads * shape.head_dim + column));
}

// A block: 4 warps, 64 * kTiles queries of one head of one image. Each warp keeps its queries, scores and sums in
// registers; keys and values pass through shared memory, the next tile on its way while one is worked on. At least two
// blocks share a multiprocessor: asked for no number, ptxas aims at four and spills.
template <typename T, int kDim, int kKeys, int kTiles>
__global__ void __launch_bounds__(kThreads, 2) attention_kernel(Global<const T> qkv, Global<T> out, Shape shape) {
  using Layout = Tiles<kDim, kKeys>;
  __shared__ SharedArray<T, 2 * Layout::kStage> stages;
  const int lane = static_cast<int>(threadIdx.x % kWarpSize), warp = static_cast<int>(threadIdx.x / kWarpSize);
  const int group = lane / 4, pair = lane % 4 * 2;  // row and first column of this lane in a fragment
  constexpr int kQueries = kWarps * kTiles * 16;
  const int query_blocks = (shape.tokens + kQueries - 1) / kQueries;
  const int head_index = static_cast<int>(blockIdx.x) / query_blocks;  // of batch * heads
  const int first_query = (static_cast<int>(blockIdx.x) % query_blocks) * kQueries + warp * kTiles * 16;
  const std::int64_t image = head_index / shape.heads, h = head_index % shape.heads;
  const std::int64_t width = std::int64_t{shape.heads} * shape.head_dim;
  const Global<const T> head = qkv + (image * shape.tokens * 3 * width + h * shape.head_dim);

  fetch<T, kDim, kKeys>(stages.at(0), head, shape, 0);

  std::uint32_t query[kTiles][kDim / 16][4];
#pragma unroll
  for (int tile = 0; tile < kTiles; ++tile) {
    const int row = first_query + tile * 16 + group;
#pragma unroll
    for (int k = 0; k < kDim / 16; ++k) {
      query[tile][k][0] = query_pair<T>(head, shape, row, k * 16 + pair);
      query[tile][k][1] = query_pair<T>(head, shape, row + 8, k * 16 + pair);
      query[tile][k][2] = query_pair<T>(head, shape, row, k * 16 + pair + 8);
      query[tile][k][3] = query_pair<T>(head, shape, row + 8, k * 16 + pair + 8);
    }
  }

  float result[kTiles][kDim / 8][4] = {};
  float largest[kTiles][2], total[kTiles][2];  // of rows `group` and `group + 8`; `total` of this lane's columns only
#pragma unroll
  for (int tile = 0; tile < kTiles; ++tile) {
    largest[tile][0] = largest[tile][1] = -INFINITY;
    total[tile][0] = total[tile][1] = 0.0f;
  }

  const int key_tiles = (shape.tokens + kKeys - 1) / kKeys;
  for (int key_tile = 0; key_tile < key_tiles; ++key_tile) {
    const Shared<T> keys = stages.at(key_tile % 2 * Layout::kStage);
    const Shared<T> values = keys + kKeys * Layout::kPitch;
    if (key_tile + 1 < key_tiles) {
      fetch<T, kDim, kKeys>(stages.at((key_tile + 1) % 2 * Layout::kStage), head, shape, (key_tile + 1) * kKeys);
      copy_async_wait<1>();
    } else {
      copy_async_wait<0>();
    }
    __syncthreads();

    float score[kTiles][kKeys / 8][4] = {};
#pragma unroll
    for (int k = 0; k < kDim / 16; ++k) {
#pragma unroll
      for (int n = 0; n < kKeys / 16; ++n) {
        std::uint32_t fragments[4];
        const int key = n * 16 + lane / 16 * 8 + lane % 8, column = k * 16 + lane / 8 % 2 * 8;
        load_matrices<false, T>(fragments, keys + (key * Layout::kPitch + column));
        const std::uint32_t low[2] = {fragments[0], fragments[1]}, high[2] = {fragments[2], fragments[3]};
#pragma unroll
        for (int tile = 0; tile < kTiles; ++tile) {
          mma_16x8x16<T>(score[tile][2 * n], query[tile][k], low);
          mma_16x8x16<T>(score[tile][2 * n + 1], query[tile][k], high);
        }
      }
    }

    const int keys_left = shape.tokens - key_tile * kKeys;
#pragma unroll
    for (int tile = 0; tile < kTiles; ++tile) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        float best = largest[tile][half];
#pragma unroll
        for (int n = 0; n < kKeys / 8; ++n) {
#pragma unroll
          for (int i = 0; i < 2; ++i) {
            float& value = score[tile][n][2 * half + i];
            value = n * 8 + pair + i < keys_left ? value * shape.scale : -INFINITY;
            best = fmaxf(best, value);
          }
        }
        best = fmaxf(best, __shfl_xor_sync(kAllLanes, best, 1));  // the four lanes of a row
        best = fmaxf(best, __shfl_xor_sync(kAllLanes, best, 2));
        const float correction = exp2f(largest[tile][half] - best);
        largest[tile][half] = best;
        float sum = 0.0f;
#pragma unroll
        for (int n = 0; n < kKeys / 8; ++n) {
#pragma unroll
          for (int i = 0; i < 2; ++i) {
            float& value = score[tile][n][2 * half + i];
            value = exp2f(value - best);
            sum += value;
          }
        }
        total[tile][half] = total[tile][half] * correction + sum;
#pragma unroll
        for (int n = 0; n < kDim / 8; ++n) {
          result[tile][n][2 * half] *= correction;
          result[tile][n][2 * half + 1] *= correction;
        }
      }
    }

    // Accumulators of two neighbouring score tiles are, rounded, the left factor of the next product.
#pragma unroll
    for (int k = 0; k < kKeys / 16; ++k) {
      std::uint32_t weights[kTiles][4];
#pragma unroll
      for (int tile = 0; tile < kTiles; ++tile) {
#pragma unroll
        for (int part = 0; part < 4; ++part) {
          const float* source = score[tile][2 * k + part / 2];
          weights[tile][part] = pack_pair<T>(source[part % 2 * 2], source[part % 2 * 2 + 1]);
        }
      }
#pragma unroll
      for (int n = 0; n < kDim / 16; ++n) {
        std::uint32_t fragments[4];
        const int key = k * 16 + lane / 8 % 2 * 8 + lane % 8, column = n * 16 + lane / 16 * 8;
        load_matrices<true, T>(fragments, values + (key * Layout::kPitch + column));
        const std::uint32_t low[2] = {fragments[0], fragments[1]}, high[2] = {fragments[2], fragments[3]};
#pragma unroll
        for (int tile = 0; tile < kTiles; ++tile) {
          mma_16x8x16<T>(result[tile][2 * n], weights[tile], low);
          mma_16x8x16<T>(result[tile][2 * n + 1], weights[tile], high);
        }
      }
    }
    __syncthreads();  // everybody is done with this stage before it is filled again
  }

#pragma unroll
  for (int tile = 0; tile < kTiles; ++tile) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float sum = total[tile][half];
      sum += __shfl_xor_sync(kAllLanes, sum, 1);
      sum += __shfl_xor_sync(kAllLanes, sum, 2);
      const float factor = 1.0f / sum;
      const int row = first_query + tile * 16 + group + 8 * half;
      if (row >= shape.tokens) continue;
      const Global<T> target = out + ((image * shape.tokens + row) * width + h * shape.head_dim);
#pragma unroll
      for (int n = 0; n < kDim / 8; ++n) {
        const int column = n * 8 + pair;
        if (column >= shape.head_dim) continue;
        store_as(target + column,
                 pack_pair<T>(result[tile][n][2 * half] * factor, result[tile][n][2 * half + 1] * factor));
      }
    }
  }
}

template <typename T, int kDim, int kKeys, int kTiles>
void run(Stream& stream, Tensor qkv, int batch, const Shape& shape, Tensor out) {
  const std::int64_t blocks = blocks_for(shape.tokens, kWarps * kTiles * 16) * batch * shape.heads;
  stream.launch("attention", {batch, shape.tokens, shape.heads, shape.head_dim},
                &attention_kernel<T, kDim, kKeys, kTiles>, blocks, kThreads, data_of<const T>(qkv), data_of<T>(out),
                shape);
}

// Two tiles of queries a warp unless that leaves more than an eighth of the rows empty.
template <typename T, int kDim, int kKeys>
void run_tiled(Stream& stream, Tensor qkv, int batch, const Shape& shape, Tensor out) {
  const std::int64_t one = blocks_for(shape.tokens, kWarps * 16), two = blocks_for(shape.tokens, kWarps * 32) * 2;
  if (8 * two <= 9 * one) {
    run<T, kDim, kKeys, 2>(stream, qkv, batch, shape, out);
  } else {
    run<T, kDim, kKeys, 1>(stream, qkv, batch, shape, out);
  }
}

// Tiles of keys and values, twice, must fit into 48 KiB of shared memory.
template <typename T>
void run_for_size(Stream& stream, Tensor qkv, int batch, const Shape& shape, Tensor out) {
  if (shape.head_dim <= 16) {
    run<T, 16, 32, 1>(stream, qkv, batch, shape, out);
  } else if (shape.head_dim <= 32) {
    run<T, 32, 64, 1>(stream, qkv, batch, shape, out);
  } else if (shape.head_dim <= 64) {
    run_tiled<T, 64, 32>(stream, qkv, batch, shape, out);
  } else if (shape.head_dim <= 80) {
    run_tiled<T, 80, 32>(stream, qkv, batch, shape, out);
  } else if (shape.head_dim <= 128) {
    run<T, 128, 32, 1>(stream, qkv, batch, shape, out);
  } else {
    run<T, 160, 32, 1>(stream, qkv, batch, shape, out);
  }
}

}  // namespace

void CudaBackend::attention(Tensor qkv, int batch, int tokens, int heads, int head_dim, Tensor out) {
  constexpr int kLargest = 160;
  if (qkv.type == DType::kF32 || head_dim % 8 != 0 || head_dim > kLargest) {
    attention_plain(stream_, qkv, batch, tokens, heads, head_dim, out);
    return;
  }
  constexpr double kLog2E = 1.4426950408889634;
  const Shape shape{tokens, heads, head_dim, static_cast<float>(kLog2E / std::sqrt(static_cast<double>(head_dim)))};
  if (qkv.type == DType::kBF16) {
    run_for_size<__nv_bfloat16>(stream_, qkv, batch, shape, out);
  } else {
    run_for_size<__half>(stream_, qkv, batch, shape, out);
  }
}

}  // namespace tessera::cuda
