// Text helpers of the command line.
#include "text.h"

#include <wchar.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace tessera::cli {
namespace {

constexpr char32_t kInvalid = 0xFFFFFFFF;

struct Decoded {
  char32_t code = kInvalid;
  int bytes = 1;
};

// The character at the start of `text` (not empty); kInvalid with bytes = 1 where it is no UTF-8 (RFC 3629: no overlong
// forms, no surrogates, at most U+10FFFF).
Decoded decode_utf8(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1};
  const int length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
  if (length == 0 || first > 0xF4 || text.size() < std::size_t(length)) return {};
  char32_t code = first & (0x7F >> length);
  for (int i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3F);
  }
  const char32_t smallest = length == 4 ? 0x10000 : length == 3 ? 0x800 : 0x80;
  if (code < smallest || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return {};
  return {code, length};
}

int character_width(char32_t code) noexcept {
  if (code == kInvalid) return 1;
  const int width = ::wcwidth(static_cast<wchar_t>(code));
  return width < 0 ? 1 : width;
}

std::string format_number(const char* format, double value) {
  std::array<char, 48> buffer{};
  std::snprintf(buffer.data(), buffer.size(), format, value);
  return buffer.data();
}

std::string escaped_byte(unsigned char byte) {
  std::array<char, 8> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "\\x%02x", byte);
  return buffer.data();
}

}  // namespace

bool is_valid_utf8(std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const Decoded next = decode_utf8(bytes);
    if (next.code == kInvalid) return false;
    bytes.remove_prefix(next.bytes);
  }
  return true;
}

std::string to_valid_utf8(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const Decoded next = decode_utf8(bytes);
    text.append(next.code == kInvalid ? std::string_view("\xEF\xBF\xBD") : bytes.substr(0, next.bytes));
    bytes.remove_prefix(next.bytes);
  }
  return text;
}

std::string base64(std::string_view bytes) {
  static constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = group << 8 | (j < count ? static_cast<unsigned char>(bytes[i + j]) : 0u);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      text.push_back(j <= count ? kAlphabet[group >> (18 - 6 * j) & 63] : '=');
    }
  }
  return text;
}

std::string printable(std::string_view bytes, bool utf8) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const Decoded next = decode_utf8(bytes);
    const auto first = static_cast<unsigned char>(bytes[0]);
    if (first == '\n') {
      text.append("\\n");
    } else if (first == '\t') {
      text.append("\\t");
    } else if (next.code == kInvalid || first < 0x20 || first == 0x7F) {
      text.append(escaped_byte(first));
    } else if (next.code >= 0x80 && next.code < 0xA0) {  // C1 controls
      text.append(escaped_byte(static_cast<unsigned char>(next.code)));
    } else if (next.code >= 0x80 && !utf8) {
      text.push_back('?');
    } else {
      text.append(bytes.substr(0, next.bytes));
    }
    bytes.remove_prefix(next.bytes);
  }
  return text;
}

int display_width(std::string_view text) noexcept {
  int width = 0;
  while (!text.empty()) {
    const Decoded next = decode_utf8(text);
    width += character_width(next.code);
    text.remove_prefix(next.bytes);
  }
  return width;
}

std::string elide_middle(std::string_view text, int columns, bool utf8) {
  if (display_width(text) <= columns) return std::string(text);
  const std::string_view mark = utf8 ? "\xE2\x80\xA6" : "...";
  const int mark_width = utf8 ? 1 : 3;
  if (columns <= mark_width) return std::string(mark.substr(0, utf8 ? mark.size() : std::max(columns, 0)));
  const int tail_columns = (columns - mark_width) * 2 / 3;
  const int head_columns = columns - mark_width - tail_columns;

  std::size_t head = 0;
  for (int used = 0; head < text.size();) {
    const Decoded next = decode_utf8(text.substr(head));
    used += character_width(next.code);
    if (used > head_columns) break;
    head += next.bytes;
  }
  std::size_t tail = head;
  int remaining = display_width(text.substr(tail));
  while (remaining > tail_columns) {
    const Decoded next = decode_utf8(text.substr(tail));
    remaining -= character_width(next.code);
    tail += next.bytes;
  }
  std::string result(text.substr(0, head));
  return result.append(mark).append(text.substr(tail));
}

