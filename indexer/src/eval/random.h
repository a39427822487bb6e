// Seeded random numbers that do not depend on the standard library.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <vector>

namespace tessera::eval {

// SplitMix64.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() noexcept {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  double uniform() noexcept { return double(next() >> 11) * 0x1p-53; }  // [0, 1)
  // [0, limit), limit >= 1 and far below 2^53.
  std::size_t below(std::size_t limit) noexcept { return static_cast<std::size_t>(uniform() * double(limit)); }
  // Standard normal (Box and Muller).
  double normal() noexcept {
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }

 private:
  std::uint64_t state_;
};

// `count` of the numbers [0, total), ascending; all if count is 0 or more than there are.
std::vector<std::size_t> sample(std::size_t total, std::size_t count, std::uint64_t seed);

}  // namespace tessera::eval
