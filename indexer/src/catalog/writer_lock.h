// The lock that makes a process the only writer of a library; the kernel releases it when the process ends.
#pragma once

#include <filesystem>

#include "store/file_io.h"

namespace tessera::catalog {

class WriterLock {
 public:
  // Takes flock() on `<dir>/<name>`. Throws kBusy naming the process that has it, kReadOnly, kIo.
  explicit WriterLock(const std::filesystem::path& dir, const char* name = "writer.lock");

 private:
  UniqueFd fd_;
};

}  // namespace tessera::catalog
