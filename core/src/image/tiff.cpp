// TIFF: the first page, stripped or tiled. Grey, RGB and CMYK of 8 and 16 bits are read sample by sample; the rarer
// variants (bilevel, palette, subsampled YCbCr, Lab) through libtiff's RGBA interface.
#include <tiffio.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "image/codec.h"
#include "image/pixel_sink.h"
#include "image/tiff_file.h"

namespace tessera::codec {
namespace {

struct Page {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::uint16_t bits = 1;
  std::uint16_t samples = 1;
  std::uint16_t photometric = PHOTOMETRIC_MINISBLACK;
  std::uint16_t compression = COMPRESSION_NONE;
  bool separate = false;  // a plane per sample
  bool alpha = false;
  bool premultiplied = false;
  int orientation = 1;
};

Page read_page(const TiffFile& file) {
  const Source& source = file.source();
  Page page;
  page.width = file.field<std::uint32_t>(TIFFTAG_IMAGEWIDTH, 0);
  page.height = file.field<std::uint32_t>(TIFFTAG_IMAGELENGTH, 0);
  source.check_size(page.width, page.height);
  page.bits = file.field<std::uint16_t>(TIFFTAG_BITSPERSAMPLE, 1);
  page.samples = file.field<std::uint16_t>(TIFFTAG_SAMPLESPERPIXEL, 1);
  page.compression = file.field<std::uint16_t>(TIFFTAG_COMPRESSION, COMPRESSION_NONE);
  page.photometric = file.field<std::uint16_t>(
      TIFFTAG_PHOTOMETRIC, std::uint16_t(page.samples >= 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK));
  page.separate = file.field<std::uint16_t>(TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG) == PLANARCONFIG_SEPARATE;
  const int orientation = file.field<std::uint16_t>(TIFFTAG_ORIENTATION, 1);
  page.orientation = orientation >= 1 && orientation <= 8 ? orientation : 1;
  std::uint16_t extra_count = 0;
  std::uint16_t* extra = nullptr;
  if (TIFFGetFieldDefaulted(file.get(), TIFFTAG_EXTRASAMPLES, &extra_count, &extra) && extra_count > 0) {
    page.premultiplied = extra[0] == EXTRASAMPLE_ASSOCALPHA;
    page.alpha = page.premultiplied || extra[0] == EXTRASAMPLE_UNASSALPHA;
  }
  const auto sample_format = file.field<std::uint16_t>(TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT);
  if ((sample_format != SAMPLEFORMAT_UINT && sample_format != SAMPLEFORMAT_VOID &&
       page.photometric != PHOTOMETRIC_LOGLUV && page.photometric != PHOTOMETRIC_LOGL) ||
      page.bits > 16 || page.samples == 0) {
    source.fail(ErrorCode::kUnsupported, "TIFF variant that is not read (" + std::to_string(page.bits) +
                                             " bits a sample, sample format " + std::to_string(sample_format) + ")");
  }
  if (!TIFFIsCODECConfigured(page.compression)) {
    source.fail(ErrorCode::kUnsupported,
                "TIFF compression " + std::to_string(page.compression) + ", which is not read");
  }
  return page;
}

std::span<const std::uint8_t> icc_profile(const TiffFile& file) {
  std::uint32_t size = 0;
  void* data = nullptr;
  if (!TIFFGetField(file.get(), TIFFTAG_ICCPROFILE, &size, &data) || data == nullptr) return {};
  return {static_cast<const std::uint8_t*>(data), size};
}

ImageInfo info_of(const TiffFile& file, const Page& page) {
  ImageInfo info;
  info.format = ImageFormat::kTiff;
  info.bits = page.bits;
  info.channels = page.samples;
  info.has_alpha = page.alpha;
  info.has_icc = !icc_profile(file).empty();
  set_upright_size(info, static_cast<int>(page.width), static_cast<int>(page.height), page.orientation);
  return info;
}

std::uint8_t unmultiply(std::uint8_t value, std::uint8_t alpha) {
  return alpha == 0 ? value : static_cast<std::uint8_t>(std::min(255, (value * 255 + alpha / 2) / alpha));
}

// How a page is read sample by sample.
struct PlainLayout {
  PixelFormat format;
  int colors;   // samples of the file that carry colour
  bool invert;  // 0 is white
};

std::optional<PlainLayout> plain_layout(const Page& page) {
  if (page.bits != 8 && page.bits != 16) return std::nullopt;
  const auto enough = [&page](int colors) { return page.samples >= colors + (page.alpha ? 1 : 0); };
  switch (page.photometric) {
    case PHOTOMETRIC_MINISBLACK:
    case PHOTOMETRIC_MINISWHITE:
      if (!enough(1)) return std::nullopt;
      return PlainLayout{page.alpha ? PixelFormat::kGreyAlpha : PixelFormat::kGrey, 1,
                         page.photometric == PHOTOMETRIC_MINISWHITE};
    case PHOTOMETRIC_YCBCR:
      if (page.compression != COMPRESSION_JPEG || page.samples != 3 || page.bits != 8 || page.separate) {
        return std::nullopt;
      }
      return PlainLayout{PixelFormat::kRgb, 3, false};  // libjpeg converts
    case PHOTOMETRIC_RGB:
      if (!enough(3)) return std::nullopt;
      return PlainLayout{page.alpha ? PixelFormat::kRgba : PixelFormat::kRgb, 3, false};
    case PHOTOMETRIC_SEPARATED:
      if (!enough(4)) return std::nullopt;
      return PlainLayout{PixelFormat::kCmyk, 4, false};
    default: return std::nullopt;
  }
}

// The strips or tiles side by side that hold the same rows, of every plane.
class Band {
 public:
  Band(const TiffFile& file, const Page& page) : file_(file), page_(page), tiled_(TIFFIsTiled(file.get()) != 0) {
    block_width_ = tiled_ ? file.field<std::uint32_t>(TIFFTAG_TILEWIDTH, 0) : page.width;
    block_height_ = tiled_ ? file.field<std::uint32_t>(TIFFTAG_TILELENGTH, 0)
                           : std::min(file.field<std::uint32_t>(TIFFTAG_ROWSPERSTRIP, page.height), page.height);
    if (block_width_ == 0 || block_height_ == 0) file.fail_damaged();
    across_ = (std::uint64_t{page.width} + block_width_ - 1) / block_width_;
    pixel_bytes_ = std::size_t{page.bits} / 8 * (page.separate ? 1 : page.samples);
    row_bytes_ = block_width_ * pixel_bytes_;
    const std::uint64_t reported = tiled_ ? TIFFTileSize64(file.get()) : TIFFVStripSize64(file.get(), block_height_);
    if (reported != std::uint64_t{row_bytes_} * block_height_) file.fail_damaged();
    block_bytes_ = static_cast<std::size_t>(reported);
  }

