// A diverse pick: N pictures that differ as much as possible, or that stand for all others as well as possible.
#pragma once

#include <cstddef>
#include <stop_token>
#include <string_view>
#include <vector>

#include "tessera/indexer/vector_set.h"

namespace tessera {

enum class DiversityMethod {
  // Each next one is the least similar to its nearest among those picked (Gonzalez 1985). Covers the corners of a
  // collection, also odd pictures. The first is the most typical one.
  kFarthestPoint,
  // Greedily the most of sum over all pictures of the similarity to the nearest picked (Minoux 1978, lazily). Picks
  // what stands for many; odd pictures are left out.
  kFacilityLocation,
};
DiversityMethod parse_diversity_method(std::string_view text);  // "farthest", "facility"; throws kInvalidArgument
const char* diversity_method_name(DiversityMethod method) noexcept;

struct DiverseOptions {
  std::size_t count = 20;  // to pick beside the fixed ones
  DiversityMethod method = DiversityMethod::kFarthestPoint;
  std::vector<std::size_t> fixed;  // rows that are picked already
  // kFacilityLocation: at most so many pictures, at even distances, are what is to be stood for; 0 = all.
  std::size_t clients = 4096;
  int threads = 0;  // 0 = one per core
  std::stop_token stop;
};

struct DiversePicked {
  std::size_t row = 0;
  float nearest = -1;  // similarity to the most similar one picked before, fixed ones included; -1 for the first
};

// In order of picking, without the fixed ones; fewer than `count` if the set has no more. Ties go to the lower row.
// Throws kInvalidArgument for a fixed row that does not exist, kCancelled.
std::vector<DiversePicked> pick_diverse(const VectorSet& vectors, const DiverseOptions& options);

}  // namespace tessera
