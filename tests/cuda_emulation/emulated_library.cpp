// The emulated device of the backend library that whole programs open, set up by the environment:
// TESSERA_EMULATED_DEVICES="COUNT MAJOR MINOR", TESSERA_EMULATED_MEMORY=BYTES, TESSERA_EMULATED_FAILURE=KERNEL.
#include <cstdlib>
#include <sstream>

#include "emulator.h"

namespace tessera::emulation {
namespace {

[[maybe_unused]] const bool g_set_up = [] {
  if (const char* devices = std::getenv("TESSERA_EMULATED_DEVICES")) {
    int count = 1, major = 8, minor = 0;
    std::istringstream(devices) >> count >> major >> minor;
    set_devices(count, major, minor);
  }
  if (const char* memory = std::getenv("TESSERA_EMULATED_MEMORY")) set_memory_limit(std::strtoull(memory, nullptr, 10));
  if (const char* kernel = std::getenv("TESSERA_EMULATED_FAILURE")) fail_after(std::strtoull(kernel, nullptr, 10));
  return true;
}();

}  // namespace
}  // namespace tessera::emulation
