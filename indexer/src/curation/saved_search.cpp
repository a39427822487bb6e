// A whole search as lines of text, and back.
#include "tessera/indexer/saved_search.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <iterator>

#include "tessera/error.h"

namespace tessera {
namespace {

constexpr int kMostTokens = 4096;
constexpr double kRounding = 1e-9;

[[noreturn]] void refuse(std::string_view line, const std::string& reason) {
  throw Error(ErrorCode::kInvalidArgument, "the saved search has '" + std::string(line) + "': " + reason);
}

template <typename T>
T number(std::string_view text, std::string_view line, int base = 10) {
  T value{};
  std::from_chars_result end{};
  if constexpr (std::is_floating_point_v<T>) {
    end = std::from_chars(text.data(), text.data() + text.size(), value);
  } else {
    end = std::from_chars(text.data(), text.data() + text.size(), value, base);
  }
  if (end.ec != std::errc{} || end.ptr != text.data() + text.size()) refuse(line, "a number is needed");
  return value;
}

double number_within(std::string_view text, double least, double most, std::string_view line) {
  const auto value = number<double>(text, line);
  if (!(value >= least && value <= most)) refuse(line, "the number is out of range");
  return value;
}

std::string text_of(double value) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return {digits.data(), end};
}
std::string text_of(float value) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return {digits.data(), end};
}

ContentHash parse_content(std::string_view text, std::string_view line) {
  ContentHash content;
  const std::size_t digits = 2 * content.digest.size();
  if (text.size() < digits + 2 || text[digits] != ':') refuse(line, "the content is damaged");
  for (std::size_t i = 0; i < content.digest.size(); ++i) {
    content.digest[i] = number<std::uint8_t>(text.substr(2 * i, 2), line, 16);
  }
  content.bytes = number<std::uint64_t>(text.substr(digits + 1), line);
  return content;
}

SavedExample parse_example(std::string_view value, bool negative, std::string_view line) {
  const std::size_t space = std::min(value.find(' '), value.size());
  SavedExample example;
  example.negative = negative;
  if (value.substr(0, space) != "-") example.content = parse_content(value.substr(0, space), line);
  example.file = std::string(value.substr(std::min(space + 1, value.size())));
  if (!example.file.is_absolute()) refuse(line, "the path is not absolute");
  return example;
}

PictureRegion parse_fractions(std::string_view value, std::string_view line) {
  std::array<double, 4> parts{};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool last = i + 1 == parts.size();
    const std::size_t comma = last ? value.size() : value.find(',');
    if (comma == std::string_view::npos) refuse(line, "four numbers are needed");
    parts[i] = number_within(value.substr(0, comma), 0, 1, line);
    value.remove_prefix(std::min(comma + 1, value.size()));
  }
  const PictureRegion region{parts[0], parts[1], parts[2], parts[3], true};
  if (region.width <= 0 || region.height <= 0 || region.x + region.width > 1 + kRounding ||
      region.y + region.height > 1 + kRounding) {
    refuse(line, "the region is not inside the picture");
  }
  return region;
}

// False if the line is none of a whole search.
bool read_line(SavedSearch& search, std::string_view line) {
  const std::size_t space = std::min(line.find(' '), line.size());
  const std::string_view name = line.substr(0, space), value = line.substr(std::min(space + 1, line.size()));
  if (name == "like" || name == "unlike") {
    search.examples.push_back(parse_example(value, name == "unlike", line));
  } else if (name == "region") {
    if (search.examples.empty()) refuse(line, "there is no example before it");
    search.examples.back().region = parse_fractions(value, line);
  } else if (name == "tokens") {
    search.tokens = static_cast<int>(number_within(value, 0, kMostTokens, line));
  } else if (name == "rerank-weight") {
    search.rerank_weight = static_cast<float>(number_within(value, 0, 1, line));
  } else if (name == "precision") {
    search.precision = number_within(value, 0, 0.9999, line);
  } else if (name == "not-weight") {
    search.not_weight = static_cast<float>(number_within(value, 0.01, 100, line));
  } else {
    return false;
  }
  return true;
}

void check(const SavedSearch& search) {
  const auto& examples = search.examples;
  if (!examples.empty() && std::ranges::all_of(examples, &SavedExample::negative)) {
    throw Error(ErrorCode::kInvalidArgument, "a search by pictures needs an example of what is wanted");
  }
}

std::string example_text(const SavedExample& example) {
  const std::string& path = example.file.native();
  if (!example.file.is_absolute()) {
    throw Error(ErrorCode::kInvalidArgument, path + ": only an absolute path can be saved with a search");
  }
  if (path.find('\n') != std::string::npos) {
    throw Error(ErrorCode::kInvalidArgument, path + ": a path with a line break cannot be saved with a search");
  }
  std::string text = example.negative ? "unlike " : "like ";
  text += example.content ? example.content->hex() + ":" + std::to_string(example.content->bytes) : "-";
  text += " " + path + "\n";
  if (!example.region) return text;
  const PictureRegion& region = *example.region;
  return text + "region " + text_of(region.x) + "," + text_of(region.y) + "," + text_of(region.width) + "," +
         text_of(region.height) + "\n";
}

}  // namespace

std::string saved_search_text(const SavedSearch& search) {
  check(search);
  std::string text;
  for (const SavedExample& example : search.examples) text += example_text(example);
  if (!text.empty()) {
    if (search.tokens > 0) text += "tokens " + std::to_string(search.tokens) + "\n";
    text += "rerank-weight " + text_of(search.rerank_weight) + "\n";
    if (search.precision > 0) text += "precision " + text_of(search.precision) + "\n";
    if (std::ranges::any_of(search.examples, &SavedExample::negative)) {
      text += "not-weight " + text_of(search.not_weight) + "\n";
    }
  }
  return text + filter_text(search.filter);
}

SavedSearch parse_saved_search(std::string_view text) {
  SavedSearch search;
  std::string conditions;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!read_line(search, line)) conditions += std::string(line) + "\n";
  }
  search.filter = parse_filter(conditions);
  check(search);
  return search;
}

bool searches_by_pictures(std::string_view text) {
  const auto begins = [](std::string_view line) { return line.starts_with("like ") || line.starts_with("unlike "); };
  for (; !text.empty(); text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1)) {
    if (begins(text)) return true;
  }
  return false;
}

std::optional<std::vector<ImageId>> passing_both(const Library& library, const CatalogFilter& one,
                                                 const CatalogFilter& other) {
  if (one.empty() && other.empty()) return std::nullopt;
  if (one.empty() || other.empty()) return library.matching(one.empty() ? other : one);
  const std::vector<ImageId> first = library.matching(one), second = library.matching(other);
  std::vector<ImageId> both;
  std::ranges::set_intersection(first, second, std::back_inserter(both));
  return both;
}

FoundExample find_example(const Library& library, const SavedExample& example) {
  std::error_code error;
  if (const auto id = example.content ? library.find_hash(*example.content) : std::nullopt) {
    const std::vector<FileRecord> files = library.image(*id).files;
    const auto present = std::ranges::find(files, FileState::kPresent, &FileRecord::state);
    return {*id, present != files.end() ? present->path : example.file};
  }
  if (std::filesystem::exists(example.file, error)) return {0, example.file};
  throw Error(ErrorCode::kNotFound, example.file.native() +
                                        ": an example of the saved search, which is neither in the "
                                        "library nor on disk any more");
}

}  // namespace tessera
