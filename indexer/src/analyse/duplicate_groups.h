// Groups out of labelled pairs: the rules by which pictures come together.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "tessera/indexer/duplicates.h"

namespace tessera {

struct GroupRules {
  std::function<bool(ImageId, ImageId)> ruled_out;
  std::function<bool(ImageId, ImageId)> same_scene;  // may two members of one kSameScene group be together?
};

// Kind by kind, each beginning with the groups of the one before: a pair joins the groups of its two pictures unless a
// picture of the one is ruled out with one of the other, or for kSameScene any two of them are no same scene. Groups
// that a pair of a kind made or joined are groups of that kind.
std::vector<DuplicateGroup> group_pairs(std::span<const DuplicatePair> pairs, const GroupRules& rules);

}  // namespace tessera
