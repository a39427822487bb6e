// Unit vectors of pictures in fixed point: what picks, outliers, clusters and duplicates compare.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tessera {

// Rows of one width, L2-normalised and rounded to multiples of 1 / kOne, so that every comparison is a sum of integers:
// the same on every machine and with any number of threads. A similarity differs from the cosine of what was added by
// less than 0.001, usually by less than 0.0001.
// Thread rule: const member functions from any thread, several at once.
class VectorSet {
 public:
  static constexpr int kOne = 1 << 14;

  explicit VectorSet(int width = 1);  // throws kInvalidArgument unless 1 <= width <= 8192
  void reserve(std::size_t rows);
  // `vector` of any length but zero. Throws kInvalidArgument for another width or a vector without a direction.
  void add(std::span<const float> vector);

  int width() const noexcept { return width_; }
  std::size_t size() const noexcept { return rows_; }
  float similarity(std::size_t a, std::size_t b) const noexcept;  // in [-1, 1]

  // Components, zeros up to the stride.
  const std::int16_t* row(std::size_t r) const noexcept { return values_.data() + r * stride_; }
  std::size_t stride() const noexcept { return stride_; }

 private:
  int width_;
  std::size_t stride_;  // a multiple of 16
  std::size_t rows_ = 0;
  std::vector<std::int16_t> values_;
};

}  // namespace tessera
