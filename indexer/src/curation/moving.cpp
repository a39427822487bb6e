// Moving and copying single files.
#include "curation/moving.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <vector>

#include "store/file_io.h"
#include "tessera/error.h"

namespace tessera::curation {
namespace {

constexpr std::size_t kBuffer = std::size_t{1} << 20;
constexpr std::size_t kMostNameBytes = 255;

UniqueFd open_for_reading(const std::filesystem::path& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) throw errno_error("open", path.string(), errno);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) throw errno_error("examine", path.string(), errno);
  if (!S_ISREG(status.st_mode)) throw Error(ErrorCode::kIo, path.string() + " is no regular file");
  return fd;
}

// Up to a whole buffer; fewer bytes only at the end.
std::size_t read_some(int fd, std::vector<char>& buffer, const std::filesystem::path& path) {
  std::size_t size = 0;
  while (size < buffer.size()) {
    const ssize_t count = ::read(fd, buffer.data() + size, buffer.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw errno_error("read", path.string(), errno);
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  return size;
}

void write_all(int fd, const char* data, std::size_t size, const std::filesystem::path& path) {
  while (size > 0) {
    const ssize_t count = ::write(fd, data, size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw errno_error("write", path.string(), errno);
    data += count;
    size -= static_cast<std::size_t>(count);
  }
}

// 0 or the errno of the attempt.
int try_rename_new(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  // A file system without that flag: link() does not replace either.
  if (::link(from.c_str(), to.c_str()) == 0) return ::unlink(from.c_str()) == 0 ? 0 : errno;
  if (errno == EEXIST || errno == ENOENT || errno == EXDEV) return errno;
  if (is_there(to)) return EEXIST;
  return ::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
}

[[noreturn]] void fail_move(const std::filesystem::path& from, const std::filesystem::path& to, int reason) {
  if (reason == EEXIST) throw Error(ErrorCode::kInvalidArgument, to.string() + " is there already");
  throw errno_error("move", from.string(), reason);
}

}  // namespace

std::string numbered_name(const std::string& name, int number) {
  const std::size_t dot = name.rfind('.');
  const bool has_ending = dot != std::string::npos && dot > 0 && name.size() - dot <= 16;
  std::string stem = has_ending ? name.substr(0, dot) : name;
  const std::string ending = (number > 1 ? " " + std::to_string(number) : "") + (has_ending ? name.substr(dot) : "");
  // The longest name that also leaves room for ".trashinfo".
  constexpr std::size_t kMost = kMostNameBytes - 10;
  if (stem.size() + ending.size() > kMost && ending.size() < kMost) {
    std::size_t size = kMost - ending.size();
    while (size > 1 && (static_cast<unsigned char>(stem[size]) & 0xC0) == 0x80) --size;
    stem.resize(size);
  }
  return stem + ending;
}

bool is_there(const std::filesystem::path& path) noexcept {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

void rename_new(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (const int reason = try_rename_new(from, to); reason != 0) fail_move(from, to, reason);
}

bool same_bytes(const std::filesystem::path& a, const std::filesystem::path& b) {
  const UniqueFd one = open_for_reading(a), other = open_for_reading(b);
  std::vector<char> left(kBuffer), right(kBuffer);
  for (;;) {
    const std::size_t count = read_some(one.get(), left, a);
    if (read_some(other.get(), right, b) != count) return false;
    if (!std::equal(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(count), right.begin())) return false;
    if (count < kBuffer) return true;
  }
}

std::filesystem::path part_of(const std::filesystem::path& to) {
  return to.parent_path() / (".tessera-" + to.filename().native().substr(0, 200) + ".part");
}

void copy_new(const std::filesystem::path& from, const std::filesystem::path& to) {
  const std::filesystem::path part = part_of(to);
  const UniqueFd source = open_for_reading(from);
  struct stat status {};
  if (::fstat(source.get(), &status) != 0) throw errno_error("examine", from.string(), errno);
  try {
    {
      const UniqueFd copy(::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
      if (copy.get() < 0) throw errno_error("write", to.string(), errno);
      std::vector<char> buffer(kBuffer);
      for (std::size_t count = kBuffer; count == kBuffer;) {
        count = read_some(source.get(), buffer, from);
        write_all(copy.get(), buffer.data(), count, to);
      }
      const timespec times[2] = {status.st_atim, status.st_mtim};
      // Some file systems keep neither; the bytes are what matters.
      [[maybe_unused]] const int mode = ::fchmod(copy.get(), status.st_mode & 07777);
      [[maybe_unused]] const int time = ::futimens(copy.get(), times);
      if (::fsync(copy.get()) != 0) throw errno_error("write", to.string(), errno);
    }
    rename_new(part, to);
  } catch (...) {
    ::unlink(part.c_str());
    throw;
  }
  sync_folder(to.parent_path());
}

void move_file(const std::filesystem::path& from, const std::filesystem::path& to) {
  const int reason = try_rename_new(from, to);
  if (reason == 0) return;
  if (reason != EXDEV) fail_move(from, to, reason);
  copy_new(from, to);
  if (!same_bytes(from, to)) {
    ::unlink(to.c_str());
    throw Error(ErrorCode::kIo, "the copy of " + from.string() + " at " + to.string() + " was not the same");
  }
  if (::unlink(from.c_str()) != 0) {
    const int why = errno;
    ::unlink(to.c_str());
    throw errno_error("move", from.string(), why);
  }
}

void make_folders(const std::filesystem::path& dir) {
  std::error_code error;
  std::filesystem::create_directories(dir, error);
  if (error) throw errno_error("make folder", dir.string(), error.value());
}

}  // namespace tessera::curation
