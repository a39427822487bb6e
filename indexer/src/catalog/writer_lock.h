// The lock that makes a process the only writer of a library; the kernel releases it when the process ends.
#pragma once

#include <filesystem>

#include "store/file_io.h"

namespace tessera::catalog {

class WriterLock {
 public:
  // Takes flock() on `<dir>/writer.lock`. Throws kBusy naming the process that has it, kReadOnly, kIo.
  explicit WriterLock(const std::filesystem::path& dir);

 private:
  UniqueFd fd_;
};

}  // namespace tessera::catalog
