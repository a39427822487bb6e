// Text of unknown origin: UTF-8 that may be broken, as file names are, and base64.
//
// Thread rule: pure functions, any thread.
#pragma once

#include <string>
#include <string_view>

namespace tessera {

inline constexpr char32_t kInvalidCharacter = 0xFFFFFFFF;

struct DecodedCharacter {
  char32_t code = kInvalidCharacter;
  int bytes = 1;
};

// The character at the start of `text`, which must not be empty; kInvalidCharacter with bytes = 1 where it is no UTF-8
// (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF).
DecodedCharacter decode_utf8(std::string_view text) noexcept;

bool is_valid_utf8(std::string_view bytes) noexcept;

// Bytes that are no valid UTF-8 replaced by U+FFFD.
std::string to_valid_utf8(std::string_view bytes);

// RFC 4648, with padding, without line breaks.
std::string base64(std::string_view bytes);

}  // namespace tessera
