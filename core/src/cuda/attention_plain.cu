// Fused softmax attention in plain f32 arithmetic: for f32, and for head sizes that the tensor-core kernel does not
// take.
#include <cmath>

#include "cuda/cuda_backend.h"
#include "cuda/device.cuh"
#include "cuda/dispatch.h"

namespace tessera::cuda {
namespace {

constexpr int kWarps = 4;
constexpr unsigned kThreads = kWarps * kWarpSize;
constexpr int kQueries = 2;  // of a warp
constexpr int kKeys = static_cast<int>(kWarpSize);

struct Shape {
  int tokens, heads, head_dim;
  float scale;
};

// kParts: head size in warps' widths. A block: 4 warps with two queries of one head each. A tile of 32 keys, then of
// values, lies in shared memory; a lane owns one key while scores are made and every 32nd channel of the result.
template <typename T, int kParts>
__global__ void __launch_bounds__(kThreads) attention_plain_kernel(Global<const T> qkv, Global<T> out, Shape shape) {
  constexpr int kDim = kParts * static_cast<int>(kWarpSize);
  constexpr int kPitch = kDim + 1;  // lanes read a column without bank conflicts
  __shared__ SharedArray<float, kKeys * kPitch> tile;
  __shared__ SharedArray<float, kWarps * kQueries * kDim> queries;
  __shared__ SharedArray<float, kWarps * kQueries * kKeys> shares;  // each warp's softmax numerators
  const int lane = static_cast<int>(threadIdx.x % kWarpSize), warp = static_cast<int>(threadIdx.x / kWarpSize);
  const int query_blocks = (shape.tokens + kWarps * kQueries - 1) / (kWarps * kQueries);
  const int head_index = static_cast<int>(blockIdx.x) / query_blocks;
  const int block_query = (static_cast<int>(blockIdx.x) % query_blocks) * kWarps * kQueries;
  const std::int64_t image = head_index / shape.heads, h = head_index % shape.heads;
  const std::int64_t width = std::int64_t{shape.heads} * shape.head_dim;
  const Global<const T> head = qkv + (image * shape.tokens * 3 * width + h * shape.head_dim);

  for (int i = static_cast<int>(threadIdx.x); i < kWarps * kQueries * kDim; i += kThreads) {
    const int row = block_query + i / kDim, column = i % kDim;
    const bool valid = row < shape.tokens && column < shape.head_dim;
    queries[i] = valid ? to_float(head[row * 3 * width + column]) * shape.scale : 0.0f;
  }

  float result[kQueries][kParts] = {};
  float largest[kQueries], total[kQueries];
#pragma unroll
  for (int q = 0; q < kQueries; ++q) {
    largest[q] = -INFINITY;
    total[q] = 0.0f;
  }
  for (int first_key = 0; first_key < shape.tokens; first_key += kKeys) {
    const auto load_tile = [&](int part) {
      for (int row = warp; row < kKeys; row += kWarps) {
        const Global<const T> source = head + ((first_key + row) * 3 + part) * width;
#pragma unroll
        for (int column = lane; column < kDim; column += static_cast<int>(kWarpSize)) {
          const bool valid = first_key + row < shape.tokens && column < shape.head_dim;
          tile[row * kPitch + column] = valid ? to_float(source[column]) : 0.0f;
        }
      }
    };
    load_tile(1);
    __syncthreads();
    float weight[kQueries] = {};
    for (int i = 0; i < shape.head_dim; ++i) {
      const float key = tile[lane * kPitch + i];
#pragma unroll
      for (int q = 0; q < kQueries; ++q) weight[q] += queries[(warp * kQueries + q) * kDim + i] * key;
    }
#pragma unroll
    for (int q = 0; q < kQueries; ++q) {
      if (first_key + lane >= shape.tokens) weight[q] = -INFINITY;
      const float best = fmaxf(largest[q], warp_max(weight[q]));
      const float correction = expf(largest[q] - best);
      largest[q] = best;
      weight[q] = expf(weight[q] - best);
      total[q] = total[q] * correction + warp_sum(weight[q]);
#pragma unroll
      for (int part = 0; part < kParts; ++part) result[q][part] *= correction;
    }
#pragma unroll
    for (int q = 0; q < kQueries; ++q) shares[(warp * kQueries + q) * kKeys + lane] = weight[q];
    __syncthreads();  // the keys have been read
    load_tile(2);
    __syncthreads();
    for (int key = 0; key < kKeys; ++key) {
      float share[kQueries];
#pragma unroll
      for (int q = 0; q < kQueries; ++q) share[q] = shares[(warp * kQueries + q) * kKeys + key];
#pragma unroll
      for (int part = 0; part < kParts; ++part) {
        const float value = tile[key * kPitch + part * static_cast<int>(kWarpSize) + lane];
#pragma unroll
        for (int q = 0; q < kQueries; ++q) result[q][part] += share[q] * value;
      }
    }
    __syncthreads();  // the values have been read
  }
#pragma unroll
  for (int q = 0; q < kQueries; ++q) {
    const int row = block_query + warp * kQueries + q;
    if (row >= shape.tokens) continue;
    const Global<T> target = out + ((image * shape.tokens + row) * width + h * shape.head_dim);
#pragma unroll
    for (int part = 0; part < kParts; ++part) {
      const int column = part * static_cast<int>(kWarpSize) + lane;
      if (column < shape.head_dim) target[column] = from_float<T>(result[q][part] / total[q]);
    }
  }
}

template <typename T, int kParts>
void run(Stream& stream, Tensor qkv, int batch, const Shape& shape, Tensor out) {
  const std::int64_t blocks = blocks_for(shape.tokens, kWarps * kQueries) * batch * shape.heads;
  stream.launch("attention_plain", {batch, shape.tokens, shape.heads, shape.head_dim},
                &attention_plain_kernel<T, kParts>, blocks, kThreads, data_of<const T>(qkv), data_of<T>(out), shape);
}

}  // namespace

void attention_plain(Stream& stream, Tensor qkv, int batch, int tokens, int heads, int head_dim, Tensor out) {
  const Shape shape{tokens, heads, head_dim, 1.0f / std::sqrt(static_cast<float>(head_dim))};
  dispatch(qkv.type, [&](auto element) {
    using T = typename decltype(element)::Type;
    if (head_dim <= 32) {
      run<T, 1>(stream, qkv, batch, shape, out);
    } else if (head_dim <= 64) {
      run<T, 2>(stream, qkv, batch, shape, out);
    } else if (head_dim <= 96) {
      run<T, 3>(stream, qkv, batch, shape, out);
    } else if (head_dim <= 160) {
      run<T, 5>(stream, qkv, batch, shape, out);
    } else if (head_dim <= 256) {
      run<T, 8>(stream, qkv, batch, shape, out);
    } else {
      throw Error(ErrorCode::kUnsupported,
                  "heads of " + std::to_string(head_dim) + " values are more than CUDA attention takes (256)");
    }
  });
}

}  // namespace tessera::cuda
