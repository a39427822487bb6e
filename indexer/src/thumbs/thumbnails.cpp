// Thumbnails and their cache on disk.
#include "tessera/indexer/thumbnails.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <system_error>
#include <vector>

#include "tessera/error.h"
#include "tessera/resize.h"

namespace tessera {
namespace {

namespace fs = std::filesystem;

constexpr int kCacheQuality = 88;
constexpr std::int64_t kUsedAgainSeconds = 24 * 3600;  // how coarse the time of use is

ImageSize thumbnail_size(int width, int height, int box) {
  const double scale = std::min(1.0, double(box) / std::max(width, height));
  return {std::max(1, static_cast<int>(std::lround(width * scale))),
          std::max(1, static_cast<int>(std::lround(height * scale)))};
}

Image shrunk(Image image, int box) {
  const ImageSize size = thumbnail_size(image.width, image.height, box);
  if (size == ImageSize{image.width, image.height}) return image;
  return resize_bicubic(image, size.width, size.height);
}

Image thumbnail_of(std::span<const std::uint8_t> bytes, const std::string& name, int box) {
  const ImageInfo info = probe_image(bytes, name);
  const ImageSize size = thumbnail_size(info.width, info.height, box);
  DecodeOptions options;
  options.min_short_side = std::min(size.width, size.height);
  return shrunk(decode_image(bytes, name, options), box);
}

// The file's time of modification is when it was last used.
void note_use(const fs::path& file) {
  struct stat status;
  if (::stat(file.c_str(), &status) != 0) return;
  struct timespec now;
  ::clock_gettime(CLOCK_REALTIME, &now);
  if (now.tv_sec - status.st_mtim.tv_sec > kUsedAgainSeconds) ::utimensat(AT_FDCWD, file.c_str(), nullptr, 0);
}

}  // namespace

Image load_thumbnail(const fs::path& path, int box) {
  return thumbnail_of(read_file(path, ImageLimits{}.max_file_bytes), path.string(), box);
}

fs::path thumbnail_cache_dir() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && fs::path(cache).is_absolute()) {
    return fs::path(cache) / "tessera" / "thumbnails";
  }
  const char* home = std::getenv("HOME");
  return fs::path(home == nullptr ? "/tmp" : home) / ".cache" / "tessera" / "thumbnails";
}

int ThumbnailCache::size_for(int pixels) noexcept {
  for (const int size : kSizes) {
    if (size >= pixels) return size;
  }
  return kSizes.back();
}

ThumbnailCache::ThumbnailCache(fs::path dir, std::uint64_t max_bytes)
    : dir_(std::move(dir)), max_bytes_(max_bytes), written_(max_bytes) {}

fs::path ThumbnailCache::file_of(const ContentHash& content, int size) const {
  const std::string digest = content.hex();
  return dir_ / std::to_string(size) / digest.substr(0, 2) / (digest + "-" + std::to_string(content.bytes) + ".jpg");
}

std::optional<Image> ThumbnailCache::find(const ContentHash& content, int size) const {
  for (const int stored : kSizes) {
    if (stored < size) continue;
    const fs::path file = file_of(content, stored);
    std::error_code error;
    if (!fs::exists(file, error)) continue;
    try {
      Image image = load_image(file);
      note_use(file);
      return stored == size ? std::move(image) : shrunk(std::move(image), size);
    } catch (const Error&) {
      fs::remove(file, error);
    }
  }
  return std::nullopt;
}

Image ThumbnailCache::get(const ContentHash& content, const fs::path& path, int size) {
  if (auto image = find(content, size)) return std::move(*image);
  const std::vector<std::uint8_t> bytes = read_file(path, ImageLimits{}.max_file_bytes);
  Image image = thumbnail_of(bytes, path.string(), size);
  if (bytes.size() == content.bytes) store(content, size, image);
  return image;
}

void ThumbnailCache::store(const ContentHash& content, int size, const Image& image) noexcept {
  try {
    const fs::path file = file_of(content, size);
    fs::create_directories(file.parent_path());
    write_image(file, image, kCacheQuality);
    written_ += fs::file_size(file);
  } catch (const std::exception&) {
    // The next time it is made again.
  }
}

std::uint64_t ThumbnailCache::trim() {
  struct Entry {
    fs::file_time_type used;
    std::uint64_t bytes;
    fs::path file;
  };
  written_ = 0;
  std::vector<Entry> entries;
  std::uint64_t total = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator at(dir_, fs::directory_options::skip_permission_denied, error), end;
       !error && at != end; at.increment(error)) {
    std::error_code ignored;
    if (!at->is_regular_file(ignored)) continue;
    const std::uint64_t bytes = at->file_size(ignored);
    if (ignored) continue;
    entries.push_back({at->last_write_time(ignored), bytes, at->path()});
    total += bytes;
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.used < b.used; });
  std::uint64_t removed = 0;
  for (const Entry& entry : entries) {
    if (total - removed <= max_bytes_) break;
    std::error_code ignored;
    if (fs::remove(entry.file, ignored)) removed += entry.bytes;
  }
  return removed;
}

}  // namespace tessera
