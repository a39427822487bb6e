// Flags, stars and colour labels of a picture, and their names.
//
// Thread rule: pure functions, any thread.
#pragma once

#include <string_view>

namespace tessera {

enum class Flag { kReject = -1, kNone = 0, kPick = 1 };
enum class ColorLabel { kNone, kRed, kYellow, kGreen, kBlue, kPurple };

const char* flag_name(Flag flag) noexcept;          // "reject", "none", "pick"
const char* label_name(ColorLabel label) noexcept;  // "none", "red", "yellow", "green", "blue", "purple"
Flag parse_flag(std::string_view text);             // throws kInvalidArgument with the accepted names
ColorLabel parse_label(std::string_view text);

inline constexpr int kMostStars = 5;

struct Marks {
  Flag flag = Flag::kNone;
  int rating = 0;  // stars, 0..5
  ColorLabel label = ColorLabel::kNone;
  friend bool operator==(const Marks&, const Marks&) = default;
};

}  // namespace tessera
