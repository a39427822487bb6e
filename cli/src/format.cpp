// Output formats of result lists and what they share.
#include "format.h"

#include <array>
#include <cmath>
#include <utility>

#include "exit_code.h"
#include "tessera/text.h"

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
  const std::string& bytes = path.native();
  if (is_valid_utf8(bytes)) {
    object[key] = bytes;
  } else {
    object[key] = to_valid_utf8(bytes);
    object[key + "_bytes"] = base64(bytes);
  }
}

std::string dump(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

double rounded(float value) { return std::round(double(value) * 1e6) / 1e6; }

std::string csv_field(std::string_view bytes) {
  if (bytes.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(bytes);
  std::string field = "\"";
  for (const char byte : bytes) {
    if (byte == '"') field.push_back('"');
    field.push_back(byte);
  }
  return field.append("\"");
}

}  // namespace tessera::cli
