// What people have decided about pictures, read at once.
#include <algorithm>
#include <utility>

#include "tessera/indexer/export.h"

namespace tessera {

MarkBook::MarkBook(const Curation& curation) {
  for (PictureMarks& picture : curation.picture_marks()) pictures_.emplace(picture.id, std::move(picture));
  for (Tag& tag : curation.tags()) names_.emplace(tag.id, std::move(tag.name));
}

Marks MarkBook::marks(ImageId id) const {
  const auto found = pictures_.find(id);
  return found == pictures_.end() ? Marks() : found->second.marks;
}

std::vector<std::string> MarkBook::tags(ImageId id) const {
  std::vector<std::string> names;
  const auto found = pictures_.find(id);
  if (found == pictures_.end()) return names;
  for (const TagId tag : found->second.tags) {
    if (const auto name = names_.find(tag); name != names_.end()) names.push_back(name->second);
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace tessera
