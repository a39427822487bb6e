// The devices that an encoder can run on, and what is missing where CUDA cannot be used.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace tessera {

enum class CudaState {
  kNoDriver,      // libcuda.so.1 cannot be opened
  kNoLibrary,     // libtessera_cuda.so cannot be opened
  kWrongLibrary,  // it can, but was built with another interface
  kNoDevice,      // the driver finds no device, or refuses
  kReady,
};

struct CudaStatus {
  CudaState state = CudaState::kReady;
  std::string reason;                // one sentence; empty if ready
  std::filesystem::path library;     // opened or looked for
  std::vector<std::string> devices;  // "NVIDIA H200, sm_90, 143771 MiB, cuBLASLt 13.0.2", by index
};

// Looks for driver, backend library and devices. Takes well under a millisecond where there is no driver.
CudaStatus cuda_status();

// Throws kInvalidArgument unless `name` is auto, cpu, cuda or cuda:N. (`auto`: the first CUDA device if one can be
// used, else the CPU; `cuda`: cuda:0.)
void check_device_name(const std::string& name);

// The devices of "cuda:0,cuda:1", or the one named. Throws kInvalidArgument as above, and for a device named twice or
// one that is not CUDA beside others.
std::vector<std::string> parse_device_list(const std::string& names);

}  // namespace tessera
