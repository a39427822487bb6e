// Paths as the catalog stores them: absolute, normal, bytes as the file system has them.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace tessera::catalog {

// Absolute and without ".", "..", doubled or trailing slashes. Symbolic links are kept, except before a "..".
std::string stored_path(const std::filesystem::path& path);

// Splits a stored path; the folder of "/a" is "/".
struct SplitPath {
  std::string folder;
  std::string name;
};
SplitPath split_path(std::string_view path);
std::string join_path(std::string_view folder, std::string_view name);

// All stored paths strictly below `folder` are >= first and < last in byte order.
struct PathRange {
  std::string first;
  std::string last;
};
PathRange below(std::string_view folder);
bool is_below(std::string_view path, std::string_view folder);  // strictly

}  // namespace tessera::catalog
