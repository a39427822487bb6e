// A picture decoded for the screen: upright sRGB, with halves for painting it smaller, and what its file says of it.
#pragma once

#include <QImage>
#include <QSize>
#include <filesystem>
#include <stop_token>
#include <vector>

#include "tessera/exif.h"
#include "tessera/image.h"

namespace tessera::gui {

struct DisplayPicture {
  QSize size;                  // of the upright picture in full, whatever was decoded
  std::vector<QImage> levels;  // RGB32; the decoded one, then halves of it while they are large
  bool reduced = false;        // levels[0] is smaller than the picture
  std::filesystem::path path;  // of the file that was read
  std::uint64_t file_bytes = 0;
  ImageInfo info;
  ExifData exif;

  std::size_t bytes() const;  // of the levels
  // The smallest level that has at least `scale` screen pixels for each pixel of the picture, else the largest.
  const QImage& levelFor(double scale) const;
};

// Any thread. With `min_short_side` > 0 the decoder may return a smaller picture whose shorter side is at least that.
// Throws what read_file() and decode_image() throw, and kCancelled.
DisplayPicture load_display_picture(const std::filesystem::path& path, int min_short_side, const std::stop_token& stop);

QImage to_qimage(const Image& image);    // RGB32
Image from_qimage(const QImage& image);  // on white where it is transparent

// |a - b| times `gain` for each channel, at the size of `a`, to which `b` is scaled. Any thread.
QImage difference_image(const QImage& a, const QImage& b, double gain);

}  // namespace tessera::gui
