// One small picture found inside another: an exhaustive search at low resolution, then refinement of scale, angle and
// place.
#include <array>

#include "analyse/grey_field.h"
#include "analyse/look.h"

namespace tessera {
namespace {

constexpr int kSearchSide = 16;       // shorter side of the exhaustive search
constexpr double kSearchStep = 1.07;  // from scale to scale
constexpr double kLeastScale = 0.42;
constexpr std::size_t kSeeds = 3;   // best placements of different kinds that are refined
constexpr int kRefineSamples = 32;  // along the shorter side of the inner picture
constexpr int kPlacedTiles = 4;
constexpr double kPlacedFlat = 2.0;  // grey levels
constexpr double kTileFlat = 3.0;
constexpr int kRefineRounds = 14;

GreyField field_of(const Look& look, bool mirrored) {
  GreyField field{look.width, look.height, {look.grey.begin(), look.grey.end()}};
  if (mirrored) {
    for (int y = 0; y < field.height; ++y) {
      const auto row = field.values.begin() + std::ptrdiff_t(y) * field.width;
      std::reverse(row, row + field.width);
    }
  }
  return field;
}

GreyField at_search_size(const GreyField& field, double scale) {
  const double factor = scale * kSearchSide / Look::kShortSide;
  return shrunk(field, std::max(2, static_cast<int>(std::lround(field.width * factor))),
                std::max(2, static_cast<int>(std::lround(field.height * factor))));
}

// Where the inner picture lies in the outer one, in pixels of the outer field.
struct Pose {
  float x = 0;  // middle
  float y = 0;
  float scale = 1;
  float angle = 0;  // radians
};

struct Seed {
  float correlation = -1;
  Pose pose;
  bool mirrored = false;
  bool a_is_inner = false;
};

float correlation_at(const GreyField& outer, const GreyField& inner, int left, int top) {
  CorrelationSums sums;
  for (int y = 0; y < inner.height; ++y) {
    const float* of_outer = outer.values.data() + std::size_t(top + y) * std::size_t(outer.width) + std::size_t(left);
    const float* of_inner = inner.values.data() + std::size_t(y) * std::size_t(inner.width);
    float a = 0, b = 0, aa = 0, bb = 0, ab = 0;
    for (int x = 0; x < inner.width; ++x) {
      a += of_outer[x];
      b += of_inner[x];
      aa += of_outer[x] * of_outer[x];
      bb += of_inner[x] * of_inner[x];
      ab += of_outer[x] * of_inner[x];
    }
    sums.add({double(inner.width), double(a), double(b), double(aa), double(bb), double(ab)});
  }
  return sums.correlation(kPlacedFlat);
}

// The best place for each scale.
void search_scales(const GreyField& outer, const GreyField& inner, bool mirrored, bool a_is_inner,
                   std::vector<Seed>& seeds) {
  const GreyField coarse = at_search_size(outer, 1);
  const float to_full = float(outer.width) / float(coarse.width);
  for (double scale = 1; scale >= kLeastScale; scale /= kSearchStep) {
    const GreyField small = at_search_size(inner, scale);
    Seed best{-1, {}, mirrored, a_is_inner};
    for (int top = 0; top + small.height <= coarse.height; ++top) {
      for (int left = 0; left + small.width <= coarse.width; ++left) {
        const float correlation = correlation_at(coarse, small, left, top);
        if (correlation <= best.correlation) continue;
        best.correlation = correlation;
        best.pose = {(float(left) + float(small.width) / 2) * to_full - 0.5f,
                     (float(top) + float(small.height) / 2) * to_full - 0.5f, static_cast<float>(scale), 0};
      }
    }
    if (best.correlation > 0) seeds.push_back(best);
  }
}

// Correlation over a grid of points of the inner picture, also by tiles; -1 if much of it lies outside.
class PoseScore {
 public:
  PoseScore(const GreyField& outer, const GreyField& inner) : outer_(outer) {
    const double step = double(Look::kShortSide) / kRefineSamples;
    for (double y = step / 2; y < inner.height; y += step) {
      for (double x = step / 2; x < inner.width; x += step) {
        const int tile = static_cast<int>(y * kPlacedTiles / inner.height) * kPlacedTiles +
                         static_cast<int>(x * kPlacedTiles / inner.width);
        points_.push_back({static_cast<float>(x - inner.width / 2.0), static_cast<float>(y - inner.height / 2.0),
                           inner.at(static_cast<float>(x - 0.5), static_cast<float>(y - 0.5)), std::size_t(tile)});
      }
    }
  }