std::string pad(std::string_view text, int columns) {
  const int missing = std::abs(columns) - display_width(text);
  if (missing <= 0) return std::string(text);
  const std::string spaces(missing, ' ');
  return columns < 0 ? spaces + std::string(text) : std::string(text) + spaces;
}

std::string short_path(const std::filesystem::path& path, const std::filesystem::path& folder) {
  const std::string& full = path.native();
  std::string prefix = folder.native();
  if (prefix.empty()) return full;
  if (prefix.back() != '/') prefix.push_back('/');
  if (prefix.size() > 1 && full.size() > prefix.size() && full.starts_with(prefix)) return full.substr(prefix.size());
  return full;
}

std::string bar(double value, int columns, bool utf8) {
  const double clamped = std::isnan(value) ? 0 : std::clamp(value, 0.0, 1.0);
  if (!utf8) {
    const int full = static_cast<int>(std::lround(clamped * columns));
    return std::string(full, '#') + std::string(columns - full, '.');
  }
  const int eighths = static_cast<int>(std::lround(clamped * columns * 8));
  std::string text;
  for (int i = 0; i < columns; ++i) {
    const int here = std::clamp(eighths - 8 * i, 0, 8);
    if (here == 0) {
      text.push_back(' ');
    } else {  // U+2588 (full) down to U+258F (one eighth)
      text.append("\xE2\x96").push_back(static_cast<char>(0x90 - here));
    }
  }
  return text;
}

std::string human_bytes(std::uint64_t bytes) {
  static constexpr std::array<const char*, 6> kUnits = {"B", "kB", "MB", "GB", "TB", "PB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  return format_number(unit == 0 || value >= 99.95 ? "%.0f " : "%.1f ", value) + kUnits[unit];
}

std::string human_count(std::int64_t count) {
  const std::string digits = std::to_string(count);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const std::size_t left = digits.size() - i;
    if (i > 0 && left % 3 == 0 && digits[i - 1] != '-') text.push_back(',');
    text.push_back(digits[i]);
  }
  return text;
}

std::string human_seconds(double seconds) {
  if (seconds < 9.95) return format_number("%.1f s", seconds);
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 60) return std::to_string(whole) + " s";
  std::array<char, 48> buffer{};
  if (whole < 3600) {
    std::snprintf(buffer.data(), buffer.size(), "%lld min %02lld s", static_cast<long long>(whole / 60),
                  static_cast<long long>(whole % 60));
  } else {
    std::snprintf(buffer.data(), buffer.size(), "%lld h %02lld min", static_cast<long long>(whole / 3600),
                  static_cast<long long>(whole / 60 % 60));
  }
  return buffer.data();
}

std::string clock_duration(double seconds) {
  const auto whole = static_cast<long long>(std::llround(std::max(seconds, 0.0)));
  std::array<char, 48> buffer{};
  if (whole < 3600) {
    std::snprintf(buffer.data(), buffer.size(), "%lld:%02lld", whole / 60, whole % 60);
  } else {
    std::snprintf(buffer.data(), buffer.size(), "%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60, whole % 60);
  }
  return buffer.data();
}

std::string plural(std::int64_t count, std::string_view noun) {
  std::string text = human_count(count);
  text.append(" ").append(noun);
  if (count != 1) text.push_back('s');
  return text;
}

std::string wrap(std::string_view text, int columns, int indent) {
  const std::string margin(indent, ' ');
  std::string result;
  std::string line;
  const auto flush = [&] {
    if (!line.empty()) result.append(margin).append(line).push_back('\n');
    line.clear();
  };
  while (!text.empty()) {
    const std::string_view source = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), source.size() + 1));
    if (source.empty() || source[0] == ' ') {
      flush();
      result.append(source.empty() ? "" : margin).append(source).push_back('\n');
      continue;
    }
    for (std::size_t at = 0; at < source.size();) {
      const std::size_t end = std::min(source.find(' ', at), source.size());
      const std::string_view word = source.substr(at, end - at);
      if (!line.empty() && display_width(line) + 1 + display_width(word) + indent > columns) flush();
      if (!line.empty()) line.push_back(' ');
      line.append(word);
      at = end + 1;
    }
  }
  flush();
  return result;
}

}  // namespace tessera::cli
