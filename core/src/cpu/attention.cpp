// Fused attention: spreads heads of images, and query ranges of a head if there are too few heads, over the threads.
#include <algorithm>
#include <cmath>

#include "cpu/cpu_backend.h"

namespace tessera::cpu {

void CpuBackend::attention(Tensor qkv, int batch, int tokens, int heads, int head_dim, Tensor out) {
  const std::int64_t width = std::int64_t{heads} * head_dim;
  const std::int64_t pairs = std::int64_t{batch} * heads;
  constexpr int kMinQueries = 48;  // a shorter range does not repay packing the head's keys again
  const auto wanted = static_cast<int>((2 * pool_.threads() + pairs - 1) / pairs);
  const int ranges = std::clamp(wanted, 1, std::max(1, tokens / kMinQueries));
  const std::size_t part = (kernels_.attention_workspace(tokens, head_dim) + 63) / 64 * 64 / sizeof(float);
  const std::size_t needed = part * static_cast<std::size_t>(pool_.threads());
  if (workspace_.elements() < needed) {
    workspace_ = Buffer();
    workspace_ = Buffer(*this, needed, DType::kF32);
  }
  pool_.run(pairs * ranges, [&](std::int64_t index, int thread) {
    const std::int64_t image = index / ranges / heads;
    const std::int64_t head = index / ranges % heads;
    const auto range = static_cast<int>(index % ranges);
    const auto start = static_cast<std::size_t>(image * tokens * 3 * width + head * head_dim);
    AttentionJob job;
    job.q = qkv.offset(start).data;
    job.k = qkv.offset(start + static_cast<std::size_t>(width)).data;
    job.v = qkv.offset(start + 2 * static_cast<std::size_t>(width)).data;
    job.out = out.offset(static_cast<std::size_t>(image * tokens * width + head * head_dim)).data;
    job.stride = 3 * width;
    job.out_stride = width;
    job.tokens = tokens;
    job.head_dim = head_dim;
    job.query_begin = static_cast<int>(std::int64_t{tokens} * range / ranges);
    job.query_end = static_cast<int>(std::int64_t{tokens} * (range + 1) / ranges);
    job.scale = 1.0f / std::sqrt(static_cast<float>(head_dim));
    job.bf16 = qkv.type == DType::kBF16;
    job.workspace = workspace_.tensor().offset(part * static_cast<std::size_t>(thread)).data;
    kernels_.attention(job);
  });
}

}  // namespace tessera::cpu
