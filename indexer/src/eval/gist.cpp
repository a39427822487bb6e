// GIST: energies of a bank of Gabor filters over coarse fields, by fast Fourier transform.
#include <array>
#include <cmath>
#include <complex>
#include <numbers>

#include "eval/baselines.h"

namespace tessera::eval {
namespace {

using std::numbers::pi;
using Complex = std::complex<double>;

constexpr int kSide = 128;
constexpr int kPixels = kSide * kSide;
constexpr int kScales = 4;
constexpr int kDirections = 8;
constexpr int kFields = 4;
constexpr double kContrastCycles = 4;  // local contrast: what is coarser than this many cycles a picture
constexpr double kContrastFloor = 0.2;

using Plane = std::vector<Complex>;  // [kSide, kSide]

// Radix-2, in place, on kSide values `stride` apart; unscaled.
void transform_line(Complex* line, std::size_t stride, const std::vector<Complex>& roots, bool inverse) {
  for (std::size_t i = 1, j = 0; i < kSide; ++i) {
    std::size_t bit = kSide >> 1;
    for (; (j & bit) != 0; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) std::swap(line[i * stride], line[j * stride]);
  }
  for (std::size_t length = 2; length <= kSide; length *= 2) {
    for (std::size_t start = 0; start < kSide; start += length) {
      for (std::size_t k = 0; k < length / 2; ++k) {
        const Complex root = roots[k * (kSide / length)];
        Complex& even = line[(start + k) * stride];
        Complex& odd = line[(start + k + length / 2) * stride];
        const Complex turned = odd * (inverse ? std::conj(root) : root);
        odd = even - turned;
        even += turned;
      }
    }
  }
}

void transform(Plane& plane, bool inverse) {
  std::vector<Complex> roots(kSide / 2);
  for (std::size_t k = 0; k < roots.size(); ++k) roots[k] = std::polar(1.0, -2 * pi * double(k) / kSide);
  for (int y = 0; y < kSide; ++y) transform_line(plane.data() + y * kSide, 1, roots, inverse);
  for (int x = 0; x < kSide; ++x) transform_line(plane.data() + x, kSide, roots, inverse);
  if (!inverse) return;
  for (Complex& value : plane) value /= double(kPixels);
}

// Cycles a picture of column or row i of the transform, in [-64, 64).
double cycles(int i) { return i < kSide / 2 ? i : i - kSide; }

Plane low_pass(Plane plane) {
  const double sigma = kContrastCycles / std::sqrt(std::log(2.0));
  transform(plane, false);
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < kSide; ++x) {
      const double square = cycles(x) * cycles(x) + cycles(y) * cycles(y);
      plane[std::size_t(y * kSide + x)] *= std::exp(-square / (sigma * sigma));
    }
  }
  transform(plane, true);
  return plane;
}

// Logarithm of the greys, without what is coarse, divided by the local contrast.
Plane even_contrast(const std::vector<float>& grey) {
  Plane plane(kPixels);
  for (std::size_t i = 0; i < plane.size(); ++i) plane[i] = std::log(1.0 + double(grey[i]));
  const Plane coarse = low_pass(plane);
  Plane squares(kPixels);
  for (std::size_t i = 0; i < plane.size(); ++i) {
    plane[i] = plane[i].real() - coarse[i].real();
    squares[i] = plane[i] * plane[i];
  }
  const Plane contrast = low_pass(squares);
  for (std::size_t i = 0; i < plane.size(); ++i) {
    plane[i] /= kContrastFloor + std::sqrt(std::max(contrast[i].real(), 0.0));
  }
  return plane;
}

// The transfer function of one filter at a frequency.
double gabor(double fx, double fy, int scale, int direction) {
  const double centre = 0.3 / std::pow(1.85, scale) * kSide;
  double turn = std::atan2(fy, fx) + pi / kDirections * direction;
  if (turn > pi) turn -= 2 * pi;
  if (turn < -pi) turn += 2 * pi;
  const double radius = std::hypot(fx, fy) / centre - 1;
  return std::exp(-3.5 * radius * radius - 2 * pi * turn * turn);
}

using Filter = std::vector<float>;  // [kSide, kSide]

std::vector<Filter> make_filters() {
  std::vector<Filter> filters;
  for (int scale = 0; scale < kScales; ++scale) {
    for (int direction = 0; direction < kDirections; ++direction) {
      Filter& filter = filters.emplace_back();
      for (int y = 0; y < kSide; ++y) {
        for (int x = 0; x < kSide; ++x) {
          filter.push_back(static_cast<float>(gabor(cycles(x), cycles(y), scale, direction)));
        }
      }
    }
  }
  return filters;
}

}  // namespace

std::vector<float> gist(const Image& image) {
  Plane spectrum = even_contrast(grey_pixels(image, kSide, kSide));
  transform(spectrum, false);
  static const std::vector<Filter> filters = make_filters();
  std::vector<float> result;
  Plane response(kPixels);
  for (const Filter& filter : filters) {
    for (std::size_t i = 0; i < response.size(); ++i) response[i] = spectrum[i] * double(filter[i]);
    transform(response, true);
    std::array<double, kFields * kFields> fields{};
    for (int y = 0; y < kSide; ++y) {
      for (int x = 0; x < kSide; ++x) {
        fields[std::size_t(y * kFields / kSide * kFields + x * kFields / kSide)] +=
            std::abs(response[std::size_t(y * kSide + x)]);
      }
    }
    for (const double field : fields) result.push_back(static_cast<float>(field * kFields * kFields / kPixels));
  }
  return result;
}

}  // namespace tessera::eval
