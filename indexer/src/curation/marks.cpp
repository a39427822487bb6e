// Names of flags and colour labels.
#include "tessera/indexer/marks.h"

#include <array>
#include <string>

#include "tessera/error.h"

namespace tessera {
namespace {

constexpr std::array kFlags{"reject", "none", "pick"};
constexpr std::array kLabels{"none", "red", "yellow", "green", "blue", "purple"};

template <typename Names>
std::size_t parse_name(std::string_view text, const Names& names, const char* what) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (text == names[i]) return i;
  }
  std::string message = "'" + std::string(text) + "' is no " + what + "; there are ";
  for (std::size_t i = 0; i < names.size(); ++i) message += (i > 0 ? ", " : "") + std::string(names[i]);
  throw Error(ErrorCode::kInvalidArgument, message);
}

}  // namespace

const char* flag_name(Flag flag) noexcept { return kFlags[static_cast<std::size_t>(static_cast<int>(flag) + 1)]; }
const char* label_name(ColorLabel label) noexcept { return kLabels[static_cast<std::size_t>(label)]; }
Flag parse_flag(std::string_view text) {
  return static_cast<Flag>(static_cast<int>(parse_name(text, kFlags, "flag")) - 1);
}
ColorLabel parse_label(std::string_view text) {
  return static_cast<ColorLabel>(parse_name(text, kLabels, "colour label"));
}

}  // namespace tessera
