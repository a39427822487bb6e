// Regions of query pictures as they are typed on the command line.
#include "query.h"

#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

#include "exit_code.h"

namespace tessera::cli {
namespace {

[[noreturn]] void bad_region(const std::string& text, const std::string& reason) {
  throw UsageError("--region " + text + ": " + reason);
}

}  // namespace

PictureRegion parse_region(const std::string& text) {
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
  const PictureRegion region{values[0], values[1], values[2], values[3], fractions};
  if (region.x < 0 || region.y < 0) bad_region(text, "X and Y must not be negative");
  if (region.width <= 0 || region.height <= 0) bad_region(text, "WIDTH and HEIGHT must be above 0");
  constexpr double kRounding = 1e-9;
  if (fractions && (region.x + region.width > 1 + kRounding || region.y + region.height > 1 + kRounding)) {
    bad_region(text, "fractions must stay inside the picture (X + WIDTH and Y + HEIGHT at most 1)");
  }
  return region;
}

}  // namespace tessera::cli
