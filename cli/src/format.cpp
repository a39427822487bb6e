// Output formats of result lists and what they share.
#include "format.h"

#include <array>
#include <cmath>
#include <utility>

#include "exit_code.h"

namespace tessera::cli {

Format parse_format(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, Format>, 6> kNames = {{{"table", Format::kTable},
                                                                                 {"json", Format::kJson},
                                                                                 {"jsonl", Format::kJsonl},
                                                                                 {"csv", Format::kCsv},
                                                                                 {"paths", Format::kPaths},
                                                                                 {"paths0", Format::kPaths0}}};
  for (const auto& [name, format] : kNames) {
    if (text == name) return format;
  }
  throw UsageError("unknown format '" + std::string(text) + "'; one of " + std::string(kFormatNames));
}

bool writes_json(std::string_view format) { return format == "json" || format == "jsonl"; }
bool tells_marks(std::string_view format) { return writes_json(format) || format == "csv"; }

Format parse_report_format(std::string_view text, std::string_view command) {
  const Format format = parse_format(text);
  if (format == Format::kTable || format == Format::kJson) return format;
  throw UsageError("'tessera " + std::string(command) + "' writes --format table or json, not " + std::string(text));
}

std::string check_format(const std::string& text) {
  try {
    parse_format(text);
    return {};
  } catch (const UsageError& error) {
    return error.what();
  }
}

void set_path(Json& object, const std::string& key, const std::filesystem::path& path) {
  PathText text = path_text(path);
  object[key] = std::move(text.text);
  if (!text.exact.empty()) object[key + "_bytes"] = std::move(text.exact);
}

std::string dump(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

double rounded(float value) { return std::round(double(value) * 1e6) / 1e6; }

}  // namespace tessera::cli