  std::uint32_t height() const { return block_height_; }
  std::uint64_t bytes() const { return across_ * block_bytes_ * planes(); }
  void allocate() { data_.resize(static_cast<std::size_t>(bytes())); }

  void read(std::uint32_t first_row) {
    const std::uint32_t rows = tiled_ ? block_height_ : std::min(block_height_, page_.height - first_row);
    const auto expected = static_cast<tmsize_t>(row_bytes_ * rows);
    for (int plane = 0; plane < planes(); ++plane) {
      for (std::size_t column = 0; column < across_; ++column) {
        std::uint8_t* out = block(plane, column);
        const auto sample = static_cast<std::uint16_t>(plane);
        TIFF* tiff = file_.get();
        const auto x = static_cast<std::uint32_t>(column * block_width_);
        const tmsize_t count =
            tiled_ ? TIFFReadEncodedTile(tiff, TIFFComputeTile(tiff, x, first_row, 0, sample), out, expected)
                   : TIFFReadEncodedStrip(tiff, TIFFComputeStrip(tiff, first_row, sample), out, expected);
        if (count != expected) file_.fail_damaged();
      }
    }
    file_.check_pixels();
  }

  // `count` samples of each pixel of one row, reduced to 8 bits, `step` bytes from pixel to pixel.
  void copy_row(std::uint32_t row, int count, std::uint8_t* out, int step) {
    const std::size_t sample_bytes = page_.bits / 8;
    for (int c = 0; c < count; ++c) {
      for (std::size_t column = 0; column < across_; ++column) {
        const std::size_t first = column * block_width_;
        const std::size_t pixels = std::min<std::size_t>(block_width_, page_.width - first);
        const std::uint8_t* in = block(page_.separate ? c : 0, column) + row * row_bytes_;
        if (!page_.separate) in += c * sample_bytes;
        std::uint8_t* to = out + first * step + c;
        for (std::size_t x = 0; x < pixels; ++x, in += pixel_bytes_, to += step) {
          *to = sample_bytes == 1 ? *in : reduce(in);
        }
      }
    }
  }

 private:
  int planes() const { return page_.separate ? page_.samples : 1; }
  std::uint8_t* block(int plane, std::size_t column) {
    return data_.data() + (plane * static_cast<std::size_t>(across_) + column) * block_bytes_;
  }
  static std::uint8_t reduce(const std::uint8_t* in) {
    std::uint16_t value;
    std::memcpy(&value, in, sizeof value);
    return static_cast<std::uint8_t>((value * 255u + 32767u) / 65535u);
  }