  float score(const Pose& pose, float* median_of_tiles = nullptr) const {
    std::array<CorrelationSums, kPlacedTiles * kPlacedTiles> tiles;
    const float c = pose.scale * std::cos(pose.angle);
    const float s = pose.scale * std::sin(pose.angle);
    std::size_t inside = 0;
    for (const Point& point : points_) {
      const float x = pose.x + c * point.x - s * point.y;
      const float y = pose.y + s * point.x + c * point.y;
      if (x < -0.75f || y < -0.75f || x > float(outer_.width) - 0.25f || y > float(outer_.height) - 0.25f) continue;
      ++inside;
      tiles[point.tile].add(outer_.at(x, y), point.grey);
    }
    if (double(inside) < 0.9 * double(points_.size())) return -1;
    CorrelationSums all;
    std::vector<float> values;
    for (const CorrelationSums& tile : tiles) {
      all.add(tile);
      if (const float value = tile.correlation(kTileFlat); value != 0) values.push_back(value);
    }
    const float whole = all.correlation(kPlacedFlat);
    if (median_of_tiles != nullptr) {
      *median_of_tiles = whole;
      if (values.size() >= 4) {
        std::nth_element(values.begin(), values.begin() + std::ptrdiff_t(values.size() / 2), values.end());
        *median_of_tiles = values[values.size() / 2];
      }
    }
    return whole;
  }

 private:
  struct Point {
    float x, y;  // from the middle of the inner picture
    float grey;
    std::size_t tile;
  };
  const GreyField& outer_;
  std::vector<Point> points_;
};

// Steps along each of the four parameters as long as they help, then with half the step.
void refine(const PoseScore& score, Seed& seed) {
  Pose step{1.5f, 1.5f, 0.04f, 0.05f};
  seed.correlation = score.score(seed.pose);
  for (int round = 0; round < kRefineRounds; ++round) {
    bool better = false;
    for (float Pose::*parameter : {&Pose::angle, &Pose::x, &Pose::y, &Pose::scale}) {
      for (const float sign : {1.0f, -1.0f}) {
        Pose moved = seed.pose;
        moved.*parameter += sign * step.*parameter;
        const float correlation = score.score(moved);
        if (correlation <= seed.correlation) continue;
        seed.correlation = correlation;
        seed.pose = moved;
        better = true;
        break;
      }
    }
    if (better) continue;
    step = {step.x / 2, step.y / 2, step.scale / 2, step.angle / 2};
    if (step.x < 0.1f) break;
  }
}

}  // namespace

Placement match_placed(const Look& a, const Look& b) {
  const GreyField fields[2] = {field_of(a, false), field_of(b, false)};
  const GreyField mirrored[2] = {field_of(a, true), field_of(b, true)};
  std::vector<Seed> seeds;
  for (const bool a_is_inner : {false, true}) {
    const GreyField& outer = fields[a_is_inner ? 1 : 0];
    search_scales(outer, fields[a_is_inner ? 0 : 1], false, a_is_inner, seeds);
    search_scales(outer, mirrored[a_is_inner ? 0 : 1], true, a_is_inner, seeds);
  }
  std::sort(seeds.begin(), seeds.end(), [](const Seed& x, const Seed& y) { return x.correlation > y.correlation; });
  if (seeds.size() > kSeeds) seeds.resize(kSeeds);
  Placement best;
  for (Seed& seed : seeds) {
    const GreyField& outer = fields[seed.a_is_inner ? 1 : 0];
    const GreyField& inner = (seed.mirrored ? mirrored : fields)[seed.a_is_inner ? 0 : 1];
    const PoseScore score(outer, inner);
    refine(score, seed);
    float tiles = 0;
    score.score(seed.pose, &tiles);
    if (seed.correlation <= best.correlation) continue;
    best = {seed.correlation, tiles, seed.pose.scale, seed.pose.angle * 57.29578f, seed.mirrored, seed.a_is_inner};
  }
  return best;
}

}  // namespace tessera
