// Near copies of a picture: geometry, compression, overlays, colour and blur, from a seed.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "eval/random.h"
#include "sheet/font_data.h"
#include "sheet/text_painter.h"
#include "tessera/error.h"
#include "tessera/indexer/eval_copies.h"
#include "tessera/resize.h"

namespace tessera::eval {
namespace {

constexpr int kLeastSide = 16;
constexpr int kQuality = 20;
constexpr int kChannels = 3;

constexpr std::array kAlterations = {Alteration::kCrop,       Alteration::kRotate, Alteration::kMirror,
                                     Alteration::kRecompress, Alteration::kResize, Alteration::kText,
                                     Alteration::kBorder,     Alteration::kColor,  Alteration::kBlur};

double between(Random& random, double low, double high) { return low + (high - low) * random.uniform(); }

std::uint8_t byte_of(double value) { return static_cast<std::uint8_t>(std::clamp(value + 0.5, 0.0, 255.0)); }

int scaled(int side, double factor) { return std::max(kLeastSide, static_cast<int>(std::lround(side * factor))); }

const std::uint8_t* pixel(const Image& image, int x, int y) {
  return image.rgb.data() + kChannels * (std::size_t(y) * std::size_t(image.width) + std::size_t(x));
}
std::uint8_t* pixel(Image& image, int x, int y) {
  return image.rgb.data() + kChannels * (std::size_t(y) * std::size_t(image.width) + std::size_t(x));
}

Image blank(int width, int height, Color color) {
  Image image{width, height, {}};
  image.rgb.reserve(kChannels * std::size_t(width) * std::size_t(height));
  for (std::size_t i = 0; i < std::size_t(width) * std::size_t(height); ++i) {
    image.rgb.insert(image.rgb.end(), {color.red, color.green, color.blue});
  }
  return image;
}

Color any_color(Random& random) {
  return {byte_of(between(random, 0, 255)), byte_of(between(random, 0, 255)), byte_of(between(random, 0, 255))};
}

Image cropped(const Image& image, Random& random) {
  const double side = std::sqrt(between(random, 0.5, 0.9));
  const int width = std::min(image.width, scaled(image.width, side));
  const int height = std::min(image.height, scaled(image.height, side));
  const int x = static_cast<int>(random.below(std::size_t(image.width - width) + 1));
  const int y = static_cast<int>(random.below(std::size_t(image.height - height) + 1));
  return crop_image(image, x, y, width, height);
}

// Bilinear; (x, y) in pixel centres, inside the picture.
void sample_pixel(const Image& image, double x, double y, std::uint8_t* to) {
  const int left = std::clamp(static_cast<int>(std::floor(x)), 0, image.width - 2);
  const int top = std::clamp(static_cast<int>(std::floor(y)), 0, image.height - 2);
  const double right_share = std::clamp(x - left, 0.0, 1.0);
  const double bottom_share = std::clamp(y - top, 0.0, 1.0);
  for (int c = 0; c < kChannels; ++c) {
    const double above = pixel(image, left, top)[c] * (1 - right_share) + pixel(image, left + 1, top)[c] * right_share;
    const double below =
        pixel(image, left, top + 1)[c] * (1 - right_share) + pixel(image, left + 1, top + 1)[c] * right_share;
    to[c] = byte_of(above * (1 - bottom_share) + below * bottom_share);
  }
}

Image rotated(const Image& image, Random& random) {
  const double degrees = between(random, 2, 10) * (random.uniform() < 0.5 ? -1 : 1);
  const double sine = std::sin(degrees * std::numbers::pi / 180);
  const double cosine = std::cos(degrees * std::numbers::pi / 180);
  // The upright rectangle s w x s h turned by the angle has the extent s (w cos + h sin) x s (w sin + h cos).
  const double w = image.width, h = image.height;
  const double share = std::min(w / (w * cosine + h * std::abs(sine)), h / (w * std::abs(sine) + h * cosine));
  const int width = std::max(1, static_cast<int>(w * share));
  const int height = std::max(1, static_cast<int>(h * share));
  Image result = blank(width, height, {});
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const double dx = x - (width - 1) / 2.0;
      const double dy = y - (height - 1) / 2.0;
      sample_pixel(image, (w - 1) / 2 + dx * cosine - dy * sine, (h - 1) / 2 + dx * sine + dy * cosine,
                   pixel(result, x, y));
    }
  }
  return result;
}

Image mirrored(const Image& image) {
  Image result = image;
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      std::copy_n(pixel(image, image.width - 1 - x, y), kChannels, pixel(result, x, y));
    }
  }
  return result;
}

Image with_text(const Image& image, Random& random) {
  constexpr std::array kWords = {
      "summer",    "SALE 50%", "happy birthday", "2019", "www.example.org", "view from the top",
      "copyright", "holiday",  "best of all",    "no. 7"};
  Image result = image;
  const int lines = 1 + static_cast<int>(random.below(3));
  const double total = between(random, 0.1, 0.25) * image.height;
  const TextPainter painter(regular_font(), static_cast<float>(std::max(6.0, total / lines)));
  const int room = std::max(0, image.height - lines * painter.line_height());
  int y = static_cast<int>(random.below(std::size_t(room) + 1));
  const Color color = random.uniform() < 0.5 ? Color{255, 255, 255} : any_color(random);
  for (int line = 0; line < lines; ++line, y += painter.line_height()) {
    const char* text = kWords[random.below(kWords.size())];
    const int free = std::max(0, image.width - painter.width(text));
    painter.draw(result, static_cast<int>(random.below(std::size_t(free) + 1)), y, text, color);
  }
  return result;
}

