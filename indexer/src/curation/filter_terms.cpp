// Conditions of a filter as text.
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <functional>
#include <limits>

#include "tessera/error.h"
#include "tessera/indexer/catalog_filter.h"

namespace tessera {
namespace {

[[noreturn]] void refuse(std::string_view name, std::string_view value, const char* accepted) {
  throw Error(ErrorCode::kInvalidArgument,
              std::string(name) + " '" + std::string(value) + "' is not understood; use " + accepted);
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

// "12", "1.5M", "20 k".
std::optional<std::int64_t> scaled_number(std::string_view text) {
  double factor = 1;
  if (!text.empty()) {
    switch (text.back()) {
      case 'k':
      case 'K': factor = 1e3; break;
      case 'M': factor = 1e6; break;
      case 'G': factor = 1e9; break;
      default: break;
    }
  }
  if (factor > 1) text.remove_suffix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc{} || end != text.data() + text.size() || !(value >= 0) || value * factor > 9e15) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(value * factor + 0.5);
}

// [first, last] second of "2019", "2019-05" or "2019-05-17".
std::optional<Range<std::int64_t>> days(std::string_view text) {
  namespace time = std::chrono;
  const auto part = [&](std::size_t at, std::size_t count) {
    return at + count <= text.size() ? whole_number(text.substr(at, count)) : std::nullopt;
  };
  const bool with_month = text.size() >= 7, with_day = text.size() == 10;
  if (text.size() != 4 && text.size() != 7 && text.size() != 10) return std::nullopt;
  if ((with_month && text[4] != '-') || (with_day && text[7] != '-')) return std::nullopt;
  const auto year = part(0, 4);
  const auto month = with_month ? part(5, 2) : std::optional<std::int64_t>(1);
  const auto day = with_day ? part(8, 2) : std::optional<std::int64_t>(1);
  if (!year || !month || !day) return std::nullopt;
  const time::year_month_day first(time::year(static_cast<int>(*year)), time::month(static_cast<unsigned>(*month)),
                                   time::day(static_cast<unsigned>(*day)));
  if (!first.ok()) return std::nullopt;
  const time::sys_days begin(first);
  const time::sys_days end = with_day     ? begin + time::days(1)
                             : with_month ? time::sys_days(first + time::months(1))
                                          : time::sys_days(first + time::years(1));
  const auto seconds = [](time::sys_days at) { return time::sys_seconds(at).time_since_epoch().count(); };
  return Range<std::int64_t>{seconds(begin), seconds(end) - 1};
}

// "A", "A..", "..B" or "A..B". `parse` gives the range of one end, from which the outer limit is taken.
template <typename T>
std::optional<Range<T>> range_of(std::string_view text,
                                 const std::function<std::optional<Range<T>>(std::string_view)>& parse) {
  const std::size_t dots = text.find("..");
  if (dots == std::string_view::npos) return parse(text);
  const std::string_view first = text.substr(0, dots), last = text.substr(dots + 2);
  if (first.empty() && last.empty()) return std::nullopt;
  Range<T> range;
  if (!first.empty()) {
    const auto parsed = parse(first);
    if (!parsed) return std::nullopt;
    range.least = parsed->least;
  }
  if (!last.empty()) {
    const auto parsed = parse(last);
    if (!parsed) return std::nullopt;
    range.most = parsed->most;
  }
  if (range.least && range.most && *range.least > *range.most) return std::nullopt;
  return range;
}

Range<std::int64_t> number_range(std::string_view name, std::string_view value) {
  const auto range = range_of<std::int64_t>(value, [](std::string_view text) -> std::optional<Range<std::int64_t>> {
    const auto number = scaled_number(text);
    if (!number) return std::nullopt;
    return Range<std::int64_t>{number, number};
  });
  if (!range) refuse(name, value, "a range such as 2M.., ..500k or 1000..2000");
  return *range;
}

Range<int> rating_range(std::string_view value) {
  const auto range = range_of<int>(value, [](std::string_view text) -> std::optional<Range<int>> {
    const auto number = whole_number(text);
    if (!number || *number > 5) return std::nullopt;
    return Range<int>{static_cast<int>(*number), static_cast<int>(*number)};
  });
  if (!range) refuse("rating", value, "0 to 5 stars, or a range such as 3.. or 1..4");
  return *range;
}

Range<std::int64_t> date_range(std::string_view value) {
  const auto range = range_of<std::int64_t>(value, days);
  if (!range)
    refuse("date", value, "a day, month or year (2019-05-17, 2019-05, 2019) or a range such as 2018..2019-06");
  return *range;
}

template <typename T>
void add_names(std::vector<T>& values, std::string_view list, T (*parse)(std::string_view)) {
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t comma = std::min(list.find(',', at), list.size());
    const T value = parse(list.substr(at, comma - at));
    if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
    at = comma + 1;
  }
}

FileState parse_state(std::string_view text) {
  for (const FileState state : {FileState::kPresent, FileState::kMissing, FileState::kOffline}) {
    if (text == file_state_name(state)) return state;
  }
  refuse("state", text, "present, missing or offline");
}

template <typename T>
std::string range_text(const Range<T>& range, const std::function<std::string(T, bool least)>& end_text) {
  const std::string least = range.least ? end_text(*range.least, true) : "";
  const std::string most = range.most ? end_text(*range.most, false) : "";
  return least == most ? least : least + ".." + most;
}

std::string day_text(std::int64_t seconds) {
  const std::chrono::sys_seconds time{std::chrono::seconds(seconds)};
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(time));
  const auto digits = [](unsigned value, std::size_t width) {
    const std::string text = std::to_string(value);
    return std::string(width - std::min(width, text.size()), '0') + text;
  };
  return digits(static_cast<unsigned>(static_cast<int>(day.year())), 4) + "-" +
         digits(static_cast<unsigned>(day.month()), 2) + "-" + digits(static_cast<unsigned>(day.day()), 2);
}

