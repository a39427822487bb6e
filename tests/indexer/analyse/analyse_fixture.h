// Sets of vectors around themes, and plain arithmetic on them, for the tests of the analysis.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "tessera/indexer/vector_set.h"

namespace tessera::test {

// `rows` vectors, each one of `themes` directions and noise of `noise` times its length.
inline VectorSet themed_vectors(std::size_t rows, int width, int themes, float noise, unsigned seed,
                                std::vector<int>* theme_of = nullptr) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<std::vector<float>> middles(static_cast<std::size_t>(themes));
  for (std::vector<float>& middle : middles) {
    for (int i = 0; i < width; ++i) middle.push_back(normal(random));
  }
  VectorSet set(width);
  std::vector<float> vector(static_cast<std::size_t>(width));
  for (std::size_t row = 0; row < rows; ++row) {
    const std::size_t theme = random() % middles.size();
    for (std::size_t i = 0; i < vector.size(); ++i) vector[i] = middles[theme][i] + noise * normal(random);
    set.add(vector);
    if (theme_of != nullptr) theme_of->push_back(static_cast<int>(theme));
  }
  return set;
}

// The exact sum of products, the slow way.
inline std::int64_t plain_dot(const VectorSet& set, std::size_t a, std::size_t b) {
  std::int64_t sum = 0;
  for (int i = 0; i < set.width(); ++i) sum += std::int64_t(set.row(a)[i]) * set.row(b)[i];
  return sum;
}

inline double plain_similarity(const VectorSet& set, std::size_t a, std::size_t b) {
  return std::clamp(double(plain_dot(set, a, b)) / (double(VectorSet::kOne) * VectorSet::kOne), -1.0, 1.0);
}

}  // namespace tessera::test
