// The geometries of encoder input: which rectangle of a picture becomes which size.
#include "tessera/resize.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "image/codec.h"
#include "image/resample.h"
#include "tessera/error.h"

namespace tessera {
namespace {

using Mode = ResizeSpec::Mode;

constexpr int kMaxSize = 1 << 16;

std::string size_text(int width, int height) { return std::to_string(width) + " x " + std::to_string(height); }

void check_spec(const ResizeSpec& spec) {
  if (spec.multiple < 1 || spec.max_aspect < 1.0) {
    throw Error(ErrorCode::kInvalidArgument, "a resize needs a multiple and an aspect limit of at least 1");
  }
  if (spec.mode != Mode::kNone && (spec.size < spec.multiple || spec.size > kMaxSize || spec.size % spec.multiple)) {
    throw Error(ErrorCode::kInvalidArgument, "resize size " + std::to_string(spec.size) + " is not a multiple of " +
                                                 std::to_string(spec.multiple) + " up to " + std::to_string(kMaxSize));
  }
}

// value * numerator / denominator to the nearest multiple (half up), at least one.
int to_multiple(std::int64_t value, std::int64_t numerator, std::int64_t denominator, std::int64_t multiple) {
  const std::int64_t count = (2 * value * numerator + multiple * denominator) / (2 * multiple * denominator);
  return static_cast<int>(std::min<std::int64_t>(std::max<std::int64_t>(count, 1) * multiple, INT32_MAX));
}

// Lengths along the longer and the shorter side, and how much of the longer side is used.
struct Geometry {
  int out_longer = 0;
  int out_shorter = 0;
  double used_longer = 0;  // source pixels, centred
};

Geometry geometry(int longer, int shorter, const ResizeSpec& spec) {
  switch (spec.mode) {
    case Mode::kShort: {
      const int cap = std::max(
          static_cast<int>(std::min(spec.max_aspect * spec.size, double{INT32_MAX})) / spec.multiple * spec.multiple,
          spec.size);
      const int out_longer = std::max(to_multiple(spec.size, longer, shorter, spec.multiple), spec.size);
      if (out_longer <= cap) return {out_longer, spec.size, double(longer)};
      return {cap, spec.size, std::min(double(longer), double(shorter) * cap / spec.size)};
    }
    case Mode::kSquare: return {spec.size, spec.size, double(shorter)};
    case Mode::kFit: return {spec.size, to_multiple(spec.size, shorter, longer, spec.multiple), double(longer)};
    case Mode::kNone: break;
  }
  return {longer, shorter, double(longer)};
}

Geometry checked_geometry(int width, int height, const ResizeSpec& spec) {
  check_spec(spec);
  if (width < 1 || height < 1) {
    throw Error(ErrorCode::kInvalidArgument, "a picture of " + size_text(width, height) + " pixels cannot be resized");
  }
  if (spec.mode == Mode::kNone && (width % spec.multiple || height % spec.multiple)) {
    throw Error(ErrorCode::kInvalidArgument, "the picture's own size " + size_text(width, height) +
                                                 " is not a multiple of " + std::to_string(spec.multiple) +
                                                 " on both sides; choose a resize mode");
  }
  return geometry(std::max(width, height), std::min(width, height), spec);
}

// `image` shows width x height pixels of the original, reduced by `scale`.
Image prepare(const Image& image, int width, int height, double scale, const ResizeSpec& spec) {
  const Geometry shape = checked_geometry(width, height, spec);
  const bool portrait = height > width;
  const double margin = (std::max(width, height) - shape.used_longer) / 2;
  Box box{0, 0, width * scale, height * scale};
  (portrait ? box.top : box.left) = margin * scale;
  (portrait ? box.bottom : box.right) = (margin + shape.used_longer) * scale;
  box.right = std::min(box.right, double(image.width));
  box.bottom = std::min(box.bottom, double(image.height));
  const int out_width = portrait ? shape.out_shorter : shape.out_longer;
  const int out_height = portrait ? shape.out_longer : shape.out_shorter;
  return resample_bicubic(image, box, out_width, out_height);
}

}  // namespace

Image resize_bicubic(const Image& image, int width, int height) {
  return resample_bicubic(image, {0, 0, double(image.width), double(image.height)}, width, height);
}

ResizeSpec parse_resize_spec(std::string_view text) {
  const auto fail = [text] {
    throw Error(ErrorCode::kInvalidArgument,
                "bad resize '" + std::string(text) +
                    "': use short:N, square:N, fit:N or none, N a multiple of 16, or with /32 at the end of 32");
  };
  ResizeSpec spec;
  std::string_view rest = text;
  if (const auto slash = rest.find('/'); slash != rest.npos) {
    const std::string_view multiple = rest.substr(slash + 1);
    if (multiple != "16" && multiple != "32") fail();
    spec.multiple = multiple == "32" ? 32 : 16;
    rest = rest.substr(0, slash);
  }
  if (rest == "none") {
    spec.mode = Mode::kNone;
    spec.size = 0;
    return spec;
  }
  const auto colon = rest.find(':');
  const std::string_view mode = rest.substr(0, colon);
  if (colon == rest.npos || (mode != "short" && mode != "square" && mode != "fit")) fail();
  spec.mode = mode == "short" ? Mode::kShort : mode == "square" ? Mode::kSquare : Mode::kFit;
  const std::string_view number = rest.substr(colon + 1);
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), spec.size);
  if (error != std::errc{} || end != number.data() + number.size() || spec.size < spec.multiple ||
      spec.size > kMaxSize || spec.size % spec.multiple != 0) {
    fail();
  }
  return spec;
}

