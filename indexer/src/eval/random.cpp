// Seeded samples.
#include "eval/random.h"

#include <algorithm>
#include <numeric>

namespace tessera::eval {

std::vector<std::size_t> sample(std::size_t total, std::size_t count, std::uint64_t seed) {
  std::vector<std::size_t> numbers(total);
  std::iota(numbers.begin(), numbers.end(), std::size_t{0});
  if (count == 0 || count >= total) return numbers;
  Random random(seed);
  for (std::size_t i = 0; i < count; ++i) std::swap(numbers[i], numbers[i + random.below(total - i)]);
  numbers.resize(count);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

}  // namespace tessera::eval
