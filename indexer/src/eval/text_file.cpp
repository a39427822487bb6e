// What the readers of annotation files share: text, numbers, errors that name file and line.
#include "eval/text_file.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "tessera/error.h"
#include "tessera/image.h"

namespace tessera::eval {

std::string read_text_file(const std::filesystem::path& path) {
  const std::vector<std::uint8_t> bytes = read_file(path);
  std::string text(bytes.begin(), bytes.end());
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  return text;
}

std::optional<double> parse_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

void fail_at(const std::filesystem::path& path, int line, const std::string& reason) {
  throw Error(ErrorCode::kDamaged, path.string() + ":" + std::to_string(line) + ": " + reason);
}

int line_of(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  return 1 + static_cast<int>(std::count(before.begin(), before.end(), '\n'));
}

}  // namespace tessera::eval
