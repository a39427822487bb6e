// The EXIF parser on hostile bytes, and ICC profiles: conversion, recognition of sRGB, damaged profiles.
#include <gtest/gtest.h>
#include <lcms2.h>

#include <cstdlib>
#include <random>

#include "image/color.h"
#include "image/exif.h"
#include "image_files.h"

namespace tessera::test {
namespace {

TEST(ExifOrientation, ReadsBothByteOrders) {
  for (int orientation = 1; orientation <= 8; ++orientation) {
    for (const bool big_endian : {false, true}) {
      EXPECT_EQ(exif_orientation(make_exif(orientation, big_endian, true)), orientation);
      EXPECT_EQ(exif_orientation(make_exif(orientation, big_endian, false)), orientation);
    }
  }
  EXPECT_EQ(exif_orientation(make_exif(0, false, true)), 1);
  EXPECT_EQ(exif_orientation(make_exif(9, false, true)), 1);
  EXPECT_EQ(exif_orientation({}), 1);
}

TEST(ExifOrientation, DamagedBytesNeverReadOutside) {
  const Bytes whole = make_exif(6, false, false);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    const int orientation = exif_orientation(cut);
    EXPECT_TRUE(orientation == 1 || orientation == 6);
  }
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    Bytes bytes = whole;
    for (int i = 0; i < 3; ++i) bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
    const int orientation = exif_orientation(bytes);
    EXPECT_TRUE(orientation >= 1 && orientation <= 8);
  }
}

Bytes saved(cmsHPROFILE profile) {
  cmsUInt32Number size = 0;
  cmsSaveProfileToMem(profile, nullptr, &size);
  Bytes bytes(size);
  cmsSaveProfileToMem(profile, bytes.data(), &size);
  cmsCloseProfile(profile);
  return bytes;
}

// Matrix profile with the given primaries (xy of red, green, blue) and gamma.
Bytes rgb_profile(const cmsCIExyYTRIPLE& primaries, double gamma) {
  const cmsCIExyY d65{0.3127, 0.3290, 1.0};
  cmsToneCurve* curve = cmsBuildGamma(nullptr, gamma);
  cmsToneCurve* curves[3] = {curve, curve, curve};
  cmsHPROFILE profile = cmsCreateRGBProfile(&d65, &primaries, curves);
  cmsFreeToneCurve(curve);
  return saved(profile);
}

const cmsCIExyYTRIPLE kAdobeRgb{{0.64, 0.33, 1}, {0.21, 0.71, 1}, {0.15, 0.06, 1}};
// The primaries of sRGB, red and blue exchanged.
const cmsCIExyYTRIPLE kSwapped{{0.15, 0.06, 1}, {0.30, 0.60, 1}, {0.64, 0.33, 1}};

Image flat(std::uint8_t r, std::uint8_t g, std::uint8_t b) {
  Image image{16, 16, {}};
  for (int i = 0; i < 256; ++i) image.rgb.insert(image.rgb.end(), {r, g, b});
  return image;
}

std::vector<int> first_pixel(const Bytes& bytes) {
  const Image image = decode_image(bytes, "test");
  return {image.rgb[0], image.rgb[1], image.rgb[2]};
}

void expect_near(const std::vector<int>& actual, const std::vector<int>& expected, int tolerance, const char* what) {
  for (int c = 0; c < 3; ++c) EXPECT_NEAR(actual[c], expected[c], tolerance) << what << " channel " << c;
}

TEST(IccProfile, SwappedPrimariesSwapColoursInEveryFormat) {
  const Bytes profile = rgb_profile(kSwapped, 2.2);
  const Image image = flat(220, 120, 30);
  const std::vector<int> expected{24, 118, 221};  // gamma 2.2 is darker than sRGB in the shadows
  JpegMaking jpeg;
  jpeg.icc = profile;
  expect_near(first_pixel(make_jpeg(image, jpeg)), expected, 6, "jpeg");
  PngMaking png;
  png.icc = profile;
  expect_near(first_pixel(make_png(samples_of(image, 3, 8), png)), expected, 4, "png");
  expect_near(first_pixel(make_png(samples_of(image, 4, 16), png)), expected, 4, "png with alpha");
  expect_near(first_pixel(make_webp(image, true, {}, profile)), expected, 4, "webp");
  TiffMaking tiff;
  tiff.icc = profile;
  expect_near(first_pixel(make_tiff(samples_of(image, 3, 8), tiff)), expected, 4, "tiff");
  EXPECT_TRUE(probe_image(make_jpeg(image, jpeg), "test").has_icc);
  EXPECT_TRUE(probe_image(make_png(samples_of(image, 3, 8), png), "test").has_icc);
}

