// JPEG and PNG encoding.
#include "image/encode.h"

#include <png.h>

#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

// jpeglib.h needs <cstdio> before it.
#include <jpeglib.h>

#include "tessera/error.h"

namespace tessera {
namespace {

void check_encodable(const Image& image) {
  if (image.width < 1 || image.height < 1 ||
      image.rgb.size() != static_cast<std::size_t>(image.width) * image.height * 3) {
    throw Error(ErrorCode::kInvalidArgument, "an image without pixels cannot be encoded");
  }
}

struct JpegErrorManager {
  jpeg_error_mgr base;  // first member: libjpeg hands back a pointer to it
  std::jmp_buf jump;
  char message[JMSG_LENGTH_MAX];
};

[[noreturn]] void on_jpeg_error(j_common_ptr cinfo) {
  auto* error = reinterpret_cast<JpegErrorManager*>(cinfo->err);
  error->base.format_message(cinfo, error->message);
  std::longjmp(error->jump, 1);
}

void on_jpeg_output(j_common_ptr) {}

// State of one encoding, apart from the function that calls setjmp so that its members survive the jump.
struct JpegWriter {
  jpeg_compress_struct cinfo{};
  JpegErrorManager error{};
  unsigned char* out = nullptr;
  unsigned long size = 0;

  JpegWriter() {
    cinfo.err = jpeg_std_error(&error.base);
    error.base.error_exit = on_jpeg_error;
    error.base.output_message = on_jpeg_output;
  }
  ~JpegWriter() {
    jpeg_destroy_compress(&cinfo);
    std::free(out);
  }
  JpegWriter(const JpegWriter&) = delete;
  JpegWriter& operator=(const JpegWriter&) = delete;

  bool encode(const Image& image, int quality) {
    if (setjmp(error.jump) != 0) return false;
    jpeg_create_compress(&cinfo);
    jpeg_mem_dest(&cinfo, &out, &size);
    cinfo.image_width = static_cast<JDIMENSION>(image.width);
    cinfo.image_height = static_cast<JDIMENSION>(image.height);
    cinfo.input_components = 3;
    cinfo.in_color_space = JCS_RGB;
    jpeg_set_defaults(&cinfo);
    jpeg_set_quality(&cinfo, quality, TRUE);
    cinfo.optimize_coding = TRUE;
    jpeg_start_compress(&cinfo, TRUE);
    while (cinfo.next_scanline < cinfo.image_height) {
      auto* row = const_cast<JSAMPROW>(image.rgb.data() + std::size_t{cinfo.next_scanline} * image.width * 3);
      jpeg_write_scanlines(&cinfo, &row, 1);
    }
    jpeg_finish_compress(&cinfo);
    return true;
  }
};

struct PngWriter {
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::vector<std::uint8_t> out;
  char message[200] = {};

  PngWriter() {
    png = png_create_write_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
    if (png != nullptr) info = png_create_info_struct(png);
    if (info == nullptr) {
      png_destroy_write_struct(&png, nullptr);
      throw std::bad_alloc();
    }
  }
  ~PngWriter() { png_destroy_write_struct(&png, &info); }
  PngWriter(const PngWriter&) = delete;
  PngWriter& operator=(const PngWriter&) = delete;

  [[noreturn]] static void on_error(png_structp png, png_const_charp text) {
    auto* writer = static_cast<PngWriter*>(png_get_error_ptr(png));
    std::strncpy(writer->message, text, sizeof writer->message - 1);
    png_longjmp(png, 1);
  }
  static void on_warning(png_structp, png_const_charp) {}
  static void on_flush(png_structp) {}
  static void on_write(png_structp png, png_bytep data, std::size_t count) {
    auto* writer = static_cast<PngWriter*>(png_get_io_ptr(png));
    bool stored = true;
    try {
      writer->out.insert(writer->out.end(), data, data + count);
    } catch (const std::bad_alloc&) {
      stored = false;  // an exception must not pass through libpng
    }
    if (!stored) png_error(png, "out of memory");
  }

  bool encode(const Image& image) {
    if (setjmp(png_jmpbuf(png)) != 0) return false;
    png_set_write_fn(png, this, on_write, on_flush);
    png_set_IHDR(png, info, static_cast<png_uint_32>(image.width), static_cast<png_uint_32>(image.height), 8,
                 PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (int y = 0; y < image.height; ++y) {
      png_write_row(png, image.rgb.data() + static_cast<std::size_t>(y) * image.width * 3);
    }
    png_write_end(png, nullptr);
    return true;
  }
};

}  // namespace

std::vector<std::uint8_t> encode_jpeg(const Image& image, int quality) {
  check_encodable(image);
  if (quality < 1 || quality > 100) {
    throw Error(ErrorCode::kInvalidArgument, "JPEG quality " + std::to_string(quality) + " is not in 1 to 100");
  }
  JpegWriter writer;
  if (!writer.encode(image, quality)) {
    throw Error(ErrorCode::kInvalidArgument, "cannot encode JPEG: " + std::string(writer.error.message));
  }
  return {writer.out, writer.out + writer.size};
}

std::vector<std::uint8_t> encode_png(const Image& image) {
  check_encodable(image);
  PngWriter writer;
  if (!writer.encode(image)) {
    throw Error(ErrorCode::kInvalidArgument, "cannot encode PNG: " + std::string(writer.message));
  }
  return std::move(writer.out);
}

}  // namespace tessera
