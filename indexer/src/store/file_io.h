// Owned descriptors and mappings, and files that appear under their name whole or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace tessera {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) noexcept : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  ~UniqueFd();

  int get() const noexcept { return fd_; }
  int release() noexcept;

 private:
  int fd_ = -1;
};

// A whole regular file mapped read-only. Throws kNotFound, kIo. An empty file has an empty mapping.
// Thread rule: const after construction; any thread.
class FileMapping {
 public:
  explicit FileMapping(const std::filesystem::path& path);
  FileMapping(int fd, const std::filesystem::path& name);  // the mapping outlives the descriptor
  FileMapping(const FileMapping&) = delete;
  FileMapping& operator=(const FileMapping&) = delete;
  ~FileMapping();

  std::span<const std::byte> bytes() const noexcept { return {data_, size_}; }
  // madvise() on the pages that hold [offset, offset + length); best effort. `advice` is a MADV_ constant.
  void advise(std::uint64_t offset, std::uint64_t length, int advice) const noexcept;

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

// A file written under `<path>.tmp` in the same folder; commit() syncs it, renames it to `path` (replacing what was
// there) and syncs the folder. Destroyed without commit() it leaves nothing behind. A process killed in between leaves
// only the temporary name, which the next writer of that path reuses. One thread.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  int fd() const noexcept { return fd_.get(); }
  const std::filesystem::path& temporary_path() const noexcept { return temporary_; }
  // All throw kDiskFull, kReadOnly, kIo. What was never written reads as zeros.
  void write_at(std::uint64_t offset, std::span<const std::byte> bytes);
  void set_size(std::uint64_t bytes);
  void commit();

 private:
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  UniqueFd fd_;
};

inline constexpr const char* kTemporarySuffix = ".tmp";

// Makes a rename or unlink in this folder durable. Throws kIo.
void sync_folder(const std::filesystem::path& folder);

}  // namespace tessera
