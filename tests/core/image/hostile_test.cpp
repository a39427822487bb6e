// Damaged and hostile files: an error with one sentence, never a partial picture, a crash or unbounded work.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <tiffio.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <random>

#include "image_files.h"
#include "tessera/error.h"

namespace tessera::test {
namespace {

std::map<std::string, Bytes> sample_files() {
  const Image image = gradient(48, 40);
  JpegMaking progressive;
  progressive.progressive = true;
  progressive.exif = make_exif(6, true, true);
  JpegMaking restarts;
  restarts.restart_rows = 1;
  JpegMaking arithmetic;
  arithmetic.arithmetic = true;
  PngMaking interlaced;
  interlaced.interlaced = true;
  interlaced.exif = make_exif(3, false, false);
  TiffMaking lzw;
  lzw.compression = COMPRESSION_LZW;
  TiffMaking deflate_tiles;
  deflate_tiles.compression = COMPRESSION_ADOBE_DEFLATE;
  deflate_tiles.tile = 16;
  TiffMaking jpeg_tiff;
  jpeg_tiff.compression = COMPRESSION_JPEG;
  jpeg_tiff.photometric = PHOTOMETRIC_YCBCR;
  jpeg_tiff.rows_per_strip = 16;
  Bytes indices;
  for (int i = 0; i < 48 * 40; ++i) indices.push_back(static_cast<std::uint8_t>(i * i / 7 % 4));
  const Bytes palette{0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 0, 255};
  GifMaking gif;
  gif.interlaced = true;
  gif.transparent = 2;
  return {{"baseline.jpg", make_jpeg(image)},
          {"progressive.jpg", make_jpeg(image, progressive)},
          {"restarts.jpg", make_jpeg(image, restarts)},
          {"arithmetic.jpg", make_jpeg(image, arithmetic)},
          {"grey.jpg", make_grey_jpeg(samples_of(image, 1, 8))},
          {"cmyk.jpg", make_cmyk_jpeg(20, 20, Bytes(1600, 90), {})},
          {"rgb.png", make_png(samples_of(image, 3, 8))},
          {"interlaced16.png", make_png(samples_of(image, 4, 16), interlaced)},
          {"palette.png", make_index_png(48, 40, 2, indices, palette, {0})},
          {"lossy.webp", make_webp(image, false, make_exif(2, false, true))},
          {"lossless.webp", make_webp(image, true)},
          {"alpha.webp", make_webp(image, false, {}, {}, Bytes(48 * 40, 77))},
          {"animated.webp", make_animated_webp(48, 40, gradient(20, 10), 3, 2)},
          {"lzw.tif", make_tiff(samples_of(image, 3, 8), lzw)},
          {"tiles16.tif", make_tiff(samples_of(image, 3, 16), deflate_tiles)},
          {"jpeg.tif", make_tiff(samples_of(image, 3, 8), jpeg_tiff)},
          {"fax.tif", make_bilevel_tiff(64, 30, Bytes(240, 0x5A), COMPRESSION_CCITTFAX4)},
          {"a.gif", make_gif(48, 40, indices, palette, gif)},
          {"a24.bmp", make_bmp(image, 24, false)},
          {"a16.bmp", make_bmp(image, 16, true)},
          {"text.ppm", make_pnm(samples_of(image, 3, 8), '3', 255)},
          {"binary.pgm", make_pnm(samples_of(image, 1, 16), '5', 65535)}};
}

// The error of decoding, checked for its form; nullopt if a picture came out.
std::optional<ErrorCode> decode_error(const Bytes& bytes, const std::string& name, const DecodeOptions& options = {}) {
  try {
    const Image image = decode_image(bytes, name, options);
    EXPECT_EQ(image.rgb.size(), std::size_t(image.width) * image.height * 3);
    return std::nullopt;
  } catch (const Error& error) {
    const std::string what = error.what();
    EXPECT_EQ(what.rfind(name + ": ", 0), 0u) << what;
    EXPECT_GT(what.size(), name.size() + 8) << what;
    EXPECT_EQ(what.find('\n'), what.npos) << what;
    return error.code();
  }
}

// Every cut of every file. A whole picture may come out only where the cut removed nothing of the first picture: the
// end-of-image marker of a single-scan JPEG, what follows the first frame of a GIF, the link to a next page of a TIFF.
TEST(Truncation, NeverGivesAPartialPicture) {
  for (const auto& [name, whole] : sample_files()) {
    const Image reference = decode_image(whole, name);
    std::size_t whole_pictures = 0;
    for (std::size_t size = 0; size < whole.size(); size += size < 700 || size + 300 > whole.size() ? 1 : 13) {
      const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      const auto code = decode_error(cut, name);
      if (!code) {
        ++whole_pictures;
        EXPECT_EQ(decode_image(cut, name).rgb, reference.rgb) << name << " cut to " << size << " of " << whole.size();
        EXPECT_GE(size + 16, whole.size()) << name << " cut to " << size << " of " << whole.size();
      } else {
        EXPECT_TRUE(*code == ErrorCode::kDamaged || *code == ErrorCode::kUnsupported) << name << " cut to " << size;
      }
    }
    const bool may_miss_its_end = name == "baseline.jpg" || name == "restarts.jpg" || name == "grey.jpg" ||
                                  name == "cmyk.jpg" || name == "a.gif" || name == "fax.tif";
    EXPECT_TRUE(may_miss_its_end || whole_pictures == 0) << name;
  }
}

TEST(Truncation, SentenceNamesTheReason) {
  const auto files = sample_files();
  for (const char* name : {"baseline.jpg", "progressive.jpg", "rgb.png", "a.gif", "a24.bmp", "text.ppm"}) {
    const Bytes& whole = files.at(name);
    const Bytes half(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(whole.size() * 2 / 3));
    try {
      decode_image(half, name);
      FAIL() << name;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("truncated"), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find("(premature end of data)"), std::string::npos) << error.what();
    }
  }
}

TEST(RandomDamage, NeverCrashes) {
  std::mt19937 random(20260720);
  DecodeOptions options;
  options.limits.max_pixels = 4'000'000;
  options.limits.max_bytes = 64 << 20;
  for (const auto& [name, whole] : sample_files()) {
    for (int round = 0; round < 250; ++round) {
      Bytes bytes = whole;
      const int flips = 1 + static_cast<int>(random() % 6);
      for (int i = 0; i < flips; ++i) {
        // Half of the damage hits the header, where structure is.
        const std::size_t range = random() % 2 == 0 ? std::min<std::size_t>(bytes.size(), 120) : bytes.size();
        bytes[random() % range] = static_cast<std::uint8_t>(random());
      }
      if (random() % 8 == 0) bytes.resize(random() % bytes.size());
      options.min_short_side = random() % 3 == 0 ? 10 : 0;
      decode_error(bytes, name, options);
    }
  }
}

void put_big_endian(Bytes& bytes, std::size_t at, std::uint32_t value, int count) {
  for (int i = 0; i < count; ++i) bytes[at + i] = static_cast<std::uint8_t>(value >> 8 * (count - 1 - i));
}

std::size_t find(const Bytes& bytes, const Bytes& pattern) {
  return static_cast<std::size_t>(std::search(bytes.begin(), bytes.end(), pattern.begin(), pattern.end()) -
                                  bytes.begin());
}

long peak_kib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

TEST(Limits, LyingHeadersAreRefusedBeforeAllocating) {
  auto files = sample_files();
  const std::uint32_t side = 60000;
  Bytes& jpeg = files.at("baseline.jpg");
  const std::size_t frame = find(jpeg, {0xFF, 0xC0});
  put_big_endian(jpeg, frame + 5, side, 2);
  put_big_endian(jpeg, frame + 7, side, 2);
  Bytes& png = files.at("rgb.png");
  put_big_endian(png, 16, side, 4);
  put_big_endian(png, 20, side, 4);
  Bytes& gif = files.at("a.gif");
  gif[6] = gif[8] = 0x60;
  gif[7] = gif[9] = 0xEA;
  Bytes& bmp = files.at("a24.bmp");
  bmp[18] = bmp[22] = 0x60;
  bmp[19] = bmp[23] = 0xEA;
  const std::map<std::string, Bytes> lies{{"lie.jpg", jpeg},
                                          {"lie.png", png},
                                          {"lie.gif", gif},
                                          {"lie.bmp", bmp},
                                          {"lie.ppm", text_bytes("P6 60000 60000 255\n0000")}};
  const long before = peak_kib();
  const auto start = std::chrono::steady_clock::now();
  for (const auto& [name, bytes] : lies) {
    EXPECT_EQ(decode_error(bytes, name), ErrorCode::kLimit) << name;
    EXPECT_THROW(probe_image(bytes, name), Error) << name;
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
  EXPECT_LT(peak_kib() - before, 64 * 1024);
}

TEST(Limits, EachLimitIsEnforced) {
  for (const auto& [name, whole] : sample_files()) {
    DecodeOptions few_pixels;
    few_pixels.limits.max_pixels = 300;
    EXPECT_EQ(decode_error(whole, name, few_pixels), ErrorCode::kLimit) << name;
    DecodeOptions few_bytes;
    few_bytes.limits.max_bytes = 1000;
    const auto code = decode_error(whole, name, few_bytes);
    // libtiff may already refuse to load its tags.
    EXPECT_TRUE(code == ErrorCode::kLimit || (name.ends_with(".tif") && code == ErrorCode::kDamaged)) << name;
    DecodeOptions small_file;
    small_file.limits.max_file_bytes = whole.size() - 1;
    EXPECT_EQ(decode_error(whole, name, small_file), ErrorCode::kLimit) << name;
  }
}

// A progressive JPEG whose last scan is repeated thousands of times.
TEST(Limits, ScanBombIsRefused) {
  JpegMaking making;
  making.progressive = true;
  const Bytes whole = make_jpeg(gradient(400, 400), making);
  std::size_t last_scan = whole.size();
  for (std::size_t i = 0; i + 1 < whole.size(); ++i) {
    if (whole[i] == 0xFF && whole[i + 1] == 0xDA) last_scan = i;
  }
  const Bytes scan(whole.begin() + static_cast<std::ptrdiff_t>(last_scan), whole.end() - 2);
  Bytes bomb(whole.begin(), whole.end() - 2);
  for (int i = 0; i < 3000; ++i) bomb.insert(bomb.end(), scan.begin(), scan.end());
  bomb.insert(bomb.end(), {0xFF, 0xD9});
  const auto start = std::chrono::steady_clock::now();
  const auto code = decode_error(bomb, "bomb.jpg");
  EXPECT_TRUE(code == ErrorCode::kLimit) << (code ? error_code_name(*code) : "a picture");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST(HarmlessOddities, AreAccepted) {
  const Image image = gradient(48, 40);
  const Bytes whole = make_jpeg(image);
  const Image reference = decode_image(whole, "a.jpg");
  Bytes trailing = whole;
  trailing.insert(trailing.end(), 5000, 0x55);
  EXPECT_EQ(decode_image(trailing, "trailing.jpg").rgb, reference.rgb);
  Bytes stray = whole;  // stray bytes between the first marker segments
  stray.insert(stray.begin() + 20, {0x00, 0x12, 0x34});
  EXPECT_EQ(decode_image(stray, "stray.jpg").rgb, reference.rgb);
}

TEST(Unsupported, OtherFormatsAndEmptyFiles) {
  EXPECT_EQ(decode_error(text_bytes("hello, this is text"), "a.txt"), ErrorCode::kUnsupported);
  EXPECT_EQ(decode_error({}, "empty.jpg"), ErrorCode::kDamaged);
  EXPECT_EQ(decode_error({0xFF, 0xD8, 0xFF}, "start.jpg"), ErrorCode::kDamaged);
}

}  // namespace
}  // namespace tessera::test
