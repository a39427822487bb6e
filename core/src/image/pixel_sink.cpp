// Row conversion to RGB and the eight EXIF orientations.
#include "image/pixel_sink.h"

#include <algorithm>

namespace tessera {
namespace {

std::uint8_t on_white(unsigned value, unsigned alpha) {
  return static_cast<std::uint8_t>((value * alpha + 255 * (255 - alpha) + 127) / 255);
}

std::uint8_t multiply(unsigned a, unsigned b) { return static_cast<std::uint8_t>((a * b + 127) / 255); }

// The plain conversion of each format, for files without a (usable) profile.
void convert_row(PixelFormat format, const std::uint8_t* in, std::uint8_t* out, int width) {
  for (int x = 0; x < width; ++x, out += 3) {
    switch (format) {
      case PixelFormat::kGrey: out[0] = out[1] = out[2] = in[x]; break;
      case PixelFormat::kGreyAlpha: out[0] = out[1] = out[2] = on_white(in[2 * x], in[2 * x + 1]); break;
      case PixelFormat::kRgb: std::copy_n(in + 3 * x, 3, out); break;
      case PixelFormat::kRgba:
        for (int c = 0; c < 3; ++c) out[c] = on_white(in[4 * x + c], in[4 * x + 3]);
        break;
      case PixelFormat::kCmyk:
        for (int c = 0; c < 3; ++c) out[c] = multiply(255 - in[4 * x + c], 255 - in[4 * x + 3]);
        break;
      case PixelFormat::kCmykInverted:
        for (int c = 0; c < 3; ++c) out[c] = multiply(in[4 * x + c], in[4 * x + 3]);
        break;
    }
  }
}

// Copies with out(x, y) = in(x0 + x * dx, y0 + y * dy) where a step is in pixels of `in`; by blocks, so that a
// transposition touches few cache lines at a time.
void copy_pixels(const std::uint8_t* in, Image& out, std::ptrdiff_t start, std::ptrdiff_t dx, std::ptrdiff_t dy) {
  constexpr int kBlock = 32;
  for (int block_y = 0; block_y < out.height; block_y += kBlock) {
    for (int block_x = 0; block_x < out.width; block_x += kBlock) {
      const int end_y = std::min(block_y + kBlock, out.height);
      const int end_x = std::min(block_x + kBlock, out.width);
      for (int y = block_y; y < end_y; ++y) {
        std::uint8_t* to = out.rgb.data() + (static_cast<std::size_t>(y) * out.width + block_x) * 3;
        for (int x = block_x; x < end_x; ++x, to += 3) {
          const std::uint8_t* from = in + (start + x * dx + y * dy) * 3;
          to[0] = from[0];
          to[1] = from[1];
          to[2] = from[2];
        }
      }
    }
  }
}

}  // namespace

PixelSink::PixelSink(int width, int height, PixelFormat format, std::span<const std::uint8_t> icc_profile)
    : width_(width), format_(format), transform_(IccTransform::create(icc_profile, format)) {
  if (format != PixelFormat::kRgb) scratch_.resize(static_cast<std::size_t>(width) * samples_per_pixel(format));
  if (transform_ && has_alpha(format)) rgba_.resize(static_cast<std::size_t>(width) * 4);
  image_.width = width;
  image_.height = height;
  image_.rgb.assign(static_cast<std::size_t>(width) * height * 3, 255);
}

std::uint8_t* PixelSink::row(int y) {
  return scratch_.empty() ? image_.rgb.data() + static_cast<std::size_t>(y) * width_ * 3 : scratch_.data();
}

void PixelSink::commit(int y) {
  std::uint8_t* out = image_.rgb.data() + static_cast<std::size_t>(y) * width_ * 3;
  const std::uint8_t* in = row(y);
  if (transform_ && has_alpha(format_)) {
    transform_->apply(in, rgba_.data(), width_);
    convert_row(PixelFormat::kRgba, rgba_.data(), out, width_);
  } else if (transform_) {
    transform_->apply(in, out, width_);
  } else if (format_ != PixelFormat::kRgb) {
    convert_row(format_, in, out, width_);
  }
}

Image PixelSink::finish(int orientation) && { return apply_orientation(std::move(image_), orientation); }

Image apply_orientation(Image image, int orientation) {
  if (orientation <= 1 || orientation > 8) return image;
  const std::ptrdiff_t w = image.width;
  const std::ptrdiff_t h = image.height;
  Image out;
  out.width = orientation >= 5 ? image.height : image.width;
  out.height = orientation >= 5 ? image.width : image.height;
  out.rgb.resize(image.rgb.size());
  const std::uint8_t* in = image.rgb.data();
  switch (orientation) {
    case 2: copy_pixels(in, out, w - 1, -1, w); break;
    case 3: copy_pixels(in, out, w * h - 1, -1, -w); break;
    case 4: copy_pixels(in, out, (h - 1) * w, 1, -w); break;
    case 5: copy_pixels(in, out, 0, w, 1); break;
    case 6: copy_pixels(in, out, (h - 1) * w, -w, 1); break;
    case 7: copy_pixels(in, out, w * h - 1, -w, -1); break;
    case 8: copy_pixels(in, out, w - 1, w, -1); break;
    default: break;
  }
  return out;
}

}  // namespace tessera
