// From a tensor's type at run time to a kernel's element type.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "backend.h"
#include "tessera/error.h"

namespace tessera::cuda {

template <typename T>
struct ElementType {
  using Type = T;
};

// Calls f(ElementType<float>), f(ElementType<__nv_bfloat16>) or f(ElementType<__half>).
template <typename F>
void dispatch(DType type, F&& f) {
  switch (type) {
    case DType::kF32: f(ElementType<float>{}); break;
    case DType::kBF16: f(ElementType<__nv_bfloat16>{}); break;
    case DType::kF16: f(ElementType<__half>{}); break;
    case DType::kI8: throw Error(ErrorCode::kInternal, "codes of tokens are not computed with");
  }
}

template <typename T>
T* data_of(Tensor tensor) {
  return static_cast<T*>(tensor.data);
}
inline const float* floats(const Buffer& buffer) { return static_cast<const float*>(buffer.tensor().data); }

}  // namespace tessera::cuda