template <typename T>
std::string joined(const std::vector<T>& values, const char* (*name)(T) noexcept) {
  std::string text;
  for (const T value : values) text += (text.empty() ? "" : ",") + std::string(name(value));
  return text;
}

}  // namespace

void add_filter_term(CatalogFilter& filter, std::string_view name, std::string_view value) {
  if (name != "untagged" && value.empty()) refuse(name, value, "a value");
  if (value.find('\n') != std::string_view::npos) refuse(name, value, "a value without line breaks");
  const std::string text(value);
  if (name == "rating") {
    filter.rating = rating_range(value);
  } else if (name == "flag") {
    add_names(filter.flags, value, parse_flag);
  } else if (name == "label") {
    add_names(filter.labels, value, parse_label);
  } else if (name == "tag") {
    filter.tags.push_back(text);
  } else if (name == "any-tag") {
    filter.any_tags.push_back(text);
  } else if (name == "no-tag") {
    filter.no_tags.push_back(text);
  } else if (name == "untagged") {
    filter.untagged = true;
  } else if (name == "under") {
    filter.under.emplace_back(text);
  } else if (name == "date") {
    filter.date = date_range(value);
  } else if (name == "size") {
    filter.bytes = number_range(name, value);
  } else if (name == "pixels") {
    filter.pixels = number_range(name, value);
  } else if (name == "side") {
    filter.side = number_range(name, value);
  } else if (name == "text") {
    filter.text += (filter.text.empty() ? "" : " ") + text;
  } else if (name == "collection") {
    filter.collection = text;
  } else if (name == "state") {
    filter.state = parse_state(value);
  } else {
    throw Error(ErrorCode::kInvalidArgument, "a filter has no condition '" + std::string(name) + "'");
  }
}

std::string filter_text(const CatalogFilter& filter) {
  std::string text;
  const auto line = [&](const char* name, const std::string& value) { text += name + (" " + value) + "\n"; };
  const auto number = [](auto value, bool) { return std::to_string(value); };
  if (!filter.rating.empty()) line("rating", range_text<int>(filter.rating, number));
  if (!filter.flags.empty()) line("flag", joined(filter.flags, flag_name));
  if (!filter.labels.empty()) line("label", joined(filter.labels, label_name));
  for (const std::string& tag : filter.tags) line("tag", tag);
  for (const std::string& tag : filter.any_tags) line("any-tag", tag);
  for (const std::string& tag : filter.no_tags) line("no-tag", tag);
  if (filter.untagged) text += "untagged\n";
  for (const std::filesystem::path& path : filter.under) line("under", path.native());
  if (!filter.date.empty()) {
    line("date", range_text<std::int64_t>(filter.date, [](std::int64_t at, bool) { return day_text(at); }));
  }
  if (!filter.bytes.empty()) line("size", range_text<std::int64_t>(filter.bytes, number));
  if (!filter.pixels.empty()) line("pixels", range_text<std::int64_t>(filter.pixels, number));
  if (!filter.side.empty()) line("side", range_text<std::int64_t>(filter.side, number));
  if (!filter.text.empty()) line("text", filter.text);
  if (!filter.collection.empty()) line("collection", filter.collection);
  if (filter.state) line("state", file_state_name(*filter.state));
  return text;
}

CatalogFilter parse_filter(std::string_view text) {
  CatalogFilter filter;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) continue;
    const std::size_t space = std::min(line.find(' '), line.size());
    add_filter_term(filter, line.substr(0, space), line.substr(std::min(space + 1, line.size())));
  }
  return filter;
}

}  // namespace tessera
