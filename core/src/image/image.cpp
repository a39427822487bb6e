// Entry points of image.h: format detection, dispatch to the codecs, checks they share, cropping.
#include "tessera/image.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>

#include "image/codec.h"

namespace tessera {
namespace codec {

void Source::fail(ErrorCode code, std::string_view reason) const {
  std::string sentence(reason);  // libraries put line breaks and bytes of the file into their messages
  std::replace_if(
      sentence.begin(), sentence.end(), [](char c) { return c < ' ' || c > '~'; }, ' ');
  throw Error(code, name + ": " + sentence);
}

void Source::check_size(std::uint64_t width, std::uint64_t height) const {
  if (width == 0 || height == 0) fail(ErrorCode::kDamaged, "damaged picture (its header says it has no pixels)");
  if (width > INT32_MAX || height > INT32_MAX || width * height > limits.max_pixels) {
    fail(ErrorCode::kLimit, "picture of " + std::to_string(width) + " x " + std::to_string(height) +
                                " pixels, more than the limit of " + std::to_string(limits.max_pixels));
  }
}

void Source::check_memory(std::uint64_t bytes_needed) const {
  if (bytes_needed > limits.max_bytes) {
    fail(ErrorCode::kLimit, "decoding needs " + std::to_string(bytes_needed >> 20) + " MiB, more than the limit of " +
                                std::to_string(limits.max_bytes >> 20) + " MiB");
  }
}

std::uint64_t output_bytes(std::uint64_t width, std::uint64_t height, int orientation) noexcept {
  return width * height * 3 * (orientation > 1 ? 2 : 1);
}

void set_upright_size(ImageInfo& info, int stored_width, int stored_height, int orientation) noexcept {
  info.orientation = orientation;
  info.width = orientation >= 5 ? stored_height : stored_width;
  info.height = orientation >= 5 ? stored_width : stored_height;
}

namespace {

struct Codec {
  ImageInfo (*probe)(const Source&);
  Decoded (*decode)(const Source&);
};

Codec codec_for(const Source& source) {
  if (source.bytes.size() > source.limits.max_file_bytes) {
    source.fail(ErrorCode::kLimit, "file of " + std::to_string(source.bytes.size()) +
                                       " bytes, more than the limit of " +
                                       std::to_string(source.limits.max_file_bytes));
  }
  if (source.bytes.empty()) source.fail(ErrorCode::kDamaged, "empty file");
  switch (detect_image_format(source.bytes)) {
    case ImageFormat::kJpeg: return {probe_jpeg, decode_jpeg};
    case ImageFormat::kPng: return {probe_png, decode_png};
    case ImageFormat::kWebp: return {probe_webp, decode_webp};
    case ImageFormat::kTiff: return {probe_tiff, decode_tiff};
    case ImageFormat::kBmp: return {probe_bmp, decode_bmp};
    case ImageFormat::kPnm: return {probe_pnm, decode_pnm};
    case ImageFormat::kGif: return {probe_gif, decode_gif};
    case ImageFormat::kUnknown: break;
  }
  source.fail(ErrorCode::kUnsupported, "not a picture in a format that is read");
}

}  // namespace

ImageInfo probe(const Source& source) { return codec_for(source).probe(source); }

Decoded decode(const Source& source, ImageInfo* info) {
  const Codec codec = codec_for(source);
  try {
    if (info != nullptr) *info = codec.probe(source);
    return codec.decode(source);
  } catch (const std::bad_alloc&) {
    source.fail(ErrorCode::kLimit, "not enough memory to decode it");
  }
}

}  // namespace codec

const char* image_format_name(ImageFormat format) noexcept {
  switch (format) {
    case ImageFormat::kUnknown: return "unknown";
    case ImageFormat::kJpeg: return "jpeg";
    case ImageFormat::kPng: return "png";
    case ImageFormat::kWebp: return "webp";
    case ImageFormat::kTiff: return "tiff";
    case ImageFormat::kBmp: return "bmp";
    case ImageFormat::kPnm: return "pnm";
    case ImageFormat::kGif: return "gif";
  }
  return "unknown";
}

ImageFormat detect_image_format(std::span<const std::uint8_t> head) noexcept {
  const auto has = [head](std::size_t offset, std::string_view magic) {
    return head.size() >= offset + magic.size() && std::memcmp(head.data() + offset, magic.data(), magic.size()) == 0;
  };
  using namespace std::string_view_literals;
  if (has(0, "\xFF\xD8\xFF"sv)) return ImageFormat::kJpeg;
  if (has(0, "\x89PNG\r\n\x1A\n"sv)) return ImageFormat::kPng;
  if (has(0, "RIFF"sv) && has(8, "WEBP"sv)) return ImageFormat::kWebp;
  if (has(0, "II*\0"sv) || has(0, "MM\0*"sv) || has(0, "II+\0"sv) || has(0, "MM\0+"sv)) return ImageFormat::kTiff;
  if (has(0, "GIF87a"sv) || has(0, "GIF89a"sv)) return ImageFormat::kGif;
  if (has(0, "BM"sv)) return ImageFormat::kBmp;
  if (head.size() >= 3 && head[0] == 'P' && head[1] >= '1' && head[1] <= '6' &&
      (std::strchr(" \t\r\n\v\f#", head[2]) != nullptr && head[2] != 0)) {
    return ImageFormat::kPnm;
  }
  return ImageFormat::kUnknown;
}

bool has_image_extension(const std::filesystem::path& path) {
  constexpr std::array<std::string_view, 15> kExtensions{".jpg",  ".jpeg", ".jpe", ".jfif", ".png",
                                                         ".webp", ".tif",  ".gif", ".tiff", ".bmp",
                                                         ".dib",  ".ppm",  ".pgm", ".pbm",  ".pnm"};
  std::string extension = path.extension().native();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
}

ImageInfo probe_image(std::span<const std::uint8_t> bytes, const std::string& name, const ImageLimits& limits) {
  return codec::probe({bytes, name, limits, 0});
}

Image decode_image(std::span<const std::uint8_t> bytes, const std::string& name, const DecodeOptions& options,
                   ImageInfo* info) {
  return codec::decode({bytes, name, options.limits, options.min_short_side}, info).image;
}

Image load_image(const std::filesystem::path& path, const DecodeOptions& options, ImageInfo* info) {
  const std::vector<std::uint8_t> bytes = read_file(path, options.limits.max_file_bytes);
  return decode_image(bytes, path.string(), options, info);
}

Image crop_image(const Image& image, int x, int y, int width, int height) {
  if (width < 1 || height < 1 || x < 0 || y < 0 || x > image.width - width || y > image.height - height) {
    throw Error(ErrorCode::kInvalidArgument, "the region " + std::to_string(x) + "," + std::to_string(y) + "," +
                                                 std::to_string(width) + "," + std::to_string(height) +
                                                 " is empty or not inside the " + std::to_string(image.width) + " x " +
                                                 std::to_string(image.height) + " picture");
  }
  Image out{width, height, std::vector<std::uint8_t>(static_cast<std::size_t>(width) * height * 3)};
  for (int row = 0; row < height; ++row) {
    const std::size_t from = ((static_cast<std::size_t>(y) + row) * image.width + x) * 3;
    std::copy_n(image.rgb.data() + from, static_cast<std::size_t>(width) * 3,
                out.rgb.data() + static_cast<std::size_t>(row) * width * 3);
  }
  return out;
}

}  // namespace tessera
