// Groups out of labelled pairs.
#include "analyse/duplicate_groups.h"

#include <algorithm>
#include <map>

namespace tessera {
namespace {

struct GrowingGroup {
  std::vector<ImageId> images;
  double certainty = 1;  // the least of the pairs that joined it
  bool of_this_kind = false;
};

class Grouping {
 public:
  explicit Grouping(const GroupRules& rules) : rules_(rules) {}

  void add(const DuplicatePair& pair) {
    const std::size_t a = group_of(pair.a);
    const std::size_t b = group_of(pair.b);
    if (a == b || !may_join(groups_[a], groups_[b], pair.label)) return;
    GrowingGroup& to = groups_[std::min(a, b)];
    GrowingGroup& from = groups_[std::max(a, b)];
    for (const ImageId image : from.images) of_image_[image] = std::min(a, b);
    to.images.insert(to.images.end(), from.images.begin(), from.images.end());
    to.certainty = std::min({to.certainty, from.certainty, pair.certainty});
    to.of_this_kind = true;
    from = {};
  }

  // The groups that changed since the last call.
  void take(DuplicateLabel label, std::vector<DuplicateGroup>& into) {
    for (GrowingGroup& group : groups_) {
      if (!group.of_this_kind) continue;
      group.of_this_kind = false;
      std::sort(group.images.begin(), group.images.end());
      into.push_back({label, group.certainty, group.images});
    }
  }

 private:
  std::size_t group_of(ImageId image) {
    const auto [at, made] = of_image_.try_emplace(image, groups_.size());
    if (made) groups_.push_back({{image}, 1, false});
    return at->second;
  }

  bool may_join(const GrowingGroup& a, const GrowingGroup& b, DuplicateLabel label) const {
    for (const ImageId x : a.images) {
      for (const ImageId y : b.images) {
        if (rules_.ruled_out && rules_.ruled_out(x, y)) return false;
        if (label == DuplicateLabel::kSameScene && rules_.same_scene && !rules_.same_scene(x, y)) return false;
      }
    }
    return true;
  }

  const GroupRules& rules_;
  std::vector<GrowingGroup> groups_;
  std::map<ImageId, std::size_t> of_image_;
};

}  // namespace

std::vector<DuplicateGroup> group_pairs(std::span<const DuplicatePair> pairs, const GroupRules& rules) {
  std::vector<DuplicatePair> sorted(pairs.begin(), pairs.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const DuplicatePair& x, const DuplicatePair& y) {
    return x.label != y.label ? x.label < y.label : x.certainty > y.certainty;
  });
  Grouping grouping(rules);
  std::vector<DuplicateGroup> groups;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    grouping.add(sorted[i]);
    if (i + 1 == sorted.size() || sorted[i + 1].label != sorted[i].label) grouping.take(sorted[i].label, groups);
  }
  return groups;
}

}  // namespace tessera