Image framed(const Image& image, Random& random) {
  const int frame =
      std::max(1, static_cast<int>(std::lround(between(random, 0.04, 0.12) * std::min(image.width, image.height))));
  const Color color = random.uniform() < 0.5 ? Color{255, 255, 255} : any_color(random);
  Image result = blank(image.width + 2 * frame, image.height + 2 * frame, color);
  for (int y = 0; y < image.height; ++y) {
    std::copy_n(pixel(image, 0, y), kChannels * std::size_t(image.width), pixel(result, frame, y + frame));
  }
  return result;
}

Image recoloured(const Image& image, Random& random) {
  const double brightness = between(random, -30, 30);
  const double contrast = between(random, 0.7, 1.3);
  const double saturation = between(random, 0.4, 1.5);
  std::array<double, kChannels> gain{};
  for (double& each : gain) each = between(random, 0.85, 1.15);
  Image result = image;
  for (std::size_t i = 0; i < result.rgb.size(); i += kChannels) {
    const double grey = 0.299 * image.rgb[i] + 0.587 * image.rgb[i + 1] + 0.114 * image.rgb[i + 2];
    for (std::size_t c = 0; c < kChannels; ++c) {
      const double coloured = grey + saturation * (image.rgb[i + c] - grey);
      result.rgb[i + c] = byte_of(((coloured - 128) * contrast + 128 + brightness) * gain[c]);
    }
  }
  return result;
}

// One direction of a Gaussian blur; pixels beyond the edge are those at the edge.
Image blurred_along(const Image& image, const std::vector<double>& kernel, int step_x, int step_y) {
  Image result = image;
  const int reach = static_cast<int>(kernel.size() / 2);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      std::array<double, kChannels> sum{};
      for (int k = -reach; k <= reach; ++k) {
        const std::uint8_t* from = pixel(image, std::clamp(x + k * step_x, 0, image.width - 1),
                                         std::clamp(y + k * step_y, 0, image.height - 1));
        for (int c = 0; c < kChannels; ++c) sum[std::size_t(c)] += kernel[std::size_t(k + reach)] * from[c];
      }
      for (int c = 0; c < kChannels; ++c) pixel(result, x, y)[c] = byte_of(sum[std::size_t(c)]);
    }
  }
  return result;
}

Image blurred(const Image& image, Random& random) {
  const double sigma = between(random, 0.005, 0.015) * std::min(image.width, image.height);
  const int reach = std::max(1, static_cast<int>(std::ceil(3 * sigma)));
  std::vector<double> kernel;
  double total = 0;
  for (int k = -reach; k <= reach; ++k) {
    kernel.push_back(std::exp(-k * k / (2 * sigma * sigma)));
    total += kernel.back();
  }
  for (double& weight : kernel) weight /= total;
  return blurred_along(blurred_along(image, kernel, 1, 0), kernel, 0, 1);
}

}  // namespace

std::span<const Alteration> alterations() noexcept { return kAlterations; }

const char* alteration_name(Alteration alteration) noexcept {
  switch (alteration) {
    case Alteration::kCrop: return "crop";
    case Alteration::kRotate: return "rotate";
    case Alteration::kMirror: return "mirror";
    case Alteration::kRecompress: return "jpeg20";
    case Alteration::kResize: return "resize";
    case Alteration::kText: return "text";
    case Alteration::kBorder: return "border";
    case Alteration::kColor: return "colour";
    case Alteration::kBlur: return "blur";
  }
  return "";
}

Image altered(const Image& image, Alteration alteration, std::uint64_t seed) {
  if (image.width < kLeastSide || image.height < kLeastSide) {
    throw Error(ErrorCode::kInvalidArgument, "a picture of " + std::to_string(image.width) + " x " +
                                                 std::to_string(image.height) + " pixels is too small to be altered");
  }
  Random random(seed);
  switch (alteration) {
    case Alteration::kCrop: return cropped(image, random);
    case Alteration::kRotate: return rotated(image, random);
    case Alteration::kMirror: return mirrored(image);
    case Alteration::kRecompress: return decode_image(encode_jpeg(image, kQuality), "a recompressed picture");
    case Alteration::kResize: {
      const double factor = between(random, 0.25, 0.75);
      return resize_bicubic(image, scaled(image.width, factor), scaled(image.height, factor));
    }
    case Alteration::kText: return with_text(image, random);
    case Alteration::kBorder: return framed(image, random);
    case Alteration::kColor: return recoloured(image, random);
    case Alteration::kBlur: return blurred(image, random);
  }
  return image;
}

PictureSource altered_source(const EvalSet& set, Alteration alteration, std::uint64_t seed) {
  return [&set, alteration, seed](std::size_t index, const ResizeSpec& resize) {
    Random seeds(seed);
    const std::uint64_t own = seeds.next() ^ (std::uint64_t(alteration) << 56) ^ index;
    return prepare_image(altered(load_image(set.path(index)), alteration, Random(own).next()), resize);
  };
}

}  // namespace tessera::eval
