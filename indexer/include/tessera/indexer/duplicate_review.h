// Groups of duplicates as a person decides upon them: their files, what the rules say of each, what a person said
// before, and for each file that shall go the picture that stays in its place.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <vector>

#include "tessera/indexer/curation.h"
#include "tessera/indexer/duplicates.h"
#include "tessera/indexer/file_actions.h"
#include "tessera/indexer/keep_rules.h"

namespace tessera {

struct ReviewedGroup {
  DuplicateLabel label = DuplicateLabel::kExact;
  double certainty = 0;
  std::vector<std::shared_ptr<const ImageRecord>> images;  // ascending, without those that have no file any more
  std::vector<KeepDecision> files;                         // as decide_keep() orders them; they point into `images`

  std::vector<ImageId> pictures() const;   // each once, the best first
  std::vector<ContentPair> pairs() const;  // of different contents
};

// For DuplicateOptions::ruled_out: what a person said, as it is now.
std::function<bool(const ContentHash&, const ContentHash&)> ruled_out_pairs(const Curation& curation);

// In the order of `groups`, without files that are missing, and without groups that are none any more because of that,
// or because a person ruled out all of their pairs meanwhile. Throws kCancelled and what the library throws.
std::vector<ReviewedGroup> review_duplicates(const Library& library, const Curation& curation,
                                             std::span<const DuplicateGroup> groups, std::span<const KeepRule> rules,
                                             const std::stop_token& stop = {});

// What FileActions::trash_duplicates() wants, by path, of the files for which `goes` says so. What stays in a file's
// place is a picture of one of its groups with a file that is there, can be read and does not go; where there is none,
// it is the best of the group, and trash_duplicates() will refuse.
std::vector<DuplicateFile> files_to_trash(std::span<const ReviewedGroup> groups,
                                          const std::function<bool(const KeepDecision&)>& goes);

}  // namespace tessera