TEST(IccProfile, AdobeRgbGreenGetsMoreSaturated) {
  PngMaking png;
  png.icc = rgb_profile(kAdobeRgb, 2.19921875);
  const auto pixel = first_pixel(make_png(samples_of(flat(100, 150, 100), 3, 8), png));
  EXPECT_LT(pixel[0], 85);  // less red for the same green
  EXPECT_NEAR(pixel[1], 150, 3);
  const auto grey = first_pixel(make_png(samples_of(flat(128, 128, 128), 3, 8), png));
  expect_near(grey, {128, 128, 128}, 2, "neutral");
}

TEST(IccProfile, SrgbItselfNeedsNoTransform) {
  const Bytes srgb = saved(cmsCreate_sRGBProfile());
  EXPECT_EQ(IccTransform::create(srgb, PixelFormat::kRgb), nullptr);
  EXPECT_NE(IccTransform::create(rgb_profile(kAdobeRgb, 2.2), PixelFormat::kRgb), nullptr);
  const cmsCIExyYTRIPLE srgb_primaries{{0.64, 0.33, 1}, {0.30, 0.60, 1}, {0.15, 0.06, 1}};
  EXPECT_NE(IccTransform::create(rgb_profile(srgb_primaries, 1.8), PixelFormat::kRgb), nullptr);
}

TEST(IccProfile, GreyGamma) {
  cmsToneCurve* linear = cmsBuildGamma(nullptr, 1.0);
  const Bytes profile = saved(cmsCreateGrayProfile(cmsD50_xyY(), linear));
  cmsFreeToneCurve(linear);
  PngMaking png;
  png.icc = profile;
  for (const int channels : {1, 2}) {
    const auto pixel = first_pixel(make_png(samples_of(flat(55, 55, 55), channels, 8), png));
    expect_near(pixel, {128, 128, 128}, 2, "linear grey 55 is sRGB 128");
  }
}

// CMYK to Lab as a press that prints every ink as grey would do it.
cmsInt32Number grey_inks(const cmsUInt16Number in[], cmsUInt16Number out[], void*) {
  const double ink = (in[0] + in[1] + in[2]) / 3.0 / 65535.0;
  const double lightness = (1 - ink) * (1 - in[3] / 65535.0);
  out[0] = static_cast<cmsUInt16Number>(lightness * 0xFF00);  // the encoding of version 2
  out[1] = out[2] = 0x8000;                                   // a = b = 0
  return TRUE;
}

Bytes grey_ink_profile() {
  cmsHPROFILE profile = cmsCreateProfilePlaceholder(nullptr);
  cmsSetProfileVersion(profile, 2.1);
  cmsSetDeviceClass(profile, cmsSigOutputClass);
  cmsSetColorSpace(profile, cmsSigCmykData);
  cmsSetPCS(profile, cmsSigLabData);
  cmsPipeline* pipeline = cmsPipelineAlloc(nullptr, 4, 3);
  cmsStage* table = cmsStageAllocCLut16bit(nullptr, 9, 4, 3, nullptr);
  cmsStageSampleCLut16bit(table, grey_inks, nullptr, 0);
  cmsPipelineInsertStage(pipeline, cmsAT_BEGIN, table);
  cmsWriteTag(profile, cmsSigAToB0Tag, pipeline);
  cmsPipelineFree(pipeline);
  return saved(profile);
}

TEST(IccProfile, CmykGoesThroughItsProfile) {
  Bytes cmyk;
  for (int i = 0; i < 256; ++i) cmyk.insert(cmyk.end(), {255, 0, 0, 0});  // cyan
  for (const bool adobe : {true, false}) {
    JpegMaking making;
    making.adobe = adobe;
    expect_near(first_pixel(make_cmyk_jpeg(16, 16, cmyk, making)), {0, 255, 255}, 3, "plain");
    making.icc = grey_ink_profile();
    // A third of the ink: L* = 66.7, which is sRGB 162.
    expect_near(first_pixel(make_cmyk_jpeg(16, 16, cmyk, making)), {162, 162, 162}, 4, "profile");
  }
}

TEST(IccProfile, DamagedProfilesAreIgnored) {
  const Image image = flat(200, 100, 50);
  const Bytes whole = rgb_profile(kSwapped, 2.2);
  const Bytes plain = make_webp(image, true);
  std::mt19937 random(3);
  for (int round = 0; round < 300; ++round) {
    Bytes profile = whole;
    if (round % 2 == 0) {
      profile.resize(1 + random() % whole.size());
    } else {
      for (int i = 0; i < 8; ++i) profile[random() % profile.size()] = static_cast<std::uint8_t>(random());
    }
    const Image decoded = decode_image(make_webp(image, true, {}, profile), "test");
    EXPECT_EQ(decoded.width, 16);
  }
  Bytes no_signature = whole;
  no_signature[36] = 'x';
  EXPECT_EQ(first_pixel(make_webp(image, true, {}, no_signature)), (std::vector<int>{200, 100, 50}));
  EXPECT_EQ(first_pixel(make_webp(image, true, {}, text_bytes("rubbish"))), (std::vector<int>{200, 100, 50}));
}

}  // namespace
}  // namespace tessera::test
