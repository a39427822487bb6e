// Encoders behind image_files.h: JPEG, PNG and the uncompressed formats.
#include "image_files.h"

#include <png.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <stdexcept>

// jpeglib.h needs <cstdio> before it.
#include <jpeglib.h>

namespace tessera::test {
namespace {

void put(Bytes& out, std::uint32_t value, int count) {
  for (int i = 0; i < count; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

void on_jpeg_error(j_common_ptr cinfo) {
  char text[JMSG_LENGTH_MAX];
  cinfo->err->format_message(cinfo, text);
  throw std::runtime_error(text);
}

Bytes encode_jpeg_rows(int width, int height, int channels, const Bytes& rows, const JpegMaking& making) {
  jpeg_compress_struct cinfo{};
  jpeg_error_mgr error{};
  cinfo.err = jpeg_std_error(&error);
  error.error_exit = on_jpeg_error;
  jpeg_create_compress(&cinfo);
  unsigned char* out = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&cinfo, &out, &size);
  cinfo.image_width = static_cast<JDIMENSION>(width);
  cinfo.image_height = static_cast<JDIMENSION>(height);
  cinfo.input_components = channels;
  cinfo.in_color_space = channels == 4 ? JCS_CMYK : channels == 3 ? JCS_RGB : JCS_GRAYSCALE;
  jpeg_set_defaults(&cinfo);
  if (channels == 4) {
    jpeg_set_colorspace(&cinfo, making.adobe_ycck ? JCS_YCCK : JCS_CMYK);
    cinfo.write_Adobe_marker = making.adobe ? TRUE : FALSE;
  }
  jpeg_set_quality(&cinfo, making.quality, TRUE);
  for (int c = 0; c < cinfo.num_components; ++c)
    cinfo.comp_info[c].h_samp_factor = cinfo.comp_info[c].v_samp_factor = 1;
  cinfo.restart_in_rows = making.restart_rows;
  cinfo.arith_code = making.arithmetic ? TRUE : FALSE;
  if (making.progressive) jpeg_simple_progression(&cinfo);
  jpeg_start_compress(&cinfo, TRUE);
  if (!making.exif.empty()) {
    jpeg_write_marker(&cinfo, JPEG_APP0 + 1, making.exif.data(), static_cast<unsigned>(making.exif.size()));
  }
  if (!making.icc.empty()) {
    jpeg_write_icc_profile(&cinfo, making.icc.data(), static_cast<unsigned>(making.icc.size()));
  }
  while (cinfo.next_scanline < cinfo.image_height) {
    auto* row = const_cast<JSAMPROW>(rows.data() + std::size_t{cinfo.next_scanline} * width * channels);
    jpeg_write_scanlines(&cinfo, &row, 1);
  }
  jpeg_finish_compress(&cinfo);
  Bytes result(out, out + size);
  jpeg_destroy_compress(&cinfo);
  std::free(out);
  return result;
}

void on_png_write(png_structp png, png_bytep data, png_size_t count) {
  auto* out = static_cast<Bytes*>(png_get_io_ptr(png));
  out->insert(out->end(), data, data + count);
}
void on_png_flush(png_structp) {}
void on_png_error(png_structp, png_const_charp text) { throw std::runtime_error(text); }
void on_png_warning(png_structp, png_const_charp) {}

Bytes encode_png_rows(int width, int height, int bits, int color_type, std::vector<Bytes>& rows, const Bytes& palette,
                      const Bytes& alpha, const PngMaking& making) {
  Bytes out;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, on_png_error, on_png_warning);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(png, &out, on_png_write, on_png_flush);
  png_set_IHDR(png, info, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height), bits, color_type,
               making.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  std::vector<png_color> colors;
  for (std::size_t i = 0; i + 2 < palette.size(); i += 3)
    colors.push_back({palette[i], palette[i + 1], palette[i + 2]});
  if (!colors.empty()) png_set_PLTE(png, info, colors.data(), static_cast<int>(colors.size()));
  if (!alpha.empty()) png_set_tRNS(png, info, alpha.data(), static_cast<int>(alpha.size()), nullptr);
  if (!making.icc.empty()) {
    png_set_iCCP(png, info, "test", PNG_COMPRESSION_TYPE_BASE, making.icc.data(),
                 static_cast<png_uint_32>(making.icc.size()));
  }
  Bytes exif = making.exif;
  if (!exif.empty()) png_set_eXIf_1(png, info, static_cast<png_uint_32>(exif.size()), exif.data());
  std::vector<png_bytep> pointers;
  for (Bytes& row : rows) pointers.push_back(row.data());
  png_write_info(png, info);
  png_write_image(png, pointers.data());
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return out;
}

}  // namespace

Image gradient(int width, int height) {
  Image image{width, height, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      image.rgb.push_back(static_cast<std::uint8_t>(40 + 180 * x / width));
      image.rgb.push_back(static_cast<std::uint8_t>(40 + 180 * y / height));
      image.rgb.push_back(static_cast<std::uint8_t>(200 - 120 * x * y / (width * height)));
    }
  }
  return image;
}

