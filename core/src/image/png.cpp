// PNG through libpng: all bit depths and colour types; a file must be whole up to its IEND chunk.
#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <cstring>
#include <vector>

#include "image/codec.h"
#include "image/exif.h"
#include "image/pixel_sink.h"
#include "tessera/index_png.h"

namespace tessera::codec {
namespace {

constexpr std::size_t kSignatureBytes = 8;
constexpr std::size_t kChunkOverhead = 12;  // length, type, checksum
constexpr png_alloc_size_t kMaxAncillaryBytes = 32 << 20;
constexpr int kMaxAncillaryChunks = 1000;

std::uint32_t big_endian32(const std::uint8_t* bytes) {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 | bytes[3];
}

struct Header {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  int bits = 0;
  int color_type = 0;
  bool interlaced = false;
  bool transparency = false;
  bool icc = false;
  int orientation = 1;
};

// Walks the chunk list without inflating anything; needed because eXIf may come after the pixels.
Header read_header(const Source& source) {
  const auto bytes = source.bytes;
  constexpr std::size_t kHeaderBytes = 13;
  if (bytes.size() < kSignatureBytes + kChunkOverhead + kHeaderBytes) {
    source.fail(ErrorCode::kDamaged, "truncated PNG (no header)");
  }
  const std::uint8_t* ihdr = bytes.data() + kSignatureBytes;
  if (big_endian32(ihdr) != kHeaderBytes || std::memcmp(ihdr + 4, "IHDR", 4) != 0) {
    source.fail(ErrorCode::kDamaged, "damaged PNG (no IHDR chunk at its start)");
  }
  Header header;
  header.width = big_endian32(ihdr + 8);
  header.height = big_endian32(ihdr + 12);
  header.bits = ihdr[16];
  header.color_type = ihdr[17];
  header.interlaced = ihdr[20] != 0;
  source.check_size(header.width, header.height);
  for (std::size_t at = kSignatureBytes; bytes.size() - at >= kChunkOverhead;) {
    const std::size_t length = big_endian32(bytes.data() + at);
    if (bytes.size() - at - kChunkOverhead < length) break;
    const std::uint8_t* type = bytes.data() + at + 4;
    if (std::memcmp(type, "eXIf", 4) == 0) header.orientation = exif_orientation({type + 4, length});
    if (std::memcmp(type, "iCCP", 4) == 0) header.icc = true;
    if (std::memcmp(type, "tRNS", 4) == 0) header.transparency = true;
    if (std::memcmp(type, "IEND", 4) == 0) break;
    at += kChunkOverhead + length;
  }
  return header;
}

ImageInfo info_of(const Header& header) {
  ImageInfo info;
  info.format = ImageFormat::kPng;
  info.bits = header.bits;
  info.has_alpha = (header.color_type & PNG_COLOR_MASK_ALPHA) != 0 || header.transparency;
  const bool color = (header.color_type & PNG_COLOR_MASK_COLOR) != 0;
  info.channels = (color ? 3 : 1) + (info.has_alpha ? 1 : 0);
  info.has_icc = header.icc;
  set_upright_size(info, static_cast<int>(header.width), static_cast<int>(header.height), header.orientation);
  return info;
}

// One libpng reader. Errors arrive by longjmp, so calls into libpng go through guarded(), whose callables keep no
// object with a destructor.
class PngReader {
 public:
  explicit PngReader(const Source& source) : source_(source), header_(read_header(source)) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
    if (info_ == nullptr) {
      png_destroy_read_struct(&png_, nullptr, nullptr);
      throw std::bad_alloc();
    }
  }
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  Decoded decode();
  IndexImage decode_values();

 private:
  template <typename Call>
  void guarded(Call call) {
    if (setjmp(png_jmpbuf(png_)) != 0) throw_error();
    call();
  }
  [[noreturn]] void throw_error() const {
    source_.fail(ErrorCode::kDamaged, truncated_ ? std::string("truncated PNG (premature end of data)")
                                                 : "damaged PNG (" + std::string(message_) + ")");
  }
  [[noreturn]] static void on_error(png_structp png, png_const_charp message) {
    auto* reader = static_cast<PngReader*>(png_get_error_ptr(png));
    std::strncpy(reader->message_, message, sizeof reader->message_ - 1);
    png_longjmp(png, 1);
  }
  static void on_warning(png_structp, png_const_charp) {}
  static void on_read(png_structp png, png_bytep out, std::size_t count) {
    auto* reader = static_cast<PngReader*>(png_get_io_ptr(png));
    if (reader->source_.bytes.size() - reader->position_ < count) {
      reader->truncated_ = true;
      png_error(png, "premature end of data");
    }
    std::memcpy(out, reader->source_.bytes.data() + reader->position_, count);
    reader->position_ += count;
  }

