// Exclude patterns: which files and folders below a root an index run leaves alone.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::ingest {

// Shell pattern against a path, component by component (fnmatch): `*`, `?` and `[...]` stay within a component, a
// component `**` stands for any number of components, also none. Bytes are compared; case matters.
bool glob_match(std::string_view pattern, std::string_view path);

class ExcludeRules {
 public:
  explicit ExcludeRules(std::span<const std::string> patterns);
  // `relative` is the path below the root, `name` its last component. Built in: names that begin with a dot, and the
  // folders of trash bins and thumbnails of other programs.
  bool excludes(std::string_view relative, std::string_view name, bool is_folder) const;

 private:
  struct Pattern {
    std::string text;
    bool on_path = false;       // has a slash: matches the path below the root, else each name
    bool folders_only = false;  // ended with a slash
  };
  std::vector<Pattern> patterns_;
};

}  // namespace tessera::ingest
