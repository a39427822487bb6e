// Search queries from picture files: regions, examples with weights.
#include "query.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

#include "exit_code.h"
#include "tessera/image.h"

namespace tessera::cli {
namespace {

[[noreturn]] void bad_region(const std::string& text, const std::string& reason) {
  throw UsageError("--region " + text + ": " + reason);
}

}  // namespace

Region parse_region(const std::string& text) {
  std::array<double, 4> values{};
  bool fractions = false;
  std::string_view rest = text;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::string_view number = rest.substr(0, rest.find(','));
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), values[i]);
    if (error != std::errc{} || end != number.data() + number.size() || !std::isfinite(values[i])) {
      bad_region(text, "four numbers X,Y,WIDTH,HEIGHT are needed");
    }
    fractions = fractions || number.find_first_of(".eE") != std::string_view::npos;
    const bool last = i + 1 == values.size();
    if (last != (number.size() == rest.size())) bad_region(text, "four numbers X,Y,WIDTH,HEIGHT are needed");
    if (!last) rest.remove_prefix(number.size() + 1);
  }
  const Region region{values[0], values[1], values[2], values[3], fractions};
  if (region.x < 0 || region.y < 0) bad_region(text, "X and Y must not be negative");
  if (region.width <= 0 || region.height <= 0) bad_region(text, "WIDTH and HEIGHT must be above 0");
  constexpr double kRounding = 1e-9;
  if (fractions && (region.x + region.width > 1 + kRounding || region.y + region.height > 1 + kRounding)) {
    bad_region(text, "fractions must stay inside the picture (X + WIDTH and Y + HEIGHT at most 1)");
  }
  return region;
}

PixelRect region_pixels(const Region& region, int width, int height, const std::string& name) {
  const double scale_x = region.fractions ? width : 1;
  const double scale_y = region.fractions ? height : 1;
  const double right = (region.x + region.width) * scale_x;
  const double bottom = (region.y + region.height) * scale_y;
  constexpr double kRounding = 1e-6;
  if (right > width + kRounding || bottom > height + kRounding) {
    throw UsageError("the region reaches to (" + std::to_string(std::llround(right)) + ", " +
                     std::to_string(std::llround(bottom)) + ") but " + name + " has " + std::to_string(width) + " x " +
                     std::to_string(height) + " pixels");
  }
  PixelRect rect;
  rect.x = std::min(static_cast<int>(std::floor(region.x * scale_x + kRounding)), width - 1);
  rect.y = std::min(static_cast<int>(std::floor(region.y * scale_y + kRounding)), height - 1);
  rect.width = std::max(1, std::min(static_cast<int>(std::ceil(right - kRounding)), width) - rect.x);
  rect.height = std::max(1, std::min(static_cast<int>(std::ceil(bottom - kRounding)), height) - rect.y);
  return rect;
}

Image prepare_example(const std::filesystem::path& path, const Region* region, const ResizeSpec& resize) {
  if (region == nullptr) return decode_prepared(read_file(path, ImageLimits{}.max_file_bytes), path.string(), resize);
  const Image whole = load_image(path);
  const PixelRect rect = region_pixels(*region, whole.width, whole.height, path.string());
  return prepare_image(crop_image(whole, rect.x, rect.y, rect.width, rect.height), resize);
}

QueryPart encode_example(ImageEncoder& encoder, Image prepared, int tokens, float weight) {
  const std::array<Image, 1> batch = {std::move(prepared)};
  EncodedBatch encoded = encoder.encode(batch, tokens);
  QueryPart part;
  part.tokens = std::move(encoded.tokens);
  part.token_count = encoded.token_count;
  part.weight = weight;
  return part;
}

}  // namespace tessera::cli
