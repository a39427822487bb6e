// Duplicates and near copies of a library in groups: the same file twice, re-encoded, edited or cropped, same scene.
//
// Candidates are the pairs with the most similar first tokens; what they are is decided on small versions of the
// pictures themselves. docs/DUPLICATES.md says how, and how often it is right.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string_view>
#include <vector>

#include "tessera/indexer/library.h"
#include "tessera/indexer/types.h"

namespace tessera {

enum class DuplicateLabel {
  kExact,      // one content in several files
  kReencoded,  // the whole picture, in another size, format or quality
  kEdited,     // cropped, turned a little, mirrored, framed, written over, or with other colours
  kSameScene,  // another photograph that shows nearly the same
};
const char* duplicate_label_name(DuplicateLabel label) noexcept;  // "exact", "re-encoded", "edited", "scene"
DuplicateLabel parse_duplicate_label(std::string_view text);      // throws kInvalidArgument

struct DuplicatePair {
  ImageId a = 0;  // a < b
  ImageId b = 0;
  DuplicateLabel label = DuplicateLabel::kSameScene;
  double certainty = 0;   // as of groups
  float similarity = 0;   // of token 0
  bool compared = false;  // on pixels; if a file could not be read only kSameScene is ever said
};

struct DuplicateGroup {
  DuplicateLabel label = DuplicateLabel::kExact;
  // An order, not a probability: 1 exact; 0.95 to 1 re-encoded; 0.75 to 0.95 edited; below 0.75 same scene. That of the
  // least certain pair that holds the group together.
  double certainty = 0;
  std::vector<ImageId> images;  // ascending; one image for kExact
};

struct DuplicateOptions {
  std::optional<std::vector<ImageId>> among;          // none = the whole library
  DuplicateLabel least = DuplicateLabel::kSameScene;  // the least certain kind to look for
  double least_similarity = 0.7;                      // of token 0 of pairs that are compared
  std::size_t nearest = 4;                            // such pairs of each picture, the most similar ones
  // A person said that the two are no duplicates: they never come together. Empty = nobody did.
  std::function<bool(const ContentHash&, const ContentHash&)> ruled_out;
  std::function<void(double share)> progress;  // 0..1, from any thread, one call at a time
  int threads = 0;                             // 0 = one per core
  std::stop_token stop;
};

struct DuplicateReport {
  // Most certain first, then larger ones, then by the first image. A picture may be in a group of each kind: those of a
  // later kind contain the earlier ones that they are linked to.
  std::vector<DuplicateGroup> groups;
  std::vector<DuplicatePair> pairs;  // what the groups were made of, most certain first; without exact ones
  std::int64_t compared = 0;         // pairs looked at on pixels
  std::int64_t unreadable = 0;       // pictures of such pairs whose file could not be read now
};

// Needs the photos: of pictures in candidate pairs one file is decoded. Throws kCancelled and what the library throws.
DuplicateReport find_duplicates(const Library& library, const DuplicateOptions& options = {});

}  // namespace tessera
