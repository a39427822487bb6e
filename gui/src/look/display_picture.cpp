// A picture decoded for the screen.
#include "look/display_picture.h"

#include <QPainter>
#include <algorithm>
#include <array>
#include <cmath>

#include "tessera/error.h"

namespace tessera::gui {
namespace {

constexpr int kSmallestHalved = 1024;  // the longer side; below, painting is fast enough

void throw_if_stopped(const std::stop_token& stop) {
  if (stop.stop_requested()) throw Error(ErrorCode::kCancelled, "cancelled");
}

QImage image_of(int width, int height) {
  QImage image(width, height, QImage::Format_RGB32);
  if (image.isNull()) throw std::bad_alloc();
  return image;
}

}  // namespace

std::size_t DisplayPicture::bytes() const {
  std::size_t sum = 0;
  for (const QImage& level : levels) sum += static_cast<std::size_t>(level.sizeInBytes());
  return sum;
}

const QImage& DisplayPicture::levelFor(double scale) const {
  std::size_t best = 0;
  for (std::size_t i = 1; i < levels.size(); ++i) {
    if (levels[i].width() >= scale * size.width()) best = i;
  }
  return levels[best];
}

QImage to_qimage(const Image& image) {
  QImage result = image_of(image.width, image.height);
  for (int y = 0; y < image.height; ++y) {
    auto* out = reinterpret_cast<QRgb*>(result.scanLine(y));
    const std::uint8_t* in = image.rgb.data() + std::size_t(3) * std::size_t(y) * std::size_t(image.width);
    for (int x = 0; x < image.width; ++x, in += 3) out[x] = qRgb(in[0], in[1], in[2]);
  }
  return result;
}

Image from_qimage(const QImage& source) {
  QImage opaque = image_of(source.width(), source.height());
  opaque.fill(Qt::white);
  QPainter(&opaque).drawImage(0, 0, source);
  Image image{opaque.width(), opaque.height(), {}};
  image.rgb.reserve(std::size_t(3) * std::size_t(image.width) * std::size_t(image.height));
  for (int y = 0; y < image.height; ++y) {
    const auto* in = reinterpret_cast<const QRgb*>(opaque.constScanLine(y));
    for (int x = 0; x < image.width; ++x) {
      for (const int value : {qRed(in[x]), qGreen(in[x]), qBlue(in[x])}) {
        image.rgb.push_back(static_cast<std::uint8_t>(value));
      }
    }
  }
  return image;
}

DisplayPicture load_display_picture(const std::filesystem::path& path, int min_short_side,
                                    const std::stop_token& stop) {
  DisplayPicture picture;
  picture.path = path;
  DecodeOptions options;
  options.min_short_side = min_short_side;
  const std::vector<std::uint8_t> bytes = read_file(path, options.limits.max_file_bytes);
  throw_if_stopped(stop);
  const Image decoded = decode_image(bytes, path.string(), options, &picture.info);
  throw_if_stopped(stop);
  picture.file_bytes = bytes.size();
  picture.exif = read_exif(bytes);
  picture.size = QSize(picture.info.width, picture.info.height);
  picture.reduced = decoded.width < picture.info.width;
  picture.levels.push_back(to_qimage(decoded));
  while (std::max(picture.levels.back().width(), picture.levels.back().height()) > 2 * kSmallestHalved) {
    throw_if_stopped(stop);
    const QImage& last = picture.levels.back();
    picture.levels.push_back(last.scaled(std::max(1, last.width() / 2), std::max(1, last.height() / 2),
                                         Qt::IgnoreAspectRatio, Qt::SmoothTransformation));
  }
  return picture;
}

QImage difference_image(const QImage& a, const QImage& b, double gain) {
  const QImage first = a.convertToFormat(QImage::Format_RGB32);
  QImage second = b.convertToFormat(QImage::Format_RGB32);
  if (second.size() != first.size()) {
    second = second.scaled(first.size(), Qt::IgnoreAspectRatio, Qt::SmoothTransformation);
  }
  std::array<int, 256> brighter{};
  for (std::size_t i = 0; i < brighter.size(); ++i) {
    brighter[i] = static_cast<int>(std::lround(std::min(255.0, double(i) * gain)));
  }
  const auto channel = [&](int x, int y) { return brighter[static_cast<std::size_t>(std::abs(x - y))]; };
  QImage result = image_of(first.width(), first.height());
  for (int y = 0; y < first.height(); ++y) {
    const auto* p = reinterpret_cast<const QRgb*>(first.constScanLine(y));
    const auto* q = reinterpret_cast<const QRgb*>(second.constScanLine(y));
    auto* out = reinterpret_cast<QRgb*>(result.scanLine(y));
    for (int x = 0; x < first.width(); ++x) {
      out[x] =
          qRgb(channel(qRed(p[x]), qRed(q[x])), channel(qGreen(p[x]), qGreen(q[x])), channel(qBlue(p[x]), qBlue(q[x])));
    }
  }
  return result;
}

}  // namespace tessera::gui
