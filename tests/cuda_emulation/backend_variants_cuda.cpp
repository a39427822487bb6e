// The CUDA backend under the emulator with each activation type.
#include "../core/model/backend_variants.h"

#include "cuda/cuda_backend.h"
#include "emulator.h"

namespace tessera::test {
namespace {

BackendVariant variant(const std::string& name, DType type) {
  return {name, type, [type] {
            emulation::reset_device();
            return std::make_unique<cuda::CudaBackend>(cuda::DeviceChoice{.index = 0, .activation = type});
          }};
}

}  // namespace

std::vector<BackendVariant> backend_variants() {
  return {variant("f32", DType::kF32), variant("bf16", DType::kBF16), variant("f16", DType::kF16)};
}

std::vector<BackendVariant> reduced_variants() { return {variant("bf16", DType::kBF16), variant("f16", DType::kF16)}; }

}  // namespace tessera::test
