// How unusual a similarity is: the exponential tail above the median of a sample's scores.
#include "search/calibration.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace tessera {
namespace {

constexpr double kMostSimilar = 1.0 - 1e-6;  // a score above counts as this one
constexpr double kLeastStep = 1e-4;          // from median to quartile, of pictures that are all alike

double fisher(double score) noexcept { return std::atanh(std::clamp(score, -kMostSimilar, kMostSimilar)); }

// The score that `above` others reach; changes the order.
float reached_by(std::vector<float>& scores, std::size_t above) {
  const auto at = scores.begin() + static_cast<std::ptrdiff_t>(scores.size() - 1 - above);
  std::nth_element(scores.begin(), at, scores.end());
  return *at;
}

}  // namespace

// Of n exponential scores the one with a others above it is on average the sum of 1/j for a < j <= n, with the variance
// sum of 1/j^2: hence the mean and variance of quartile - median.
Background::Background(std::span<const float> scores) {
  std::vector<float> values(scores.begin(), scores.end());
  const std::size_t half = values.size() / 2;
  const std::size_t quarter = values.size() / 4;
  double mean = 0, variance = 0;
  for (std::size_t j = quarter + 1; j <= half; ++j) {
    mean += 1 / double(j);
    variance += 1 / (double(j) * double(j));
  }
  median_ = fisher(reached_by(values, half));
  scale_ = std::max(fisher(reached_by(values, quarter)) - median_, kLeastStep) / mean;
  doubt_ = variance / (mean * mean);
}

double Background::share(double score) const noexcept {
  const double x = (fisher(score) - median_) / scale_;
  if (x < 0) return std::min(1.0, 0.5 * std::exp(-x));
  return 0.5 * std::exp(-std::log1p(doubt_ * x) / doubt_);
}

std::size_t cut_length(std::span<const double> by_chance, double precision) noexcept {
  for (std::size_t k = by_chance.size(); k > 0; --k) {
    if (by_chance[k - 1] <= (1 - precision) * static_cast<double>(k)) return k;
  }
  return 0;
}

}  // namespace tessera
