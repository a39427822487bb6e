// Owned descriptors and mappings, and files that appear under their name whole or not at all.
#include "store/file_io.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "tessera/error.h"

namespace tessera {

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = other.release();
  }
  return *this;
}

UniqueFd::~UniqueFd() {
  if (fd_ >= 0) ::close(fd_);
}

int UniqueFd::release() noexcept { return std::exchange(fd_, -1); }

namespace {
UniqueFd open_or_throw(const std::filesystem::path& path, int flags, const char* action) {
  UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC, 0666));
  if (fd.get() < 0) throw errno_error(action, path.string(), errno);
  return fd;
}
}  // namespace

// O_NONBLOCK: a FIFO in the place of the file is refused below instead of waited for.
FileMapping::FileMapping(const std::filesystem::path& path)
    : FileMapping(open_or_throw(path, O_RDONLY | O_NONBLOCK, "cannot open").get(), path) {}

FileMapping::FileMapping(int fd, const std::filesystem::path& name) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) throw errno_error("cannot examine", name.string(), errno);
  if (!S_ISREG(status.st_mode)) throw Error(ErrorCode::kIo, "cannot read " + name.string() + ": not a regular file");
  size_ = static_cast<std::size_t>(status.st_size);
  if (size_ == 0) return;
  void* mapped = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED) throw errno_error("cannot map", name.string(), errno);
  data_ = static_cast<const std::byte*>(mapped);
}

FileMapping::~FileMapping() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

void FileMapping::advise(std::uint64_t offset, std::uint64_t length, int advice) const noexcept {
  if (length == 0 || offset >= size_) return;
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const std::uint64_t begin = offset / page * page;
  const std::uint64_t end = std::min<std::uint64_t>(size_, offset + length);
  ::madvise(const_cast<std::byte*>(data_) + begin, end - begin, advice);
}

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)), temporary_(path_) {
  temporary_ += kTemporarySuffix;
  fd_ = open_or_throw(temporary_, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, "cannot create");
}

AtomicFile::~AtomicFile() {
  if (fd_.get() >= 0) ::unlink(temporary_.c_str());
}

void AtomicFile::write_at(std::uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0) {
      if (errno == EINTR) continue;
      throw errno_error("cannot write", path_.string(), errno);
    }
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
}

void AtomicFile::set_size(std::uint64_t bytes) {
  if (::ftruncate(fd_.get(), static_cast<off_t>(bytes)) != 0) throw errno_error("cannot write", path_.string(), errno);
}

void AtomicFile::commit() {
  if (::fsync(fd_.get()) != 0) throw errno_error("cannot write", path_.string(), errno);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) throw errno_error("cannot create", path_.string(), errno);
  fd_ = UniqueFd();
  sync_folder(path_.parent_path());
}

void sync_folder(const std::filesystem::path& folder) {
  const std::filesystem::path name = folder.empty() ? std::filesystem::path(".") : folder;
  UniqueFd fd = open_or_throw(name, O_RDONLY | O_DIRECTORY, "cannot open");
  // Some network file systems cannot sync a folder and say EINVAL; there is nothing more to do on them.
  if (::fsync(fd.get()) != 0 && errno != EINVAL) throw errno_error("cannot sync", name.string(), errno);
}

}  // namespace tessera
