// Thumbnails: pictures fitted into a square, and a cache of them on disk that is keyed by content.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <optional>

#include "tessera/image.h"
#include "tessera/indexer/types.h"

namespace tessera {

// The upright picture fitted into a square of `box` pixels, never enlarged. Throws what load_image() throws.
// Thread rule: any thread.
Image load_thumbnail(const std::filesystem::path& path, int box);

// $XDG_CACHE_HOME/tessera/thumbnails (~/.cache/tessera/thumbnails).
std::filesystem::path thumbnail_cache_dir();

// JPEG files <dir>/<size>/<first two digits>/<hash>-<bytes>.jpg, with the sizes of the freedesktop.org thumbnail
// specification. A file is there whole or not at all; what cannot be read is made anew.
// Thread rule: any thread, several at once, also in several processes.
class ThumbnailCache {
 public:
  static constexpr std::array kSizes = {128, 256, 512, 1024};
  static int size_for(int pixels) noexcept;  // the smallest size with at least so many, or the largest

  // `max_bytes`: what trim() leaves.
  explicit ThumbnailCache(std::filesystem::path dir, std::uint64_t max_bytes = std::uint64_t{2} << 30);

  // From the cache only; also one made of a larger size. `size` must be one of kSizes.
  std::optional<Image> find(const ContentHash& content, int size) const;
  // From the cache, or made of the file and put there if the file still has as many bytes as `content`. A cache that
  // cannot be written is no error. Throws what load_thumbnail() throws.
  Image get(const ContentHash& content, const std::filesystem::path& path, int size);

  // True when enough was written since the last trim() to look again.
  bool wants_trim() const noexcept { return written_ > max_bytes_ / 8; }
  // Removes the files that were not used for longest until at most max_bytes are left; returns the bytes removed.
  std::uint64_t trim();

 private:
  std::filesystem::path file_of(const ContentHash& content, int size) const;
  void store(const ContentHash& content, int size, const Image& image) noexcept;

  std::filesystem::path dir_;
  std::uint64_t max_bytes_;
  std::atomic<std::uint64_t> written_;
};

}  // namespace tessera
