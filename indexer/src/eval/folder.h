// The picture files below a folder, and looking them up by the names that annotations give.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::eval {

// Names below the folder, "/" between their parts, ascending. Links to folders are not followed; what starts with a dot
// is left out. Throws kNotFound, kIo.
std::vector<std::string> picture_names(const std::filesystem::path& folder);

class PictureNames {
 public:
  explicit PictureNames(const std::filesystem::path& folder);

  // The file of that name; else the only one that differs in its ending alone; else `name` itself.
  std::string resolve(const std::string& name) const;

 private:
  std::vector<std::string> names_;
  std::map<std::string, std::vector<std::string>, std::less<>> by_stem_;
};

// "a/b.jpg" -> "a/b".
std::string without_ending(std::string_view name);

}  // namespace tessera::eval
