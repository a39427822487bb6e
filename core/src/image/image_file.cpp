// Picture files: reading whole files, and writing JPEG and PNG whole or not at all.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <utility>

#include "image/encode.h"
#include "tessera/error.h"
#include "tessera/image.h"

namespace tessera {
namespace {

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return fd_; }
  // The result of close(2); some file systems report a full disk only here.
  int close() { return ::close(std::exchange(fd_, -1)); }

 private:
  int fd_;
};

[[noreturn]] void fail_too_large(const std::string& name, std::uint64_t max_bytes) {
  throw Error(ErrorCode::kLimit, name + ": file larger than the limit of " + std::to_string(max_bytes) + " bytes");
}

// A name in the folder of `path` that no other writer uses; removed again unless the rename succeeds.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::filesystem::path& path) {
    static std::atomic<unsigned> counter{0};
    path_ = path;
    path_ += ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(counter++);
  }
  ~TemporaryFile() {
    if (!renamed_) ::unlink(path_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const char* c_str() const { return path_.c_str(); }
  void rename_to(const std::filesystem::path& path) {
    if (::rename(path_.c_str(), path.c_str()) != 0) throw errno_error("cannot write", path.string(), errno);
    renamed_ = true;
  }

 private:
  std::filesystem::path path_;
  bool renamed_ = false;
};

void write_whole_file(const std::filesystem::path& path, std::span<const std::uint8_t> bytes) {
  TemporaryFile temporary(path);
  FileDescriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (file.get() < 0) throw errno_error("cannot write", path.string(), errno);
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t count = ::write(file.get(), bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno != EINTR) throw errno_error("cannot write", path.string(), errno);
    if (count > 0) done += static_cast<std::size_t>(count);
  }
  if (::fsync(file.get()) != 0 || file.close() != 0) throw errno_error("cannot write", path.string(), errno);
  temporary.rename_to(path);
}

std::string lower_case_extension(const std::filesystem::path& path) {
  std::string extension = path.extension().native();
  for (char& c : extension) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return extension;
}

}  // namespace

// Read rather than mapped: a file that another program truncates meanwhile would end a mapping in SIGBUS.
std::vector<std::uint8_t> read_file(const std::filesystem::path& path, std::uint64_t max_bytes) {
  const std::string name = path.string();
  // O_NONBLOCK: opening a pipe that nobody writes to must not wait.
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) throw errno_error("cannot read", name, errno);
  if (S_ISDIR(status.st_mode)) throw Error(ErrorCode::kIo, name + ": is a folder, not a file");
  if (!S_ISREG(status.st_mode)) throw Error(ErrorCode::kIo, name + ": is not a regular file");
  if (static_cast<std::uint64_t>(status.st_size) > max_bytes) fail_too_large(name, max_bytes);

  constexpr std::size_t kGrowth = std::size_t{1} << 16;
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(status.st_size) + 1);  // + 1: read() sees the end at once
  std::size_t size = 0;
  for (;;) {
    if (size == bytes.size()) bytes.resize(bytes.size() + kGrowth);
    const ssize_t count = ::read(file.get(), bytes.data() + size, bytes.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw errno_error("cannot read", name, errno);
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
    if (size > max_bytes) fail_too_large(name, max_bytes);
  }
  bytes.resize(size);
  return bytes;
}

void write_image(const std::filesystem::path& path, const Image& image, int jpeg_quality) {
  const std::string extension = lower_case_extension(path);
  if (extension == ".png") {
    write_whole_file(path, encode_png(image));
  } else if (extension == ".jpg" || extension == ".jpeg") {
    write_whole_file(path, encode_jpeg(image, jpeg_quality));
  } else {
    throw Error(ErrorCode::kInvalidArgument, path.string() + ": pictures are written as .jpg, .jpeg or .png");
  }
}

}  // namespace tessera
