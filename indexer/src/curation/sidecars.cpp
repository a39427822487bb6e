// Sidecar files beside photos.
#include <algorithm>
#include <array>
#include <system_error>

#include "store/file_io.h"
#include "tessera/error.h"
#include "tessera/image.h"
#include "tessera/indexer/xmp.h"

namespace tessera {
namespace {

constexpr std::uint64_t kMostSidecarBytes = std::uint64_t{8} << 20;

std::string text_of(const std::filesystem::path& path) {
  const std::vector<std::uint8_t> bytes = read_file(path, kMostSidecarBytes);
  return {bytes.begin(), bytes.end()};
}

std::filesystem::path long_name(const std::filesystem::path& photo) { return photo.string() + ".xmp"; }

void write_one(const XmpData& data, const std::filesystem::path& photo, SidecarReport& report) {
  const auto old = find_sidecar(photo);
  if (!old && data == XmpData{}) return;
  const std::filesystem::path path = old.value_or(long_name(photo));
  const std::string before = old ? text_of(*old) : std::string();
  const std::string text = update_xmp(before, data, path.string());
  if (text == before) {
    ++report.unchanged;
    return;
  }
  AtomicFile file(path);
  file.write_at(0, std::as_bytes(std::span(text)));
  file.commit();
  ++report.done;
}

void apply(Curation& curation, const ContentHash& hash, const XmpData& data, SidecarReport& report) {
  const std::array content{hash};
  MarkChange change;
  change.flag = data.marks.flag;
  change.rating = data.marks.rating;
  change.label = data.marks.label;
  const std::vector<std::string> before = curation.tags(hash);
  std::vector<std::string> add, remove;
  std::set_difference(data.tags.begin(), data.tags.end(), before.begin(), before.end(), std::back_inserter(add));
  std::set_difference(before.begin(), before.end(), data.tags.begin(), data.tags.end(), std::back_inserter(remove));
  std::int64_t changed = curation.set_marks(content, change);
  changed += curation.change_tags(content, add, remove);
  ++(changed > 0 ? report.done : report.unchanged);
}

template <typename Handle>
void attempt(const std::filesystem::path& path, SidecarReport& report, const Handle& handle) {
  try {
    handle();
  } catch (const Error& error) {
    report.failed.push_back({path, error.what()});
  }
}

}  // namespace

std::optional<std::filesystem::path> find_sidecar(const std::filesystem::path& photo) {
  std::error_code ignored;
  for (const std::filesystem::path& path : {long_name(photo), std::filesystem::path(photo).replace_extension(".xmp"),
                                            std::filesystem::path(photo).replace_extension(".XMP")}) {
    if (std::filesystem::is_regular_file(path, ignored)) return path;
  }
  return std::nullopt;
}

SidecarReport write_sidecars(const Curation& curation, std::span<const ImageRecord> pictures) {
  SidecarReport report;
  for (const ImageRecord& picture : pictures) {
    if (picture.hash == ContentHash{}) continue;
    const XmpData data{curation.marks(picture.hash), curation.tags(picture.hash)};
    for (const FileRecord& file : picture.files) {
      if (file.state != FileState::kPresent) continue;
      attempt(file.path, report, [&] { write_one(data, file.path, report); });
    }
  }
  return report;
}

SidecarReport read_sidecars(Curation& curation, std::span<const ImageRecord> pictures) {
  SidecarReport report;
  for (const ImageRecord& picture : pictures) {
    if (picture.hash == ContentHash{}) continue;
    for (const FileRecord& file : picture.files) {
      const auto path = file.state == FileState::kPresent ? find_sidecar(file.path) : std::nullopt;
      if (!path) continue;
      attempt(*path, report, [&] { apply(curation, picture.hash, parse_xmp(text_of(*path), path->string()), report); });
      break;
    }
  }
  return report;
}

}  // namespace tessera
