// Every format, bit depth, colour model and orientation decodes to the right upright sRGB pixels.
#include <gtest/gtest.h>
#include <tiffio.h>

#include <cstdlib>
#include <filesystem>

#include "image_files.h"
#include "tessera/error.h"
#include "tessera/image.h"
#include "tessera/resize.h"
#include "test_paths.h"

namespace tessera::test {
namespace {

const std::filesystem::path kData = test::data_dir() / "images";

struct Read {
  Image image;
  ImageInfo info;
};

// Decodes and checks that probe and decode agree.
Read read(const Bytes& bytes, DecodeOptions options = {}) {
  Read out;
  out.image = decode_image(bytes, "test", options, &out.info);
  const ImageInfo probed = probe_image(bytes, "test");
  EXPECT_EQ(probed.format, out.info.format);
  EXPECT_EQ(probed.width, out.info.width);
  EXPECT_EQ(probed.height, out.info.height);
  EXPECT_EQ(probed.orientation, out.info.orientation);
  EXPECT_EQ(probed.bits, out.info.bits);
  if (options.min_short_side == 0) {
    EXPECT_EQ(out.image.width, out.info.width);
    EXPECT_EQ(out.image.height, out.info.height);
  }
  EXPECT_EQ(out.image.rgb.size(), std::size_t(out.image.width) * out.image.height * 3);
  return out;
}

::testing::AssertionResult near(const Image& actual, const Image& expected, int tolerance) {
  if (actual.width != expected.width || actual.height != expected.height) {
    return ::testing::AssertionFailure() << actual.width << "x" << actual.height << " instead of " << expected.width
                                         << "x" << expected.height;
  }
  for (std::size_t i = 0; i < expected.rgb.size(); ++i) {
    if (std::abs(actual.rgb[i] - expected.rgb[i]) > tolerance) {
      return ::testing::AssertionFailure()
             << "sample " << i << " is " << int(actual.rgb[i]) << ", not " << int(expected.rgb[i]);
    }
  }
  return ::testing::AssertionSuccess();
}

Image grey_of(const Image& image) {
  Image grey = image;
  for (std::size_t i = 0; i < grey.rgb.size(); ++i) grey.rgb[i] = image.rgb[i - i % 3];
  return grey;
}

Image on_white(const Image& image, const std::vector<std::uint8_t>& alpha) {
  Image out = image;
  for (std::size_t i = 0; i < out.rgb.size(); ++i) {
    out.rgb[i] = static_cast<std::uint8_t>((image.rgb[i] * alpha[i / 3] + 255 * (255 - alpha[i / 3]) + 127) / 255);
  }
  return out;
}

Bytes alpha_ramp(const Image& image) {
  Bytes alpha;
  for (std::size_t i = 0; i < image.rgb.size() / 3; ++i) alpha.push_back(static_cast<std::uint8_t>(i * 7));
  return alpha;
}

const Bytes kPalette{0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255, 250, 240, 10};

Image from_palette(int width, int height, const Bytes& indices) {
  Image image{width, height, {}};
  for (const auto index : indices) image.rgb.insert(image.rgb.end(), &kPalette[index * 3], &kPalette[index * 3] + 3);
  return image;
}

TEST(DetectFormat, ByContent) {
  EXPECT_EQ(detect_image_format(text_bytes("not a picture")), ImageFormat::kUnknown);
  EXPECT_EQ(detect_image_format({}), ImageFormat::kUnknown);
  EXPECT_EQ(detect_image_format(text_bytes("P7\n")), ImageFormat::kUnknown);
  EXPECT_EQ(detect_image_format(text_bytes("P3\n")), ImageFormat::kPnm);
  EXPECT_EQ(detect_image_format(text_bytes("Photo")), ImageFormat::kUnknown);
  EXPECT_TRUE(has_image_extension("a/b.JPeG"));
  EXPECT_TRUE(has_image_extension("x.gif"));
  EXPECT_FALSE(has_image_extension("x.txt"));
  EXPECT_FALSE(has_image_extension("jpg"));
}

TEST(DecodeJpeg, BaselineProgressiveRestartsAndArithmetic) {
  const Image image = gradient(61, 43);
  for (const bool progressive : {false, true}) {
    for (const bool arithmetic : {false, true}) {
      for (const int restart_rows : {0, 1}) {
        JpegMaking making;
        making.progressive = progressive;
        making.arithmetic = arithmetic;
        making.restart_rows = restart_rows;
        const Read result = read(make_jpeg(image, making));
        EXPECT_TRUE(near(result.image, image, 6)) << progressive << arithmetic << restart_rows;
        EXPECT_EQ(result.info.format, ImageFormat::kJpeg);
      }
    }
  }
}

TEST(DecodeJpeg, Grey) {
  const Image image = gradient(33, 20);
  const Read result = read(make_grey_jpeg(samples_of(image, 1, 8)));
  EXPECT_EQ(result.info.channels, 1);
  EXPECT_TRUE(near(result.image, grey_of(image), 4));
}

TEST(DecodeJpeg, CmykAndYcckWithAndWithoutAdobeMarker) {
  const Image image = gradient(40, 24);
  Bytes cmyk;
  Image expected = image;
  for (std::size_t i = 0; i < image.rgb.size(); i += 3) {
    const std::uint8_t black = static_cast<std::uint8_t>(i / 3 / 40 * 5);
    for (int c = 0; c < 3; ++c) {
      cmyk.push_back(static_cast<std::uint8_t>(255 - image.rgb[i + c]));
      expected.rgb[i + c] = static_cast<std::uint8_t>(image.rgb[i + c] * (255 - black) / 255);
    }
    cmyk.push_back(black);
  }
  for (const bool ycck : {false, true}) {
    JpegMaking making;
    making.adobe_ycck = ycck;
    EXPECT_TRUE(near(read(make_cmyk_jpeg(40, 24, cmyk, making)).image, expected, 8)) << ycck;
  }
  JpegMaking plain;
  plain.adobe = false;
  const Read result = read(make_cmyk_jpeg(40, 24, cmyk, plain));
  EXPECT_EQ(result.info.channels, 4);
  EXPECT_TRUE(near(result.image, expected, 8));
}

TEST(DecodeJpeg, PicturesMadeByPil) {
  const Image photo = load_image(kData / "photo.png");
  EXPECT_TRUE(near(load_image(kData / "baseline.jpg"), photo, 5));
  EXPECT_TRUE(near(load_image(kData / "progressive.jpg"), photo, 9));
  EXPECT_TRUE(near(load_image(kData / "cmyk.jpg"), photo, 4));
  EXPECT_TRUE(near(load_image(kData / "lossless.webp"), photo, 0));
  EXPECT_TRUE(near(load_image(kData / "lzw.tif"), photo, 0));
  EXPECT_TRUE(near(load_image(kData / "jpeg.tif"), photo, 5));
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const Image read = load_image(kData / ("orientation_" + std::to_string(orientation) + ".jpg"));
    // PIL stored the same pixels each time; turning them back gives the photo.
    EXPECT_TRUE(near(stored_for_orientation(read, orientation), photo, 5)) << orientation;
  }
}

TEST(DecodeJpeg, ScaledDecodeCoversTheRequest) {
  const Image image = gradient(801, 603);
  const Bytes bytes = make_jpeg(image);
  int previous = 0;
  for (const int min_short : {1, 40, 76, 100, 151, 226, 301, 302, 400, 500, 600, 603, 604, 5000}) {
    DecodeOptions options;
    options.min_short_side = min_short;
    const Read result = read(bytes, options);
    EXPECT_EQ(result.info.width, 801);
    EXPECT_GE(result.image.height, std::min(min_short, 603));
    EXPECT_LE(result.image.height, std::max(min_short + 603 / 8 + 1, 76));  // not a step larger than needed
    EXPECT_GE(result.image.height, previous);
    previous = result.image.height;
    EXPECT_TRUE(near(result.image, resize_bicubic(image, result.image.width, result.image.height), 6)) << min_short;
  }
  EXPECT_EQ(previous, 603);
}

TEST(DecodePng, AllDepthsColoursAndInterlacing) {
  const Image image = gradient(37, 26);
  for (const bool interlaced : {false, true}) {
    for (const int bits : {8, 16}) {
      for (int channels = 1; channels <= 4; ++channels) {
        PngMaking making;
        making.interlaced = interlaced;
        const Read result = read(make_png(samples_of(image, channels, bits), making));
        EXPECT_TRUE(near(result.image, channels < 3 ? grey_of(image) : image, 0)) << channels << " " << bits;
        EXPECT_EQ(result.info.bits, bits);
        EXPECT_EQ(result.info.channels, channels);
        EXPECT_EQ(result.info.has_alpha, channels == 2 || channels == 4);
      }
    }
  }
}

TEST(DecodePng, AlphaIsCompositedOnWhite) {
  const Image image = gradient(30, 20);
  const Bytes alpha = alpha_ramp(image);
  for (const int bits : {8, 16}) {
    Samples samples = samples_of(image, 4, bits);
    for (std::size_t i = 0; i < alpha.size(); ++i) {
      samples.values[4 * i + 3] = static_cast<std::uint16_t>(alpha[i] * (bits == 16 ? 257 : 1));
    }
    EXPECT_TRUE(near(read(make_png(samples)).image, on_white(image, alpha), 1));
  }
}

TEST(DecodePng, PaletteAndLowBitGrey) {
  for (const int bits : {1, 2, 4, 8}) {
    Bytes indices;
    for (int i = 0; i < 19 * 11; ++i)
      indices.push_back(static_cast<std::uint8_t>((i * 5 + i / 7) % std::min(1 << bits, 5)));
    const Bytes palette(kPalette.begin(), kPalette.begin() + std::min(1 << bits, 5) * 3);
    EXPECT_TRUE(near(read(make_index_png(19, 11, bits, indices, palette, {})).image, from_palette(19, 11, indices), 0));
    Image transparent = from_palette(19, 11, indices);
    for (std::size_t i = 0; i < indices.size(); ++i) {
      if (indices[i] == 0) std::fill_n(&transparent.rgb[3 * i], 3, 255);
    }
    const Read with_alpha = read(make_index_png(19, 11, bits, indices, palette, {0}));
    EXPECT_TRUE(near(with_alpha.image, transparent, 0));
    EXPECT_TRUE(with_alpha.info.has_alpha);
    Image grey{19, 11, {}};
    for (const auto index : indices)
      grey.rgb.insert(grey.rgb.end(), 3, static_cast<std::uint8_t>(index * 255 / ((1 << bits) - 1)));
    EXPECT_TRUE(near(read(make_index_png(19, 11, bits, indices, {}, {})).image, grey, 0));
  }
}

TEST(DecodeWebp, LossyLosslessAlphaAnimation) {
  const Image image = gradient(50, 34);
  EXPECT_TRUE(near(read(make_webp(image, true)).image, image, 0));
  EXPECT_TRUE(near(read(make_webp(image, false)).image, image, 12));
  const Bytes alpha = alpha_ramp(image);
  const Read with_alpha = read(make_webp(image, true, {}, {}, alpha));
  EXPECT_TRUE(near(with_alpha.image, on_white(image, alpha), 1));
  EXPECT_TRUE(with_alpha.info.has_alpha);
  EXPECT_TRUE(near(read(make_webp(image, false, {}, {}, alpha)).image, on_white(image, alpha), 12));

  const Image frame = gradient(20, 10);
  const Image animated = read(make_animated_webp(50, 34, frame, 5, 3)).image;
  EXPECT_EQ(animated.width, 50);
  EXPECT_TRUE(near(crop_image(animated, 10, 6, 20, 10), frame, 0));
  EXPECT_TRUE(near(crop_image(animated, 0, 0, 50, 6), Image{50, 6, Bytes(50 * 6 * 3, 255)}, 0));
}

TEST(DecodeTiff, StripsTilesPlanesDepthsAndCompressions) {
  const Image image = gradient(45, 29);
  for (const int bits : {8, 16}) {
    for (const int channels : {1, 3}) {
      for (const int tile : {0, 16}) {
        for (const bool separate : {false, true}) {
          for (const int compression :
               {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE, COMPRESSION_PACKBITS}) {
            TiffMaking making;
            making.compression = compression;
            making.tile = tile;
            making.separate = separate;
            making.photometric = channels == 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK;
            making.big_endian = tile != 0;
            const Read result = read(make_tiff(samples_of(image, channels, bits), making));
            EXPECT_TRUE(near(result.image, channels == 3 ? image : grey_of(image), 0))
                << bits << " " << channels << " " << tile << " " << separate << " " << compression;
            EXPECT_EQ(result.info.bits, bits);
          }
        }
      }
    }
  }
}

TEST(DecodeTiff, AlphaMinIsWhiteCmykJpegAndFax) {
  const Image image = gradient(32, 24);
  const Bytes alpha = alpha_ramp(image);
  for (const int extra : {EXTRASAMPLE_ASSOCALPHA, EXTRASAMPLE_UNASSALPHA}) {
    Samples samples = samples_of(image, 4, 8);
    for (std::size_t i = 0; i < alpha.size(); ++i) {
      samples.values[4 * i + 3] = alpha[i];
      for (int c = 0; c < 3 && extra == EXTRASAMPLE_ASSOCALPHA; ++c) {
        samples.values[4 * i + c] = static_cast<std::uint16_t>((samples.values[4 * i + c] * alpha[i] + 127) / 255);
      }
    }
    TiffMaking making;
    making.extra = extra;
    EXPECT_TRUE(near(read(make_tiff(samples, making)).image, on_white(image, alpha), 2)) << extra;
  }
  TiffMaking white;
  white.photometric = PHOTOMETRIC_MINISWHITE;
  Samples inverted = samples_of(image, 1, 16);
  for (auto& value : inverted.values) value = static_cast<std::uint16_t>(65535 - value);
  EXPECT_TRUE(near(read(make_tiff(inverted, white)).image, grey_of(image), 0));

  TiffMaking cmyk;
  cmyk.photometric = PHOTOMETRIC_SEPARATED;
  Samples inks = samples_of(image, 4, 8);
  for (std::size_t i = 0; i < inks.values.size(); ++i) {
    inks.values[i] = i % 4 == 3 ? 0 : static_cast<std::uint16_t>(255 - inks.values[i]);
  }
  EXPECT_TRUE(near(read(make_tiff(inks, cmyk)).image, image, 0));

  TiffMaking jpeg;
  jpeg.compression = COMPRESSION_JPEG;
  jpeg.photometric = PHOTOMETRIC_YCBCR;
  jpeg.rows_per_strip = 16;
  EXPECT_TRUE(near(read(make_tiff(samples_of(image, 3, 8), jpeg)).image, image, 12));

  const Bytes rows{0xF0, 0x0F, 0xAA, 0x00};  // 16 x 2, 1 is black
  for (const int compression : {COMPRESSION_NONE, COMPRESSION_CCITTFAX4}) {
    const Image fax = read(make_bilevel_tiff(16, 2, rows, compression)).image;
    for (int i = 0; i < 32; ++i) EXPECT_EQ(fax.rgb[3 * i], (rows[i / 8] >> (7 - i % 8) & 1) ? 0 : 255) << i;
  }
}

TEST(DecodeGif, FirstFrameOnItsCanvas) {
  Bytes indices;
  for (int i = 0; i < 13 * 21; ++i) indices.push_back(static_cast<std::uint8_t>((i * 3 + i / 5) % 4));
  const Bytes palette(kPalette.begin(), kPalette.begin() + 12);
  const Image image = from_palette(13, 21, indices);
  for (const bool interlaced : {false, true}) {
    GifMaking making;
    making.interlaced = interlaced;
    EXPECT_TRUE(near(read(make_gif(13, 21, indices, palette, making)).image, image, 0));
  }
  GifMaking placed;
  placed.canvas_width = 30;
  placed.canvas_height = 25;
  placed.left = 4;
  placed.top = 2;
  placed.transparent = 1;
  Image transparent = image;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    if (indices[i] == 1) std::fill_n(&transparent.rgb[3 * i], 3, 255);
  }
  const Image canvas = read(make_gif(13, 21, indices, palette, placed)).image;
  EXPECT_EQ(canvas.width, 30);
  EXPECT_EQ(canvas.height, 25);
  EXPECT_TRUE(near(crop_image(canvas, 4, 2, 13, 21), transparent, 0));
  EXPECT_TRUE(near(crop_image(canvas, 17, 0, 13, 25), Image{13, 25, Bytes(13 * 25 * 3, 255)}, 0));
}

