// What the window knows of every picture of the library: one small struct each, read in a job and never changed.
#pragma once

#include <QString>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tessera/indexer/library.h"

namespace tessera::gui {

using Row = std::uint32_t;  // of a snapshot; another snapshot may have other rows

struct Picture {
  ImageId id = 0;
  ContentHash hash;
  // When it was taken, else the file's time; ms from 1970 to what a clock showed there, as if that were UTC.
  std::int64_t time = 0;
  std::int64_t changed = 0;  // the file, ms since the epoch
  std::uint32_t folder = 0;
  std::uint32_t name = 0;         // where the file's name begins in the snapshot's names
  std::uint16_t name_length = 0;  // bytes
  std::uint16_t files = 0;        // how many hold this picture
  std::int32_t width = 0;         // pixels, upright; 0 = unknown
  std::int32_t height = 0;
  std::uint8_t tokens = 0;                // stored, at most 255 are counted; 0 = it cannot be searched
  FileState state = FileState::kPresent;  // of the file shown: the best one
  bool failed = false;
};

// Thread rule: const after it is read; any thread.
class LibrarySnapshot {
 public:
  // In order of id. Throws what Library::list() throws, and kCancelled.
  static std::shared_ptr<const LibrarySnapshot> read(const Library& library, const std::stop_token& stop);

  Row size() const { return static_cast<Row>(pictures_.size()); }
  const Picture& operator[](Row row) const { return pictures_[row]; }
  std::optional<Row> find(ImageId id) const;

  std::string_view name(Row row) const;  // of the file, bytes as the file system has them
  std::filesystem::path path(Row row) const;
  const std::filesystem::path& folder(Row row) const { return folders_[pictures_[row].folder]; }
  const std::vector<std::filesystem::path>& folders() const { return folders_; }
  QString nameText(Row row) const;
  QString folderText(std::uint32_t folder) const { return folder_texts_[folder]; }
  std::string error(Row row) const;  // why it cannot be read; empty = fine

 private:
  void add(const ImageRecord& record);
  std::uint32_t folderNumber(const std::filesystem::path& path);

  std::vector<Picture> pictures_;
  std::string names_;
  std::vector<std::filesystem::path> folders_;
  std::vector<QString> folder_texts_;
  std::unordered_map<std::string, std::uint32_t> folder_numbers_;
  std::unordered_map<ImageId, std::string> errors_;
};

// A path or a file's name as text to show; what is no UTF-8 becomes U+FFFD.
QString pathText(const std::filesystem::path& path);

}  // namespace tessera::gui
