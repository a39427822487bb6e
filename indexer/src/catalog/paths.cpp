// Normal forms of paths, and where a command looks for its library.
#include "catalog/paths.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <system_error>

#include "tessera/indexer/library.h"

namespace tessera {
namespace catalog {

std::string stored_path(const std::filesystem::path& path) {
  std::filesystem::path whole = std::filesystem::absolute(path);
  if (std::find(whole.begin(), whole.end(), "..") != whole.end()) {
    std::error_code ignored;
    std::filesystem::path resolved = std::filesystem::weakly_canonical(whole, ignored);
    if (!resolved.empty()) whole = std::move(resolved);
  }
  std::string text = whole.lexically_normal().native();
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

SplitPath split_path(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return {"", std::string(path)};
  return {std::string(path.substr(0, std::max<std::size_t>(slash, 1))), std::string(path.substr(slash + 1))};
}

std::string join_path(std::string_view folder, std::string_view name) {
  std::string path(folder);
  if (path.empty() || path.back() != '/') path.push_back('/');
  return path.append(name);
}

PathRange below(std::string_view folder) {
  std::string first = join_path(folder, "");
  std::string last = first;
  last.back() = '/' + 1;
  return {std::move(first), std::move(last)};
}

bool is_below(std::string_view path, std::string_view folder) {
  const std::string prefix = join_path(folder, "");
  return path.size() > prefix.size() && path.starts_with(prefix);
}

}  // namespace catalog

std::optional<std::filesystem::path> Library::find_upward(const std::filesystem::path& start) {
  std::filesystem::path folder = catalog::stored_path(start);
  for (;;) {
    std::error_code ignored;
    const std::filesystem::path candidate = folder / ".tessera";
    if (std::filesystem::is_regular_file(candidate / "catalog.sqlite", ignored)) return candidate;
    if (!folder.has_relative_path()) return std::nullopt;
    folder = folder.parent_path();
  }
}

std::filesystem::path resolve_library_dir(const std::filesystem::path& explicit_dir) {
  if (!explicit_dir.empty()) return explicit_dir;
  const auto variable = [](const char* name) -> std::filesystem::path {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
  };
  if (const auto dir = variable("TESSERA_LIBRARY"); !dir.empty()) return dir;
  std::error_code ignored;
  if (const auto here = std::filesystem::current_path(ignored); !here.empty()) {
    if (auto found = Library::find_upward(here)) return *found;
  }
  if (const auto data = variable("XDG_DATA_HOME"); data.is_absolute()) return data / "tessera";
  return variable("HOME") / ".local" / "share" / "tessera";
}

}  // namespace tessera
