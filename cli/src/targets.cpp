// Which pictures a command means.
#include "targets.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <iterator>
#include <unordered_set>

#include "resolve.h"
#include "text.h"

namespace tessera::cli {
namespace {

struct Condition {
  const char* name;
  const char* type;
  const char* text;
};

constexpr Condition kConditions[] = {
    {"rating", "STARS", "stars, e.g. 3, 3.. or 1..4"},
    {"flag", "FLAGS", "pick, none or reject; several with commas"},
    {"label", "LABELS", "none, red, yellow, green, blue or purple; several with commas"},
    {"tag", "NAME", "has this tag or one below it; repeated: all of them"},
    {"any-tag", "NAME", "repeated: has one of these tags"},
    {"no-tag", "NAME", "has not this tag; may be repeated"},
    {"date", "DAYS", "taken then, e.g. 2019-05-17, 2019-05, 2019 or 2018..2019-06"},
    {"size", "BYTES", "bytes of the file, e.g. 2M.. or ..500k"},
    {"pixels", "N", "width times height, e.g. 12M.."},
    {"side", "N", "the longer side, e.g. 1920..4000"},
    {"text", "WORDS", "all these words in the path"},
    {"collection", "NAME", "in this collection"},
};

std::vector<std::string> paths_of_stdin() {
  std::cin >> std::noskipws;
  const std::string input{std::istream_iterator<char>(std::cin), std::istream_iterator<char>()};
  std::vector<std::string> paths;
  for (std::size_t at = 0; at < input.size();) {
    const std::size_t end = std::min(input.find('\0', at), input.size());
    if (end > at) paths.push_back(input.substr(at, end - at));
    at = end + 1;
  }
  return paths;
}

}  // namespace

std::optional<CatalogFilter> FilterOptions::filter() const {
  if (terms.empty()) return std::nullopt;
  CatalogFilter filter;
  try {
    for (const auto& [name, value] : terms) {
      add_filter_term(filter, name, name == "under" ? absolute_path(value).native() : value);
    }
  } catch (const Error& error) {
    throw UsageError(std::string("--") + error.what());
  }
  return filter;
}

void add_filter_options(CLI::App& app, FilterOptions& options, bool with_under) {
  const auto add = [&](const std::string& name, const std::string& type, const std::string& text) {
    app.add_option_function<std::vector<std::string>>(
           "--" + name,
           [&options, name](const std::vector<std::string>& values) {
             for (const std::string& value : values) options.terms.emplace_back(name, value);
           },
           "only pictures: " + text)
        ->type_name(type)
        ->allow_extra_args(false);
  };
  for (const Condition& condition : kConditions) add(condition.name, condition.type, condition.text);
  app.add_flag_function(
      "--untagged", [&options](std::int64_t) { options.terms.emplace_back("untagged", ""); },
      "only pictures: without any tag");
  if (with_under) add("under", "DIR", "with a file below this folder; may be repeated");
}

void add_target_options(CLI::App& app, TargetOptions& options) {
  app.add_option("PATH_OR_ID", options.pictures, "pictures of the library; with conditions: those of them that pass");
  app.add_flag("--paths0", options.from_stdin, "also the paths on standard input, each ended by a zero byte");
  app.add_flag("--all", options.all, "all pictures of the library");
  add_filter_options(app, options.conditions, true);
}

std::vector<ImageRecord> target_pictures(const Library& library, const TargetOptions& options) {
  std::vector<std::string> named = options.pictures;
  if (options.from_stdin) {
    for (std::string& path : paths_of_stdin()) named.push_back(std::move(path));
  }
  auto filter = options.conditions.filter();
  if (named.empty() && !options.from_stdin && !filter && !options.all) {
    throw UsageError("say which pictures: paths or ids, conditions such as --under DIR, --paths0, or --all");
  }
  std::vector<ImageRecord> pictures;
  std::unordered_set<ImageId> seen;
  std::optional<std::vector<ImageId>> passing;
  if (filter || options.all) passing = library.matching(filter.value_or(CatalogFilter()));
  if (named.empty() && !options.from_stdin) {
    for (const ImageId id : *passing) pictures.push_back(library.image(id));
    return pictures;
  }
  for (const std::string& name : named) {
    const ImageId id = find_image(library, name);
    if (!seen.insert(id).second) continue;
    if (passing && !std::binary_search(passing->begin(), passing->end(), id)) continue;
    pictures.push_back(library.image(id));
  }
  return pictures;
}

std::vector<ContentHash> target_contents(const Library& library, const TargetOptions& options, Console& console) {
  std::vector<ContentHash> contents;
  for (const ImageRecord& picture : target_pictures(library, options)) {
    if (picture.hash != ContentHash{}) {
      contents.push_back(picture.hash);
    } else {
      console.warning(picture.files.empty() ? "picture " + std::to_string(picture.id)
                                            : picture.files.front().path.string() + " could not be read; left out");
    }
  }
  return contents;
}

std::vector<std::filesystem::path> target_files(const Library& library, const TargetOptions& options) {
  std::unordered_set<std::string> named;
  for (const std::string& text : options.pictures) named.insert(absolute_path(text).native());
  std::vector<std::filesystem::path> files;
  for (const ImageRecord& picture : target_pictures(library, options)) {
    const bool by_path = std::any_of(picture.files.begin(), picture.files.end(),
                                     [&](const FileRecord& file) { return named.contains(file.path.native()); });
    for (const FileRecord& file : picture.files) {
      if (file.state != FileState::kMissing && (!by_path || named.contains(file.path.native()))) {
        files.push_back(file.path);
      }
    }
  }
  return files;
}

Curation open_curation(const Context& context, OpenMode mode) {
  return Curation::open(open_library(context, OpenMode::kRead).dir(), mode);
}

}  // namespace tessera::cli
