// The CUDA backend of the library that the program would open, with each activation type.
#include "backend_variants.h"
#include "device/cuda_library.h"

namespace tessera::test {
namespace {

BackendVariant variant(const std::string& name, DType type) {
  return {name, type, [type] { return CudaLibrary().make({.device = 0, .type = static_cast<int>(type)}); }};
}

}  // namespace

std::vector<BackendVariant> backend_variants() {
  return {variant("f32", DType::kF32), variant("bf16", DType::kBF16), variant("f16", DType::kF16)};
}

std::vector<BackendVariant> reduced_variants() { return {variant("bf16", DType::kBF16), variant("f16", DType::kF16)}; }

}  // namespace tessera::test
