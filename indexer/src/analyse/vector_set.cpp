// Unit vectors in fixed point.
#include "tessera/indexer/vector_set.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "analyse/dot16.h"
#include "store/token_codec.h"
#include "tessera/error.h"

namespace tessera {
namespace {

constexpr std::size_t kVectorStep = 16;  // values of one AVX2 load

}  // namespace

VectorSet::VectorSet(int width)
    : width_(width), stride_((std::size_t(std::max(width, 1)) + kVectorStep - 1) / kVectorStep * kVectorStep) {
  if (width < 1 || width > kMaxTokenWidth) {
    throw Error(ErrorCode::kInvalidArgument, "vectors of width " + std::to_string(width) + " cannot be compared");
  }
}

void VectorSet::reserve(std::size_t rows) { values_.reserve(rows * stride_); }

void VectorSet::add(std::span<const float> vector) {
  if (vector.size() != std::size_t(width_)) {
    throw Error(ErrorCode::kInvalidArgument, "a vector of width " + std::to_string(vector.size()) +
                                                 " among vectors of width " + std::to_string(width_));
  }
  if (!has_direction(vector)) throw Error(ErrorCode::kInvalidArgument, "a vector has no direction");
  double norm = 0;
  for (const float x : vector) norm += double(x) * x;
  const double scale = kOne / std::sqrt(norm);
  for (const float x : vector) values_.push_back(static_cast<std::int16_t>(std::lround(x * scale)));
  values_.resize(values_.size() + stride_ - std::size_t(width_), 0);
  ++rows_;
}

float VectorSet::similarity(std::size_t a, std::size_t b) const noexcept {
  Dot dot = 0;
  dot_kernels().dot_rows(row(a), row(b), stride_, 1, &dot);
  return similarity_of(dot);
}

}  // namespace tessera
