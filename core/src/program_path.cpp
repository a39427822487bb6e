// The running program, as the kernel knows it.
#include "program_path.h"

#include "tessera/error.h"

namespace tessera {

std::filesystem::path program_path() {
  std::error_code error;
  std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) throw Error(ErrorCode::kIo, "cannot find the running program: " + error.message());
  return program;
}

}  // namespace tessera