  const TiffFile& file_;
  const Page& page_;
  bool tiled_;
  std::uint32_t block_width_ = 0;
  std::uint32_t block_height_ = 0;
  std::uint64_t across_ = 0;
  std::size_t pixel_bytes_ = 0;
  std::size_t row_bytes_ = 0;
  std::size_t block_bytes_ = 0;
  std::vector<std::uint8_t> data_;
};

Decoded decode_plain(const TiffFile& file, const Page& page, const PlainLayout& layout) {
  if (page.photometric == PHOTOMETRIC_YCBCR) TIFFSetField(file.get(), TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
  Band band(file, page);
  // Beside the band, libtiff keeps the compressed bytes of one block.
  file.source().check_memory(output_bytes(page.width, page.height, page.orientation) + band.bytes() +
                             file.source().bytes.size());
  band.allocate();
  const bool with_alpha = has_alpha(layout.format);
  const int step = samples_per_pixel(layout.format);
  PixelSink sink(static_cast<int>(page.width), static_cast<int>(page.height), layout.format, icc_profile(file));
  for (std::uint32_t y = 0; y < page.height; ++y) {
    if (y % band.height() == 0) band.read(y);
    std::uint8_t* row = sink.row(static_cast<int>(y));
    band.copy_row(y % band.height(), layout.colors + (with_alpha ? 1 : 0), row, step);
    for (std::size_t x = 0; x < page.width && (layout.invert || page.premultiplied); ++x) {
      std::uint8_t* pixel = row + x * step;
      for (int c = 0; c < layout.colors; ++c) {
        if (with_alpha && page.premultiplied) pixel[c] = unmultiply(pixel[c], pixel[layout.colors]);
        if (layout.invert) pixel[c] = static_cast<std::uint8_t>(255 - pixel[c]);
      }
    }
    sink.commit(static_cast<int>(y));
  }
  return {std::move(sink).finish(page.orientation)};
}

struct RgbaImage : TIFFRGBAImage {
  RgbaImage() : TIFFRGBAImage{} {}
  ~RgbaImage() {
    if (begun) TIFFRGBAImageEnd(this);
  }
  RgbaImage(const RgbaImage&) = delete;
  RgbaImage& operator=(const RgbaImage&) = delete;
  bool begun = false;
};

Decoded decode_rgba(const TiffFile& file, const Page& page) {
  const Source& source = file.source();
  char message[1024] = {};
  if (!TIFFRGBAImageOK(file.get(), message)) {
    source.fail(ErrorCode::kUnsupported, "TIFF variant that is not read (" + std::string(message) + ")");
  }
  const std::uint64_t pixels = std::uint64_t{page.width} * page.height;
  const std::uint64_t block = TIFFIsTiled(file.get()) ? TIFFTileSize64(file.get()) : TIFFStripSize64(file.get());
  source.check_memory(output_bytes(page.width, page.height, page.orientation) + pixels * 4 + block * 2 +
                      source.bytes.size());
  RgbaImage rgba;
  constexpr int kStopOnError = 1;
  rgba.begun = TIFFRGBAImageBegin(&rgba, file.get(), kStopOnError, message) != 0;
  if (!rgba.begun) source.fail(ErrorCode::kDamaged, "damaged TIFF (" + std::string(message) + ")");
  rgba.req_orientation = rgba.orientation;  // rows as stored
  std::vector<std::uint32_t> raster(static_cast<std::size_t>(pixels));
  if (!TIFFRGBAImageGet(&rgba, raster.data(), page.width, page.height)) file.fail_damaged();
  file.check_pixels();

  PixelSink sink(static_cast<int>(page.width), static_cast<int>(page.height), PixelFormat::kRgba, icc_profile(file));
  for (std::uint32_t y = 0; y < page.height; ++y) {
    std::uint8_t* out = sink.row(static_cast<int>(y));
    const std::uint32_t* in = raster.data() + std::size_t{y} * page.width;
    for (std::uint32_t x = 0; x < page.width; ++x, out += 4) {
      const auto alpha = static_cast<std::uint8_t>(TIFFGetA(in[x]));
      out[0] = unmultiply(static_cast<std::uint8_t>(TIFFGetR(in[x])), alpha);
      out[1] = unmultiply(static_cast<std::uint8_t>(TIFFGetG(in[x])), alpha);
      out[2] = unmultiply(static_cast<std::uint8_t>(TIFFGetB(in[x])), alpha);
      out[3] = alpha;
    }
    sink.commit(static_cast<int>(y));
  }
  return {std::move(sink).finish(page.orientation)};
}

}  // namespace

ImageInfo probe_tiff(const Source& source) {
  const TiffFile file(source);
  return info_of(file, read_page(file));
}

Decoded decode_tiff(const Source& source) {
  const TiffFile file(source);
  const Page page = read_page(file);
  const auto layout = plain_layout(page);
  return layout ? decode_plain(file, page, *layout) : decode_rgba(file, page);
}

}  // namespace tessera::codec