Image noise(int width, int height, unsigned seed) {
  std::mt19937 random(seed);
  Image image{width, height, Bytes(std::size_t(width) * height * 3)};
  for (auto& value : image.rgb) value = static_cast<std::uint8_t>(random());
  return image;
}

Samples samples_of(const Image& image, int channels, int bits) {
  Samples out{image.width, image.height, channels, bits, {}};
  const int scale = bits == 16 ? 257 : 1;
  for (std::size_t i = 0; i < image.rgb.size(); i += 3) {
    for (int c = 0; c < channels; ++c) {
      const bool alpha = (channels == 2 && c == 1) || c == 3;
      out.values.push_back(static_cast<std::uint16_t>((alpha ? 255 : image.rgb[i + c]) * scale));
    }
  }
  return out;
}

Bytes make_jpeg(const Image& image, const JpegMaking& making) {
  return encode_jpeg_rows(image.width, image.height, 3, image.rgb, making);
}

Bytes make_grey_jpeg(const Samples& samples) {
  return encode_jpeg_rows(samples.width, samples.height, 1, Bytes(samples.values.begin(), samples.values.end()), {});
}

Bytes make_cmyk_jpeg(int width, int height, const Bytes& cmyk, const JpegMaking& making) {
  Bytes rows = cmyk;
  if (making.adobe) {
    for (auto& value : rows) value = static_cast<std::uint8_t>(255 - value);
  }
  return encode_jpeg_rows(width, height, 4, rows, making);
}

Bytes make_png(const Samples& samples, const PngMaking& making) {
  constexpr int kTypes[] = {0, PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB,
                            PNG_COLOR_TYPE_RGB_ALPHA};
  std::vector<Bytes> rows(samples.height);
  std::size_t i = 0;
  for (Bytes& row : rows) {
    for (int k = 0; k < samples.width * samples.channels; ++k, ++i) {
      if (samples.bits == 16) row.push_back(static_cast<std::uint8_t>(samples.values[i] >> 8));
      row.push_back(static_cast<std::uint8_t>(samples.values[i]));
    }
  }
  return encode_png_rows(samples.width, samples.height, samples.bits, kTypes[samples.channels], rows, {}, {}, making);
}

Bytes make_index_png(int width, int height, int bits, const Bytes& indices, const Bytes& palette, const Bytes& alpha) {
  std::vector<Bytes> rows(height, Bytes((std::size_t(width) * bits + 7) / 8));
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      rows[y][x * bits / 8] |= static_cast<std::uint8_t>(indices[y * width + x] << (8 - bits - x * bits % 8));
    }
  }
  return encode_png_rows(width, height, bits, palette.empty() ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_PALETTE, rows,
                         palette, alpha, {});
}

