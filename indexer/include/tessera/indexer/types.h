// Small value types shared by indexing and search: identities of images and what a library knows of them.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tessera {

using ImageId = std::int64_t;  // catalog key; stable for the life of a library, never reused

// Identity of a picture: XXH3-128 of the file's bytes, and their number. A path is only an attribute.
struct ContentHash {
  std::array<std::uint8_t, 16> digest{};
  std::uint64_t bytes = 0;

  std::string hex() const;  // 32 lower-case hex digits of the digest
  friend auto operator<=>(const ContentHash&, const ContentHash&) = default;
};

enum class FileState {
  kPresent,  // seen by the last run that walked its folder
  kMissing,  // its folder was walked and it was not there; kept until `rm` or `prune`
  kOffline,  // its root could not be reached; nothing is concluded
};
const char* file_state_name(FileState state) noexcept;  // "present", "missing", "offline"

struct FileRecord {
  std::filesystem::path path;  // absolute; bytes as the file system has them, UTF-8 or not
  FileState state = FileState::kPresent;
  std::uint64_t bytes = 0;
  std::int64_t mtime_ns = 0;  // since the epoch
  bool trashed = false;       // kMissing because Tessera put it into the trash, where it still lies for all it knows
};

// One picture (by content) and all files that hold it.
struct ImageRecord {
  ImageId id = 0;
  ContentHash hash;
  int width = 0;  // upright, 0 if it could not be read
  int height = 0;
  std::string format;      // "jpeg", "png", ...
  int token_count = 0;     // tokens stored; 0 = not encoded
  std::string error;       // why it could not be read; empty = fine
  std::string error_code;  // error_code_name(); empty = fine
  // Seconds from 1970 to what the camera's clock showed, as if that were UTC (EXIF); none = unknown.
  std::optional<std::int64_t> taken;
  std::vector<FileRecord> files;
};

}  // namespace tessera