  void begin();
  PixelFormat setup();
  std::span<const std::uint8_t> icc_profile();
  void read_rows(PixelSink& sink, PixelFormat format);

  const Source& source_;
  Header header_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::size_t position_ = 0;
  bool truncated_ = false;
  char message_[200] = {};
};

void PngReader::begin() {
  guarded([this] {
    png_set_read_fn(png_, this, on_read);
    png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_chunk_malloc_max(png_, kMaxAncillaryBytes);
    png_set_chunk_cache_max(png_, kMaxAncillaryChunks);
    png_read_info(png_, info_);
  });
}

PixelFormat PngReader::setup() {
  begin();
  guarded([this] {
    png_set_expand(png_);
    png_set_scale_16(png_);
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
  });
  switch (png_get_color_type(png_, info_)) {
    case PNG_COLOR_TYPE_GRAY: return PixelFormat::kGrey;
    case PNG_COLOR_TYPE_GRAY_ALPHA: return PixelFormat::kGreyAlpha;
    case PNG_COLOR_TYPE_RGB: return PixelFormat::kRgb;
    case PNG_COLOR_TYPE_RGB_ALPHA: return PixelFormat::kRgba;
    default: source_.fail(ErrorCode::kDamaged, "damaged PNG (bad colour type)");
  }
}

std::span<const std::uint8_t> PngReader::icc_profile() {
  png_charp name = nullptr;
  png_bytep data = nullptr;
  png_uint_32 size = 0;
  int compression = 0;
  guarded([&, this] { png_get_iCCP(png_, info_, &name, &compression, &data, &size); });
  return {data, data == nullptr ? 0 : size};
}

void PngReader::read_rows(PixelSink& sink, PixelFormat format) {
  const int height = static_cast<int>(header_.height);
  if (!header_.interlaced) {
    for (int y = 0; y < height; ++y) {
      png_bytep row = sink.row(y);
      guarded([&, this] { png_read_row(png_, row, nullptr); });
      sink.commit(y);
    }
    return;
  }
  const std::size_t row_bytes = std::size_t{header_.width} * samples_per_pixel(format);
  std::vector<std::uint8_t> pixels(row_bytes * header_.height);
  std::vector<png_bytep> rows(header_.height);
  for (std::size_t y = 0; y < rows.size(); ++y) rows[y] = pixels.data() + y * row_bytes;
  guarded([&, this] { png_read_image(png_, rows.data()); });
  for (int y = 0; y < height; ++y) {
    std::copy_n(rows[y], row_bytes, sink.row(y));
    sink.commit(y);
  }
}

Decoded PngReader::decode() {
  const std::uint64_t pixels = std::uint64_t{header_.width} * header_.height;
  source_.check_memory(output_bytes(header_.width, header_.height, header_.orientation) +
                       (header_.interlaced ? pixels * 4 + std::uint64_t{header_.height} * sizeof(png_bytep) : 0) +
                       std::uint64_t{header_.width} * 4 * 8);
  const PixelFormat format = setup();
  PixelSink sink(static_cast<int>(header_.width), static_cast<int>(header_.height), format, icc_profile());
  read_rows(sink, format);
  guarded([this] { png_read_end(png_, nullptr); });
  return {std::move(sink).finish(header_.orientation)};
}

IndexImage PngReader::decode_values() {
  const bool grey = header_.color_type == PNG_COLOR_TYPE_GRAY;
  if ((!grey && header_.color_type != PNG_COLOR_TYPE_PALETTE) || header_.bits > 8) {
    source_.fail(ErrorCode::kUnsupported, "no grey or palette PNG of at most 8 bits");
  }
  const std::size_t width = header_.width, height = header_.height;
  source_.check_memory(width * height + height * sizeof(png_bytep));
  begin();
  IndexImage image{static_cast<int>(width), static_cast<int>(height), std::vector<std::uint8_t>(width * height)};
  std::vector<png_bytep> rows(height);
  for (std::size_t y = 0; y < height; ++y) rows[y] = image.values.data() + y * width;
  guarded([&, this] {
    png_set_packing(png_);
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    png_read_image(png_, rows.data());
    png_read_end(png_, nullptr);
  });
  return image;
}

}  // namespace

ImageInfo probe_png(const Source& source) { return info_of(read_header(source)); }

Decoded decode_png(const Source& source) { return PngReader(source).decode(); }

}  // namespace tessera::codec

namespace tessera {

IndexImage decode_index_png(std::span<const std::uint8_t> bytes, const std::string& name, const ImageLimits& limits) {
  const codec::Source source{bytes, name, limits};
  if (detect_image_format(bytes) != ImageFormat::kPng) {
    source.fail(ErrorCode::kUnsupported, "no grey or palette PNG of at most 8 bits");
  }
  return codec::PngReader(source).decode_values();
}

}  // namespace tessera
