// What two similar pictures are to each other, judged by their small versions.
#pragma once

#include <optional>

#include "analyse/look.h"
#include "tessera/indexer/duplicates.h"

namespace tessera {

// From this similarity of token 0 on two photographs are called the same scene.
inline constexpr float kSceneSimilarity = 0.86f;
// Two members of a group of one scene may be a little less alike.
inline constexpr float kSceneGroupSimilarity = 0.78f;

struct PairJudgement {
  DuplicateLabel label = DuplicateLabel::kSameScene;
  double certainty = 0;
};

// None: neither. `a`, `b` may be null if a picture could not be read. The thresholds are those of docs/DUPLICATES.md.
std::optional<PairJudgement> judge_pair(const Look* a, const Look* b, float similarity);

}  // namespace tessera
