// Sizes that the CUDA backend allocates by and that memory plans count by.
#pragma once

#include <cstddef>

namespace tessera {

inline constexpr std::size_t kDeviceAlignment = 256;  // what vector accesses and cuBLASLt can wish for
// Of matrix products: what NVIDIA recommends for sm_90; more than others need.
inline constexpr std::size_t kProductWorkspace = std::size_t{32} << 20;

}  // namespace tessera
