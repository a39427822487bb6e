// ICC conversion with lcms2; each transform has a context of its own, so nothing is shared between threads.
#include "image/color.h"

#include <lcms2.h>

#include <array>
#include <cmath>

namespace tessera {
namespace {

// Larger than any real profile (press profiles take 0.5 to 3 MB): a bound on the work a hostile file can ask for.
constexpr std::size_t kMaxProfileBytes = std::size_t{16} << 20;

struct ContextDeleter {
  void operator()(_cmsContext_struct* context) const { cmsDeleteContext(context); }
};
struct ProfileDeleter {
  void operator()(void* profile) const { cmsCloseProfile(profile); }
};
struct TransformDeleter {
  void operator()(void* transform) const { cmsDeleteTransform(transform); }
};
using Context = std::unique_ptr<_cmsContext_struct, ContextDeleter>;
using Profile = std::unique_ptr<void, ProfileDeleter>;
using Transform = std::unique_ptr<void, TransformDeleter>;

struct LcmsFormat {
  cmsColorSpaceSignature space;
  cmsUInt32Number input;
  cmsUInt32Number output;
};

LcmsFormat lcms_format(PixelFormat format) {
  switch (format) {
    case PixelFormat::kGrey: return {cmsSigGrayData, TYPE_GRAY_8, TYPE_RGB_8};
    case PixelFormat::kGreyAlpha: return {cmsSigGrayData, TYPE_GRAYA_8, TYPE_RGBA_8};
    case PixelFormat::kRgb: return {cmsSigRgbData, TYPE_RGB_8, TYPE_RGB_8};
    case PixelFormat::kRgba: return {cmsSigRgbData, TYPE_RGBA_8, TYPE_RGBA_8};
    case PixelFormat::kCmyk: return {cmsSigCmykData, TYPE_CMYK_8, TYPE_RGB_8};
    case PixelFormat::kCmykInverted: return {cmsSigCmykData, TYPE_CMYK_8_REV, TYPE_RGB_8};
  }
  return {cmsSigRgbData, TYPE_RGB_8, TYPE_RGB_8};
}

bool colorant_is(void* profile, cmsTagSignature tag, const std::array<double, 3>& expected) {
  constexpr double kTolerance = 0.002;
  const auto* xyz = static_cast<const cmsCIEXYZ*>(cmsReadTag(profile, tag));
  return xyz != nullptr && std::abs(xyz->X - expected[0]) < kTolerance && std::abs(xyz->Y - expected[1]) < kTolerance &&
         std::abs(xyz->Z - expected[2]) < kTolerance;
}

bool curve_is_srgb(void* profile, cmsTagSignature tag) {
  constexpr int kSteps = 16;
  constexpr double kTolerance = 0.002;
  const auto* curve = static_cast<const cmsToneCurve*>(cmsReadTag(profile, tag));
  if (curve == nullptr) return false;
  for (int i = 0; i <= kSteps; ++i) {
    const double encoded = static_cast<double>(i) / kSteps;
    const double linear = encoded <= 0.04045 ? encoded / 12.92 : std::pow((encoded + 0.055) / 1.055, 2.4);
    if (std::abs(cmsEvalToneCurveFloat(curve, static_cast<float>(encoded)) - linear) > kTolerance) return false;
  }
  return true;
}

// Matrix profiles with the primaries (adapted to D50) and the tone curve of IEC 61966-2-1.
bool is_srgb(void* profile) {
  return cmsIsMatrixShaper(profile) && !cmsIsTag(profile, cmsSigAToB0Tag) &&
         colorant_is(profile, cmsSigRedColorantTag, {0.4361, 0.2225, 0.0139}) &&
         colorant_is(profile, cmsSigGreenColorantTag, {0.3851, 0.7169, 0.0971}) &&
         colorant_is(profile, cmsSigBlueColorantTag, {0.1431, 0.0606, 0.7141}) &&
         curve_is_srgb(profile, cmsSigRedTRCTag) && curve_is_srgb(profile, cmsSigGreenTRCTag) &&
         curve_is_srgb(profile, cmsSigBlueTRCTag);
}

}  // namespace

int samples_per_pixel(PixelFormat format) noexcept {
  switch (format) {
    case PixelFormat::kGrey: return 1;
    case PixelFormat::kGreyAlpha: return 2;
    case PixelFormat::kRgb: return 3;
    case PixelFormat::kRgba:
    case PixelFormat::kCmyk:
    case PixelFormat::kCmykInverted: return 4;
  }
  return 0;
}

bool has_alpha(PixelFormat format) noexcept {
  return format == PixelFormat::kGreyAlpha || format == PixelFormat::kRgba;
}

struct IccTransform::Impl {
  Context context;
  Transform transform;
};

IccTransform::IccTransform(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
IccTransform::~IccTransform() = default;

std::unique_ptr<IccTransform> IccTransform::create(std::span<const std::uint8_t> profile_bytes, PixelFormat format) {
  if (profile_bytes.empty() || profile_bytes.size() > kMaxProfileBytes) return nullptr;
  auto impl = std::make_unique<Impl>();
  impl->context.reset(cmsCreateContext(nullptr, nullptr));
  if (!impl->context) return nullptr;
  const Profile profile(cmsOpenProfileFromMemTHR(impl->context.get(), profile_bytes.data(),
                                                 static_cast<cmsUInt32Number>(profile_bytes.size())));
  const LcmsFormat lcms = lcms_format(format);
  if (!profile || cmsGetColorSpace(profile.get()) != lcms.space || is_srgb(profile.get())) return nullptr;
  const Profile srgb(cmsCreate_sRGBProfileTHR(impl->context.get()));
  if (!srgb) return nullptr;
  impl->transform.reset(cmsCreateTransformTHR(impl->context.get(), profile.get(), lcms.input, srgb.get(), lcms.output,
                                              INTENT_PERCEPTUAL, has_alpha(format) ? cmsFLAGS_COPY_ALPHA : 0));
  if (!impl->transform) return nullptr;
  return std::unique_ptr<IccTransform>(new IccTransform(std::move(impl)));
}

void IccTransform::apply(const std::uint8_t* in, std::uint8_t* out, int count) const {
  cmsDoTransform(impl_->transform.get(), in, out, static_cast<cmsUInt32Number>(count));
}

}  // namespace tessera
