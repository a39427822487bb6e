// Finds the CUDA backend when the program runs: first the driver, then the backend library, then a device.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "backend.h"
#include "device/backend_library.h"
#include "tessera/device.h"

namespace tessera {

// $TESSERA_CUDA_LIBRARY if set, else libtessera_cuda.so where `cmake --install` puts it, relative to the program.
std::filesystem::path cuda_library_path();

// The backend library, opened; once opened it stays so until the process ends, since backends and what they throw are
// its code. Thread rule: any thread.
class CudaLibrary {
 public:
  // Never throws for what is missing or wrong: status() says it.
  explicit CudaLibrary(const std::filesystem::path& path = cuda_library_path(), const char* driver = "libcuda.so.1");

  const CudaStatus& status() const { return status_; }

  // Throws kNotFound with status().reason if there is no such device, and what the library says.
  std::unique_ptr<Backend> make(const BackendRequest& request) const;

 private:
  void open(const char* driver);
  void list_devices();

  CudaStatus status_;
  BackendDevices* devices_ = nullptr;
  BackendDescribe* describe_ = nullptr;
  BackendMake* make_ = nullptr;
};

}  // namespace tessera
