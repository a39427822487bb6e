// Shell patterns over paths and the built-in list of folders that hold no photos.
#include "ingest/glob.h"

#include <fnmatch.h>

#include <algorithm>
#include <array>

namespace tessera::ingest {
namespace {

constexpr std::array<std::string_view, 8> kFoldersOfOtherPrograms = {
    "@eaDir",   "node_modules", "$RECYCLE.BIN", "RECYCLER", "System Volume Information",
    "#recycle", "lost+found",   "__MACOSX"};

std::vector<std::string> components(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    if (slash > 0) parts.emplace_back(path.substr(0, slash));
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return parts;
}

}  // namespace

bool glob_match(std::string_view pattern, std::string_view path) {
  const std::vector<std::string> wanted = components(pattern);
  const std::vector<std::string> parts = components(path);
  // reached[j]: the pattern components so far match the first j path components.
  std::vector<char> reached(parts.size() + 1, 0);
  reached[0] = 1;
  for (const std::string& component : wanted) {
    std::vector<char> next(parts.size() + 1, 0);
    if (component == "**") {
      char any = 0;
      for (std::size_t j = 0; j <= parts.size(); ++j) next[j] = any = any | reached[j];
    } else {
      for (std::size_t j = 0; j < parts.size(); ++j) {
        next[j + 1] = reached[j] && ::fnmatch(component.c_str(), parts[j].c_str(), 0) == 0;
      }
    }
    reached.swap(next);
  }
  return reached.back() != 0;
}

ExcludeRules::ExcludeRules(std::span<const std::string> patterns) {
  for (const std::string& text : patterns) {
    Pattern pattern{text, false, false};
    while (!pattern.text.empty() && pattern.text.back() == '/') {
      pattern.text.pop_back();
      pattern.folders_only = true;
    }
    pattern.on_path = pattern.text.find('/') != std::string::npos;
    if (!pattern.text.empty()) patterns_.push_back(std::move(pattern));
  }
}

bool ExcludeRules::excludes(std::string_view relative, std::string_view name, bool is_folder) const {
  if (name.starts_with('.')) return true;
  if (is_folder && std::find(kFoldersOfOtherPrograms.begin(), kFoldersOfOtherPrograms.end(), name) !=
                       kFoldersOfOtherPrograms.end()) {
    return true;
  }
  return std::any_of(patterns_.begin(), patterns_.end(), [&](const Pattern& pattern) {
    if (pattern.folders_only && !is_folder) return false;
    return glob_match(pattern.text, pattern.on_path ? relative : name);
  });
}

}  // namespace tessera::ingest
