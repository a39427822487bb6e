// Shared by the emulator's engine and its CUDA runtime functions.
#pragma once

#include <mutex>
#include <string>

#include "emulator.h"

namespace tessera::emulation {

// Held by everything that threads share: one of them at a time uses the emulator, and runs its kernels to their end.
class Guard {
 public:
  Guard() : lock_(mutex()) {}

 private:
  static std::recursive_mutex& mutex() {
    static std::recursive_mutex instance;
    return instance;
  }
  std::lock_guard<std::recursive_mutex> lock_;
};

struct LaunchFault {
  FaultKind kind;
  std::string reason;
};

}  // namespace tessera::emulation
