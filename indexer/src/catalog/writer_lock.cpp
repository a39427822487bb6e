// flock() on a file of the library, with the holder's process number in it.
#include "catalog/writer_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "tessera/error.h"

namespace tessera::catalog {
namespace {

std::string holder_of(int fd) {
  char text[32] = {};
  const ssize_t size = ::pread(fd, text, sizeof text - 1, 0);
  std::string digits(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  digits = digits.substr(0, digits.find_first_not_of("0123456789"));
  return digits.empty() ? "another process" : "process " + digits;
}

}  // namespace

WriterLock::WriterLock(const std::filesystem::path& dir, const char* name) {
  const std::filesystem::path path = dir / name;
  fd_ = UniqueFd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (fd_.get() < 0) {
    const int reason = errno;
    if (reason == EACCES || reason == EPERM || reason == EROFS) {
      throw Error(ErrorCode::kReadOnly,
                  "library " + dir.string() + " cannot be written: " + errno_error("open", name, reason).what());
    }
    throw errno_error("open", path.string(), reason);
  }
  if (::flock(fd_.get(), LOCK_EX | LOCK_NB) != 0) {
    const int reason = errno;
    if (reason == EWOULDBLOCK) {
      throw Error(ErrorCode::kBusy, "library " + dir.string() + " is being written by " + holder_of(fd_.get()));
    }
    throw errno_error("lock", path.string(), reason);
  }
  // Only a hint for messages, so a disk without room for it is no error.
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd_.get(), 0) == 0) {
    [[maybe_unused]] const ssize_t written = ::pwrite(fd_.get(), pid.data(), pid.size(), 0);
  }
}

}  // namespace tessera::catalog
