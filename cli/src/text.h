// Text on a terminal: display width, eliding, bars, human numbers.
//
// Thread rule: pure functions, any thread; display widths follow the process locale.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace tessera::cli {

// Safe to show on a terminal: control characters and broken UTF-8 as \xNN, newline as \n, tab as \t; in a locale
// without UTF-8 (`utf8` false) all other non-ASCII characters as '?'.
std::string printable(std::string_view bytes, bool utf8);

// Columns that printable() text takes on a terminal.
int display_width(std::string_view text) noexcept;

// At most `columns` wide, the middle replaced by "…" ("..." without UTF-8); keeps more of the end than of the start.
std::string elide_middle(std::string_view text, int columns, bool utf8);

// Text padded with spaces to `columns`; negative: padded on the left.
std::string pad(std::string_view text, int columns);

// Relative to `folder` when below it, else as it is.
std::string short_path(const std::filesystem::path& path, const std::filesystem::path& folder);

// A bar of `columns` for a value in [0, 1]: eighth blocks with UTF-8, '#' and '.' without.
std::string bar(double value, int columns, bool utf8);

std::string human_bytes(std::uint64_t bytes);                   // "0 B", "1.5 MB" (powers of 1000)
std::string human_count(std::int64_t count);                    // "1,234,567"
std::string human_seconds(double seconds);                      // "4.2 s", "3 min 05 s", "2 h 10 min"
std::string human_milliseconds(double milliseconds);            // "3.1 ms", "1.2 s"
std::string clock_duration(double seconds);                     // "0:07", "1:02:03"
std::string plural(std::int64_t count, std::string_view noun);  // "1 picture", "1,200 pictures"

// Lines of at most `columns`, each with `indent` spaces in front; paragraphs are separated by blank lines in `text`,
// and lines that start with a space are kept as they are.
std::string wrap(std::string_view text, int columns, int indent);

}  // namespace tessera::cli
