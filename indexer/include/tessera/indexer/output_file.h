// Files that appear whole or not at all.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace tessera {

// A file written piece by piece under a temporary name beside `path`; commit() syncs it and gives it its name. Without
// commit() nothing is left. Throws kIo, kDiskFull, kReadOnly, kNotFound naming `path`.
class OutputFile {
 public:
  explicit OutputFile(std::filesystem::path path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(std::string_view bytes);
  int descriptor() const { return fd_; }  // for writing by other means; not to be closed
  void commit();

 private:
  void write_out();
  [[noreturn]] void fail(int errnum) const;

  std::filesystem::path path_;
  std::string temporary_;
  std::string buffer_;
  int fd_ = -1;
};

void write_file_atomically(const std::filesystem::path& path, std::string_view bytes);

}  // namespace tessera
