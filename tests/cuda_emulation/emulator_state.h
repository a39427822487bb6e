// Shared by the emulator's engine and its CUDA runtime functions.
#pragma once

#include <string>

#include "emulator.h"

namespace tessera::emulation {

struct LaunchFault {
  FaultKind kind;
  std::string reason;
};

}  // namespace tessera::emulation
