// What the window knows of every picture of the library.
#include "app/library_snapshot.h"

#include <algorithm>
#include <ctime>

#include "tessera/error.h"
#include "tessera/text.h"

namespace tessera::gui {
namespace {

// The file to show: one that is there before one that is not.
const FileRecord* best_file(const ImageRecord& record) {
  const auto better = [](const FileRecord& a, const FileRecord& b) {
    const auto rank = [](FileState state) {
      return state == FileState::kPresent ? 0 : state == FileState::kOffline ? 1 : 2;
    };
    return rank(a.state) < rank(b.state);
  };
  const auto best = std::min_element(record.files.begin(), record.files.end(), better);
  return best == record.files.end() ? nullptr : &*best;
}

// What a clock here showed at this time, ms from 1970.
std::int64_t clock_time(std::int64_t ms) {
  const auto seconds = static_cast<std::time_t>(ms >= 0 ? ms / 1000 : (ms - 999) / 1000);
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  return ms + std::int64_t{parts.tm_gmtoff} * 1000;
}

}  // namespace

std::shared_ptr<const LibrarySnapshot> LibrarySnapshot::read(const Library& library, const std::stop_token& stop) {
  auto snapshot = std::make_shared<LibrarySnapshot>();
  library.list({}, [&](const ImageRecord& record) {
    snapshot->add(record);
    return !stop.stop_requested();
  });
  if (stop.stop_requested()) throw Error(ErrorCode::kCancelled, "cancelled");
  return snapshot;
}

void LibrarySnapshot::add(const ImageRecord& record) {
  const FileRecord* file = best_file(record);
  if (file == nullptr || file->trashed) return;  // the trash is not the library
  Picture picture;
  picture.id = record.id;
  picture.hash = record.hash;
  picture.changed = file->mtime_ns / 1'000'000;
  picture.time = record.taken ? *record.taken * 1000 : clock_time(picture.changed);
  picture.folder = folderNumber(file->path.parent_path());
  const std::string name = file->path.filename().string();
  picture.name = static_cast<std::uint32_t>(names_.size());
  picture.name_length = static_cast<std::uint16_t>(name.size());
  names_ += name;
  picture.files = static_cast<std::uint16_t>(std::min<std::size_t>(record.files.size(), UINT16_MAX));
  picture.width = record.width;
  picture.height = record.height;
  picture.tokens = static_cast<std::uint8_t>(std::clamp(record.token_count, 0, 255));
  picture.state = file->state;
  picture.failed = !record.error.empty() && record.error_code != "model_mismatch";
  if (picture.failed) errors_.emplace(record.id, record.error);
  pictures_.push_back(picture);
}

std::uint32_t LibrarySnapshot::folderNumber(const std::filesystem::path& path) {
  const auto [at, added] = folder_numbers_.try_emplace(path.string(), static_cast<std::uint32_t>(folders_.size()));
  if (added) {
    folders_.push_back(path);
    folder_texts_.push_back(pathText(path));
  }
  return at->second;
}

std::optional<Row> LibrarySnapshot::find(ImageId id) const {
  const auto at = std::lower_bound(pictures_.begin(), pictures_.end(), id,
                                   [](const Picture& picture, ImageId wanted) { return picture.id < wanted; });
  if (at == pictures_.end() || at->id != id) return std::nullopt;
  return static_cast<Row>(at - pictures_.begin());
}

std::string_view LibrarySnapshot::name(Row row) const {
  return std::string_view(names_).substr(pictures_[row].name, pictures_[row].name_length);
}

std::filesystem::path LibrarySnapshot::path(Row row) const { return folder(row) / name(row); }

QString LibrarySnapshot::nameText(Row row) const { return QString::fromStdString(to_valid_utf8(name(row))); }

std::string LibrarySnapshot::error(Row row) const {
  const auto at = errors_.find(pictures_[row].id);
  return at == errors_.end() ? std::string() : at->second;
}

QString pathText(const std::filesystem::path& path) { return QString::fromStdString(to_valid_utf8(path.string())); }

}  // namespace tessera::gui
