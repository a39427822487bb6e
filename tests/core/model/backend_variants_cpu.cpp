// The CPU backend with every set of its own kernels.
#include "backend_variants.h"
#include "cpu/cpu_backend.h"

namespace tessera::test {

std::vector<BackendVariant> backend_variants() {
  constexpr const char* kLevels[] = {"sse2", "avx2", "avx512", "amx"};
  std::vector<BackendVariant> variants;
  for (const auto& [type, name] : {std::pair{DType::kF32, "f32_"}, {DType::kBF16, "bf16_"}}) {
    for (int level = 0; level < 4; ++level) {
      variants.push_back({std::string(name) + kLevels[level], type,
                          [type = type, level] { return std::make_unique<cpu::CpuBackend>(type, 2, level); }});
    }
  }
  return variants;
}

std::vector<BackendVariant> reduced_variants() {
  return {{"bf16", DType::kBF16, [] { return std::make_unique<cpu::CpuBackend>(DType::kBF16, 2); }}};
}

}  // namespace tessera::test