Bytes make_bmp(const Image& image, int bits, bool top_down) {
  const std::size_t stride = (std::size_t(image.width) * bits + 31) / 32 * 4;
  Bytes out = text_bytes("BM");
  put(out, static_cast<std::uint32_t>(54 + stride * image.height), 4);
  put(out, 0, 4);
  put(out, 54, 4);
  put(out, 40, 4);
  put(out, static_cast<std::uint32_t>(image.width), 4);
  put(out, static_cast<std::uint32_t>(top_down ? -image.height : image.height), 4);
  put(out, 1, 2);
  put(out, static_cast<std::uint32_t>(bits), 2);
  for (int i = 0; i < 6; ++i) put(out, 0, 4);
  for (int row = 0; row < image.height; ++row) {
    const int y = top_down ? row : image.height - 1 - row;
    Bytes line;
    for (int x = 0; x < image.width; ++x) {
      const std::uint8_t* rgb = &image.rgb[(std::size_t(y) * image.width + x) * 3];
      if (bits == 16) {
        put(line, (rgb[0] >> 3 << 10) | (rgb[1] >> 3 << 5) | rgb[2] >> 3, 2);
      } else {
        put(line, static_cast<std::uint32_t>(rgb[2] | rgb[1] << 8 | rgb[0] << 16), bits / 8);
      }
    }
    line.resize(stride);
    out.insert(out.end(), line.begin(), line.end());
  }
  return out;
}

Bytes make_pnm(const Samples& samples, int kind, int max_value) {
  Bytes out =
      text_bytes(std::string("P") + static_cast<char>(kind) + "\n# made by a test\n" + std::to_string(samples.width) +
                 " " + std::to_string(samples.height) + "\n" + std::to_string(max_value) + "\n");
  for (const std::uint16_t value : samples.values) {
    if (kind < '4') {
      const Bytes text = text_bytes(std::to_string(value) + "\n");
      out.insert(out.end(), text.begin(), text.end());
    } else {
      if (max_value > 255) out.push_back(static_cast<std::uint8_t>(value >> 8));
      out.push_back(static_cast<std::uint8_t>(value));
    }
  }
  return out;
}

Bytes make_exif(int orientation, bool big_endian, bool with_prefix) {
  const auto field = [big_endian](std::uint32_t value, int count) {
    Bytes out;
    for (int i = 0; i < count; ++i)
      out.push_back(static_cast<std::uint8_t>(value >> 8 * (big_endian ? count - 1 - i : i)));
    return out;
  };
  const Bytes prefix = with_prefix ? Bytes{'E', 'x', 'i', 'f', 0, 0} : Bytes{};
  return concat({prefix, text_bytes(big_endian ? "MM" : "II"), field(42, 2), field(8, 4), field(2, 2),
                 // An entry before the one that counts: ImageWidth = 7.
                 field(0x0100, 2), field(3, 2), field(1, 4), field(7, 2), field(0, 2),  //
                 field(0x0112, 2), field(3, 2), field(1, 4), field(static_cast<std::uint32_t>(orientation), 2),
                 field(0, 2), field(0, 4)});
}

Image stored_for_orientation(const Image& upright, int orientation) {
  const bool turned = orientation >= 5;
  Image stored{turned ? upright.height : upright.width, turned ? upright.width : upright.height,
               Bytes(upright.rgb.size())};
  const int w = stored.width;
  const int h = stored.height;
  for (int y = 0; y < h; ++y) {
    for (int x = 0; x < w; ++x) {
      // Where the stored pixel (x, y) is seen: EXIF 2.32, orientation = sides of the visual row 0 and column 0.
      const int seen[8][2] = {{x, y}, {w - 1 - x, y}, {w - 1 - x, h - 1 - y}, {x, h - 1 - y},
                              {y, x}, {h - 1 - y, x}, {h - 1 - y, w - 1 - x}, {y, w - 1 - x}};
      const int* at = seen[orientation - 1];
      std::copy_n(&upright.rgb[(std::size_t(at[1]) * upright.width + at[0]) * 3], 3,
                  &stored.rgb[(std::size_t(y) * w + x) * 3]);
    }
  }
  return stored;
}

Bytes concat(std::initializer_list<Bytes> parts) {
  Bytes out;
  for (const Bytes& part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

Bytes text_bytes(const std::string& text) { return {text.begin(), text.end()}; }

}  // namespace tessera::test
