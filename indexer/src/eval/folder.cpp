// The picture files below a folder, and looking them up by the names that annotations give.
#include "eval/folder.h"

#include <algorithm>
#include <system_error>

#include "tessera/error.h"
#include "tessera/image.h"

namespace tessera::eval {
namespace {

bool is_hidden(const std::filesystem::path& path) { return path.filename().native().starts_with('.'); }

}  // namespace

std::vector<std::string> picture_names(const std::filesystem::path& folder) {
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error)) {
    throw Error(ErrorCode::kNotFound, "no folder " + folder.string());
  }
  std::vector<std::string> names;
  std::filesystem::recursive_directory_iterator at(folder, error);
  const std::filesystem::recursive_directory_iterator end;
  for (; !error && at != end; at.increment(error)) {
    if (is_hidden(at->path())) {
      at.disable_recursion_pending();
    } else if (has_image_extension(at->path()) && at->is_regular_file(error)) {
      names.push_back(at->path().lexically_relative(folder).generic_string());
    }
    error.clear();
  }
  if (error) throw errno_error("read folder", folder.string(), error.value());
  std::sort(names.begin(), names.end());
  return names;
}

std::string without_ending(std::string_view name) {
  const std::size_t slash = name.rfind('/');
  const std::size_t dot = name.rfind('.');
  const bool has_ending = dot != name.npos && dot > 0 && (slash == name.npos || dot > slash + 1);
  return std::string(has_ending ? name.substr(0, dot) : name);
}

PictureNames::PictureNames(const std::filesystem::path& folder) : names_(picture_names(folder)) {
  for (const std::string& name : names_) by_stem_[without_ending(name)].push_back(name);
}

std::string PictureNames::resolve(const std::string& name) const {
  if (std::binary_search(names_.begin(), names_.end(), name)) return name;
  const auto found = by_stem_.find(without_ending(name));
  return found != by_stem_.end() && found->second.size() == 1 ? found->second.front() : name;
}

}  // namespace tessera::eval
