// The k largest of a stream of dot products, and their sum.
#pragma once

#include <array>
#include <cstdint>

#include "analyse/dot16.h"

namespace tessera {

inline constexpr int kMostNeighbours = 64;

// Places that nothing was offered for count as least alike, so the sum only grows.
class NearestDots {
 public:
  explicit NearestDots(int k) noexcept : k_(k), sum_(std::int64_t(k) * kLeast) { values_.fill(kLeast); }

  void offer(Dot dot) noexcept {
    if (dot <= values_[0]) return;
    sum_ += dot - values_[0];
    int at = 0;
    for (; at + 1 < k_ && values_[std::size_t(at) + 1] < dot; ++at)
      values_[std::size_t(at)] = values_[std::size_t(at) + 1];
    values_[std::size_t(at)] = dot;
  }
  std::int64_t sum() const noexcept { return sum_; }
  float mean() const noexcept { return similarity_of(double(sum_) / k_); }

 private:
  static constexpr Dot kLeast = -kDotOne - (kDotOne >> 3);  // below every dot product

  int k_;
  std::int64_t sum_;
  std::array<Dot, kMostNeighbours> values_{};  // ascending
};

}  // namespace tessera
