// Tells the emulator where tensors lie inside larger blocks of device memory; nothing on a device.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>

namespace tessera::cuda {

#if defined(TESSERA_CUDA_EMULATION)
inline void note_allocation(void* data, std::size_t bytes) { emulation::note_allocation(data, bytes); }
inline void note_free(void* data) { emulation::note_free(data); }
#else
inline void note_allocation(void*, std::size_t) {}
inline void note_free(void*) {}
#endif

}  // namespace tessera::cuda
