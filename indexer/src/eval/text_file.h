// What the readers of annotation files share: text, numbers, errors that name file and line.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace tessera::eval {

// The whole file without a byte order mark.
std::string read_text_file(const std::filesystem::path& path);

// A finite decimal number and nothing else, whatever the locale.
std::optional<double> parse_number(std::string_view text);

// Throws kDamaged "FILE:LINE: reason".
[[noreturn]] void fail_at(const std::filesystem::path& path, int line, const std::string& reason);

// Line (from 1) of a byte of a text.
int line_of(std::string_view text, std::size_t offset);

}  // namespace tessera::eval
