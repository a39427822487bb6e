// Short vectors that bound similarities: principal directions by subspace iteration, and the choice of their number.
#include "analyse/prefix_bound.h"

#include <algorithm>
#include <cmath>

#include "analyse/row_scan.h"
#include "eval/random.h"

namespace tessera {
namespace {

constexpr std::size_t kLeastRows = 8'000;  // below, the full scan takes under a second
constexpr std::size_t kDirectionSample = 2'048;
constexpr std::size_t kMostDirections = 127;
constexpr int kPowerSteps = 6;
constexpr std::size_t kSampledPairs = 40'000;
constexpr double kRoundingOfShort = 1e-3;  // of a dot product of short vectors, at most

void orthonormalise(std::vector<std::vector<double>>& basis) {
  for (std::size_t i = 0; i < basis.size(); ++i) {
    for (int pass = 0; pass < 2; ++pass) {
      for (std::size_t j = 0; j < i; ++j) {
        double dot = 0;
        for (std::size_t d = 0; d < basis[i].size(); ++d) dot += basis[i][d] * basis[j][d];
        for (std::size_t d = 0; d < basis[i].size(); ++d) basis[i][d] -= dot * basis[j][d];
      }
      double norm = 0;
      for (const double x : basis[i]) norm += x * x;
      norm = std::sqrt(norm);
      for (double& x : basis[i]) x = norm > 1e-12 ? x / norm : 0;
    }
  }
}

// The leading directions, the one with the most length first: V <- orthonormalised C V, C = sum of x x' over a sample.
VectorSet leading_directions(const VectorSet& vectors, std::size_t count, int threads, const std::stop_token& stop) {
  const auto width = static_cast<std::size_t>(vectors.width());
  const std::vector<std::size_t> sample = even_sample(vectors.size(), kDirectionSample);
  eval::Random random(1);
  std::vector<std::vector<double>> basis(count, std::vector<double>(width));
  for (std::vector<double>& direction : basis) {
    for (double& x : direction) x = random.normal();
  }
  orthonormalise(basis);
  VectorSet directions(vectors.width());
  for (int step = 0; step < kPowerSteps; ++step) {
    parallel_for(count, threads, [&](std::size_t i, int) {
      stop_if_asked(stop);
      std::vector<double> next(width);
      for (const std::size_t row : sample) {
        const std::int16_t* x = vectors.row(row);
        double dot = 0;
        for (std::size_t d = 0; d < width; ++d) dot += basis[i][d] * x[d];
        for (std::size_t d = 0; d < width; ++d) next[d] += dot * x[d];
      }
      basis[i] = std::move(next);
    });
    orthonormalise(basis);
  }
  for (const std::vector<double>& direction : basis) {
    const std::vector<float> values(direction.begin(), direction.end());
    directions.add(values);
  }
  return directions;
}

// 1 + e for the first `count` directions.
double largest_eigenvalue(const VectorSet& directions, std::size_t count) {
  double largest = 0;
  std::vector<Dot> dots(count);
  for (std::size_t i = 0; i < count; ++i) {
    dot_kernels().dot_rows(directions.row(i), directions.row(0), directions.stride(), count, dots.data());
    double sum = 0;
    for (const Dot dot : dots) sum += std::abs(double(dot) / kDotOne);
    largest = std::max(largest, sum);
  }
  return largest;
}

class Projection {
 public:
  Projection(const VectorSet& vectors, const VectorSet& directions, std::size_t width)
      : vectors_(vectors),
        directions_(directions),
        width_(width),
        eigenvalue_(std::max(1.0, largest_eigenvalue(directions, width - 1))) {}

  void write(std::size_t row, std::int16_t* to) const {
    Dot dots[kMostDirections];
    Dot own = 0;
    dot_kernels().dot_rows(vectors_.row(row), directions_.row(0), directions_.stride(), width_ - 1, dots);
    dot_kernels().dot_rows(vectors_.row(row), vectors_.row(row), vectors_.stride(), 1, &own);
    double rest = eigenvalue_ * own / kDotOne;
    for (std::size_t d = 0; d + 1 < width_; ++d) {
      const double value = double(dots[d]) / kDotOne;
      rest -= value * value;
      to[d] = static_cast<std::int16_t>(std::lround(value * VectorSet::kOne));
    }
    to[width_ - 1] = static_cast<std::int16_t>(std::lround(std::sqrt(std::max(0.0, rest)) * VectorSet::kOne));
  }
  Dot least(double similarity) const {
    const double bound = similarity * (similarity > 0 ? eigenvalue_ : 1) - kRoundingOfShort;
    return static_cast<Dot>(std::floor(bound * kDotOne));
  }

 private:
  const VectorSet& vectors_;
  const VectorSet& directions_;
  std::size_t width_;
  double eigenvalue_;
};

// Share of a sample of pairs that the bound lets pass.
double passing(const VectorSet& vectors, const Projection& projection, std::size_t width, Dot least) {
  constexpr std::size_t kRows = 400;
  const std::vector<std::size_t> rows = even_sample(vectors.size(), kRows);
  std::vector<std::int16_t> values(rows.size() * width);
  for (std::size_t i = 0; i < rows.size(); ++i) projection.write(rows[i], values.data() + i * width);
  std::size_t passed = 0, pairs = 0;
  for (std::size_t i = 0; i < rows.size() && pairs < kSampledPairs; ++i) {
    for (std::size_t j = i + 1; j < rows.size(); ++j, ++pairs) {
      Dot dot = 0;
      for (std::size_t d = 0; d < width; ++d) dot += Dot(values[i * width + d]) * values[j * width + d];
      passed += dot >= least ? 1 : 0;
    }
  }
  return double(passed) / double(pairs);
}

}  // namespace

PrefixVectors make_prefix_vectors(const VectorSet& vectors, double least_similarity, int threads,
                                  const std::stop_token& stop) {
  PrefixVectors best;
  const auto full = static_cast<std::size_t>(vectors.width());
  if (vectors.size() < kLeastRows || full < 48) return best;
  const std::size_t most = std::min(kMostDirections, full / 2 - 1);
  const VectorSet directions = leading_directions(vectors, most, threads, stop);
  // Time for a pair, in products: the short one, and for those that pass the full one, which stands alone.
  double best_cost = double(full);
  for (std::size_t width = 32; width <= most + 1; width += 32) {
    const Projection projection(vectors, directions, width);
    const double share = passing(vectors, projection, width, projection.least(least_similarity));
    const double cost = double(width) + share * (4.0 * double(full) + 400);
    if (cost >= best_cost) continue;
    best_cost = cost;
    best.width = width;
  }
  if (best.width == 0) return best;
  const Projection projection(vectors, directions, best.width);
  best.least = projection.least(least_similarity);
  best.values.resize(vectors.size() * best.width);
  parallel_for((vectors.size() + kScanTile - 1) / kScanTile, threads, [&](std::size_t tile, int) {
    stop_if_asked(stop);
    for (std::size_t row = tile * kScanTile; row < std::min(vectors.size(), (tile + 1) * kScanTile); ++row) {
      projection.write(row, best.values.data() + row * best.width);
    }
  });
  return best;
}

}  // namespace tessera
