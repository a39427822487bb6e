// Output formats of result lists and what they share: JSON of paths, CSV fields.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "tessera/indexer/export.h"

namespace tessera::cli {

enum class Format {
  kTable,   // for people
  kJson,    // one document
  kJsonl,   // one object a line
  kCsv,     // RFC 4180 with a header line
  kPaths,   // one path a line, bytes as the file system has them
  kPaths0,  // the same, each ended by a zero byte
};

inline constexpr std::string_view kFormatNames = "table|json|jsonl|csv|paths|paths0";

// Throws UsageError with the accepted names.
Format parse_format(std::string_view text);

// For commands that print one report: table or json only. Throws UsageError naming the command.
Format parse_report_format(std::string_view text, std::string_view command);

bool writes_json(std::string_view format);  // json or jsonl
bool tells_marks(std::string_view format);  // json, jsonl or csv

using Json = nlohmann::ordered_json;

// object[key] = path as text; where its bytes are no valid UTF-8 those are U+FFFD in the text and
// object[key + "_bytes"] holds the exact bytes in base64.
void set_path(Json& object, const std::string& key, const std::filesystem::path& path);

// Compact text of any object, whatever bytes its strings hold.
std::string dump(const Json& value, int indent = -1);

// Rounded to six decimals, so that a float does not print as seventeen digits.
double rounded(float value);

// A check for CLI11 options: an error text, or "" for a format name.
std::string check_format(const std::string& text);

}  // namespace tessera::cli
