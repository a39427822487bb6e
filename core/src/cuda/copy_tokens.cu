// Token copies between sequences: slicing, joining, broadcasting, and adding positions.
#include "cuda/cuda_backend.h"
#include "cuda/device.cuh"
#include "cuda/dispatch.h"

namespace tessera::cuda {
namespace {

constexpr unsigned kThreads = 256;

// In elements.
struct Copy {
  std::int64_t from_stride, from_first, to_stride, to_first;  // of an image, of the first token
  std::int64_t image_values;                                  // copied of one image
};

// One thread copies kCount neighbouring values.
template <typename T, int kCount>
__global__ void __launch_bounds__(kThreads)
    copy_tokens_kernel(Global<const float> from, Global<T> to, Global<const float> addend, Copy copy,
                       std::int64_t packs) {
  const std::int64_t index = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (index >= packs) return;
  const std::int64_t image = index * kCount / copy.image_values;
  const std::int64_t place = index * kCount % copy.image_values;
  auto values = load_floats<kCount, float>(from + (image * copy.from_stride + copy.from_first + place));
  if (addend != nullptr) {
    const auto added = load_floats<kCount, float>(addend + place);
#pragma unroll
    for (int i = 0; i < kCount; ++i) values.values[i] += added.values[i];
  }
  store_floats<kCount, T>(to + (image * copy.to_stride + copy.to_first + place), values);
}

}  // namespace

void CudaBackend::copy_tokens(TokenRange from, TokenRange to, int batch, int count, int width, Tensor addend) {
  const std::int64_t w = width;
  const Copy copy{from.image_stride * w, from.first * w, to.image_stride * w, to.first * w, count * w};
  dispatch(to.tensor.type, [&](auto element) {
    using T = typename decltype(element)::Type;
    const auto run = [&](auto kernel, int pack) {
      const std::int64_t packs = batch * copy.image_values / pack;
      stream_.launch("copy_tokens", {batch, count, width}, kernel, blocks_for(packs, kThreads), kThreads,
                     data_of<const float>(from.tensor), data_of<T>(to.tensor), data_of<const float>(addend), copy,
                     packs);
    };
    if (width % 4 == 0) {
      run(&copy_tokens_kernel<T, 4>, 4);
    } else {
      run(&copy_tokens_kernel<T, 1>, 1);
    }
  });
}

}  // namespace tessera::cuda
