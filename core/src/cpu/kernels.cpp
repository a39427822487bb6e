// Chooses the kernel table for this processor.
#include "cpu/kernels.h"

#include <algorithm>
#include <dnnl.hpp>

namespace tessera::cpu {

const Kernels& select_kernels(int max_level) {
  // oneDNN's answer includes ONEDNN_MAX_CPU_ISA, so that one variable limits everything. Its values are bit sets.
  const auto isa = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
  const auto covers = [isa](dnnl::cpu_isa wanted) {
    return (isa & static_cast<unsigned>(wanted)) == static_cast<unsigned>(wanted);
  };
  __builtin_cpu_init();
  const bool avx2 = covers(dnnl::cpu_isa::avx2) && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("bmi2");
  const bool avx512 = avx2 && covers(dnnl::cpu_isa::avx512_core) && __builtin_cpu_supports("avx512f") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512vl");
  const bool amx = max_level > 2 && avx512 && covers(dnnl::cpu_isa::avx512_core_amx) && enable_amx();
  const int level = std::min(max_level, amx ? 3 : avx512 ? 2 : avx2 ? 1 : 0);
  if (level == 3) return kernels_amx();
  if (level == 2) return kernels_avx512();
  if (level == 1) return kernels_avx2();
  return kernels_sse2();
}

}  // namespace tessera::cpu
