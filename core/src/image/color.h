// Embedded ICC profiles: conversion of decoded rows to sRGB.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

namespace tessera {

// Samples as decoders deliver them, 8 bits each, interleaved. kCmyk: 255 = full ink; kCmykInverted: 0 = full ink (as
// Adobe writes CMYK JPEG).
enum class PixelFormat { kGrey, kGreyAlpha, kRgb, kRgba, kCmyk, kCmykInverted };

int samples_per_pixel(PixelFormat format) noexcept;
bool has_alpha(PixelFormat format) noexcept;

// Perceptual intent, 8 bits, through lcms2. Thread rule: one thread at a time; instances are independent.
class IccTransform {
 public:
  // Null if no conversion is to be done: no profile, a damaged one, one for another kind of pixels, or sRGB itself.
  static std::unique_ptr<IccTransform> create(std::span<const std::uint8_t> profile, PixelFormat format);
  ~IccTransform();

  // `count` pixels to sRGB; RGBA if the format has alpha (alpha is copied), else RGB. `out` may be `in` if the pixel
  // sizes are equal.
  void apply(const std::uint8_t* in, std::uint8_t* out, int count) const;

 private:
  struct Impl;
  explicit IccTransform(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tessera
