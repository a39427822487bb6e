// Text on a terminal: display width, eliding, bars, human numbers.
#include "text.h"

#include <wchar.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "tessera/text.h"

namespace tessera::cli {
namespace {

int character_width(char32_t code) noexcept {
  if (code == kInvalidCharacter) return 1;
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

std::string printable(std::string_view bytes, bool utf8) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const DecodedCharacter next = decode_utf8(bytes);
    const auto first = static_cast<unsigned char>(bytes[0]);
    if (first == '\n') {
      text.append("\\n");
    } else if (first == '\t') {
      text.append("\\t");
    } else if (next.code == kInvalidCharacter || first < 0x20 || first == 0x7F) {
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
    const DecodedCharacter next = decode_utf8(text);
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
    const DecodedCharacter next = decode_utf8(text.substr(head));
    used += character_width(next.code);
    if (used > head_columns) break;
    head += next.bytes;
  }
  std::size_t tail = head;
  int remaining = display_width(text.substr(tail));
  while (remaining > tail_columns) {
    const DecodedCharacter next = decode_utf8(text.substr(tail));
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

std::string human_milliseconds(double milliseconds) {
  if (milliseconds >= 999.5) return human_seconds(milliseconds / 1000);
  return format_number(milliseconds < 99.95 ? "%.1f ms" : "%.0f ms", milliseconds);
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