TEST(DecodeBmp, DepthsAndRowOrder) {
  const Image image = gradient(21, 17);
  for (const bool top_down : {false, true}) {
    EXPECT_TRUE(near(read(make_bmp(image, 24, top_down)).image, image, 0));
    EXPECT_TRUE(near(read(make_bmp(image, 32, top_down)).image, image, 0));
    EXPECT_TRUE(near(read(make_bmp(image, 16, top_down)).image, image, 8));
  }
  EXPECT_TRUE(near(load_image(kData / "palette.bmp"), load_image(kData / "photo.png"), 60));
}

TEST(DecodePnm, TextAndBinaryOfAllDepths) {
  const Image image = gradient(15, 9);
  for (const int kind : {'2', '3', '5', '6'}) {
    const int channels = kind == '2' || kind == '5' ? 1 : 3;
    const Image expected = channels == 1 ? grey_of(image) : image;
    EXPECT_TRUE(near(read(make_pnm(samples_of(image, channels, 8), kind, 255)).image, expected, 0));
    const Read deep = read(make_pnm(samples_of(image, channels, 16), kind, 65535));
    EXPECT_TRUE(near(deep.image, expected, 0));
    EXPECT_EQ(deep.info.bits, 16);
  }
  const Image text = read(text_bytes("P1 3 2\n# bits\n0 1 0\n110\n")).image;
  EXPECT_EQ(text.rgb, (Bytes{255, 255, 255, 0, 0, 0, 255, 255, 255, 0, 0, 0, 0, 0, 0, 255, 255, 255}));
  const Image packed = read(concat({text_bytes("P4 3 2\n"), {0x40, 0xC0}})).image;
  EXPECT_EQ(packed.rgb, text.rgb);
  EXPECT_EQ(read(text_bytes("P2 2 1 10 5 10 ")).image.rgb, (Bytes{128, 128, 128, 255, 255, 255}));
}

TEST(Orientation, AllEightInEveryFormatThatHasIt) {
  const Image upright = gradient(34, 21);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const Image stored = stored_for_orientation(upright, orientation);
    for (const bool big_endian : {false, true}) {
      JpegMaking jpeg;
      jpeg.exif = make_exif(orientation, big_endian, true);
      EXPECT_TRUE(near(read(make_jpeg(stored, jpeg)).image, upright, 6)) << "jpeg " << orientation;
      PngMaking png;
      png.exif = make_exif(orientation, big_endian, false);
      EXPECT_TRUE(near(read(make_png(samples_of(stored, 3, 8), png)).image, upright, 0)) << "png " << orientation;
      for (const bool prefix : {false, true}) {
        const Bytes webp = make_webp(stored, true, make_exif(orientation, big_endian, prefix));
        EXPECT_TRUE(near(read(webp).image, upright, 0)) << "webp " << orientation;
      }
      TiffMaking tiff;
      tiff.orientation = orientation;
      tiff.big_endian = big_endian;
      EXPECT_TRUE(near(read(make_tiff(samples_of(stored, 3, 8), tiff)).image, upright, 0)) << "tiff " << orientation;
    }
  }
}

}  // namespace
}  // namespace tessera::test
