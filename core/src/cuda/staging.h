// Pinned host memory through which pictures reach the device while earlier work still runs.
#pragma once

#include <array>
#include <cstddef>

#include "cuda/launch.h"

namespace tessera::cuda {

// Two buffers in turn: while one is on its way, the other is filled. Thread rule: one thread at a time.
class Staging {
 public:
  Staging() = default;
  ~Staging();
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  // Host memory of at least `bytes` that nothing on its way to the device still uses.
  void* begin(std::size_t bytes);
  // Sends the first `bytes` of what begin() gave to device memory.
  void send(Stream& stream, void* device, std::size_t bytes);

 private:
  struct Slot {
    void* data = nullptr;
    std::size_t bytes = 0;
    cudaEvent_t sent = nullptr;
  };
  std::array<Slot, 2> slots_;
  std::size_t current_ = 0;
};

}  // namespace tessera::cuda
