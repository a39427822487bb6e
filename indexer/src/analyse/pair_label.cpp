// What two similar pictures are to each other: thresholds on how their small versions match.
#include "analyse/pair_label.h"

#include <algorithm>
#include <cmath>

namespace tessera {
namespace {

constexpr float kWholeCorrelation = 0.98f;
constexpr float kWholeDifference = 6;  // grey levels
constexpr float kWholeColor = 6;
constexpr float kPlacedMatch = 0.93f;  // mean of the correlations of the whole and of the median tile
constexpr float kLeastPlacedScale = 0.4f;
constexpr float kMostPlacedAngle = 15;

// The outcome of [0, 1] in the range of a label.
double certainty_between(double low, double high, double value) {
  return low + (high - low) * std::clamp(value, 0.0, 1.0);
}

}  // namespace

std::optional<PairJudgement> judge_pair(const Look* a, const Look* b, float similarity) {
  if (a != nullptr && b != nullptr) {
    const WholeMatch whole = match_whole(*a, *b);
    if (whole.same_shape && whole.correlation >= kWholeCorrelation && whole.difference <= kWholeDifference &&
        whole.color <= kWholeColor) {
      return PairJudgement{DuplicateLabel::kReencoded,
                           certainty_between(0.95, 1, 1 - double(whole.difference) / kWholeDifference)};
    }
    const Placement placed = match_placed(*a, *b);
    const float match = (placed.correlation + placed.tiles) / 2;
    if (match >= kPlacedMatch && placed.scale >= kLeastPlacedScale && std::abs(placed.angle) <= kMostPlacedAngle) {
      return PairJudgement{DuplicateLabel::kEdited,
                           certainty_between(0.75, 0.95, double(match - kPlacedMatch) / (1 - double(kPlacedMatch)))};
    }
  }
  if (similarity < kSceneSimilarity) return std::nullopt;
  return PairJudgement{
      DuplicateLabel::kSameScene,
      certainty_between(0.4, 0.75, double(similarity - kSceneSimilarity) / (1 - double(kSceneSimilarity)))};
}

}  // namespace tessera