std::string to_string(const ResizeSpec& spec) {
  std::string text;
  switch (spec.mode) {
    case Mode::kShort: text = "short:" + std::to_string(spec.size); break;
    case Mode::kSquare: text = "square:" + std::to_string(spec.size); break;
    case Mode::kFit: text = "fit:" + std::to_string(spec.size); break;
    case Mode::kNone: text = "none"; break;
  }
  return spec.multiple == 16 ? text : text + "/" + std::to_string(spec.multiple);
}

ImageSize prepared_size(int width, int height, const ResizeSpec& spec) {
  const Geometry shape = checked_geometry(width, height, spec);
  return height > width ? ImageSize{shape.out_shorter, shape.out_longer}
                        : ImageSize{shape.out_longer, shape.out_shorter};
}

ImagePart prepared_part(int width, int height, const ResizeSpec& spec) {
  const double used = checked_geometry(width, height, spec).used_longer / std::max(width, height);
  return height > width ? ImagePart{0, (1 - used) / 2, 1, used} : ImagePart{(1 - used) / 2, 0, used, 1};
}

int min_decode_short_side(int width, int height, const ResizeSpec& spec) {
  if (spec.mode == Mode::kNone) return 0;
  const Geometry shape = checked_geometry(width, height, spec);
  const int shorter = std::min(width, height);
  // The least reduced picture that neither side of the result enlarges.
  const double along_longer = shape.out_longer / shape.used_longer * shorter;
  const double needed = std::ceil(kDecodeReserve * std::max(double(shape.out_shorter), along_longer));
  return needed >= shorter ? 0 : static_cast<int>(needed);
}

Image prepare_image(const Image& image, const ResizeSpec& spec) {
  return prepare(image, image.width, image.height, 1.0, spec);
}

Image decode_prepared(std::span<const std::uint8_t> bytes, const std::string& name, const ResizeSpec& spec,
                      const ImageLimits& limits, ImageInfo* info) {
  const ImageInfo header = probe_image(bytes, name, limits);
  if (info != nullptr) *info = header;
  const int min_short_side = min_decode_short_side(header.width, header.height, spec);
  const codec::Decoded decoded = codec::decode({bytes, name, limits, min_short_side}, nullptr);
  return prepare(decoded.image, header.width, header.height, decoded.scale_eighths / 8.0, spec);
}

}  // namespace tessera
