// Multinomial logistic regression over standardised features.
#include <algorithm>
#include <cmath>

#include "eval/lbfgs.h"
#include "search/blas_on_demand.h"
#include "search/parallel.h"
#include "tessera/error.h"
#include "tessera/indexer/eval_probe.h"

namespace tessera::eval {
namespace {

constexpr std::size_t kPieceRows = 1024;  // summed up in float32
constexpr double kTolerance = 1e-4;

// out = bias + vector * weights; weights [width, classes].
void scores(std::span<const float> vector, const float* weights, const float* bias, std::span<float> out) {
  std::copy(bias, bias + out.size(), out.begin());
  for (const float x : vector) {
    for (std::size_t k = 0; k < out.size(); ++k) out[k] += x * weights[k];
    weights += out.size();
  }
}

struct Scaling {
  std::vector<double> mean, inverse;  // of the standard deviation; 0 for a feature that is always the same
};

Scaling standardise(ProbeRows& rows) {
  const auto width = static_cast<std::size_t>(rows.width);
  const auto count = double(rows.rows());
  Scaling scaling{std::vector<double>(width), std::vector<double>(width)};
  for (std::size_t i = 0; i < rows.values.size(); ++i) scaling.mean[i % width] += double(rows.values[i]);
  for (double& mean : scaling.mean) mean /= count;
  for (std::size_t i = 0; i < rows.values.size(); ++i) {
    const double away = double(rows.values[i]) - scaling.mean[i % width];
    scaling.inverse[i % width] += away * away;
  }
  for (std::size_t d = 0; d < width; ++d) {
    const double deviation = std::sqrt(scaling.inverse[d] / count);
    if (!std::isfinite(deviation)) throw Error(ErrorCode::kInvalidArgument, "a feature is not finite");
    // Below this a deviation is rounding.
    scaling.inverse[d] = deviation > 1e-6 * std::abs(scaling.mean[d]) + 1e-12 ? 1 / deviation : 0;
  }
  for (std::size_t i = 0; i < rows.values.size(); ++i) {
    const std::size_t d = i % width;
    rows.values[i] = static_cast<float>((double(rows.values[i]) - scaling.mean[d]) * scaling.inverse[d]);
  }
  return scaling;
}

// Mean cross-entropy plus the penalty; variables are weights [width, classes] and then the bias [classes].
class Loss {
 public:
  Loss(const ProbeRows& rows, std::size_t classes, const ProbeOptions& options)
      : rows_(rows),
        classes_(classes),
        penalty_(options.penalty),
        threads_(options.threads > 0 ? options.threads : usable_threads()) {}

  double operator()(std::span<const double> place, std::span<double> gradient) const {
    const std::vector<float> variables(place.begin(), place.end());
    std::vector<Sum> sums((rows_.rows() + kPieceRows - 1) / kPieceRows);
    parallel_for(sums.size(), threads_, [&](std::size_t piece, int) { sums[piece] = piece_sum(piece, variables); });
    double value = 0;
    std::fill(gradient.begin(), gradient.end(), 0.0);
    for (const Sum& sum : sums) {
      value += sum.loss;
      for (std::size_t i = 0; i < gradient.size(); ++i) gradient[i] += double(sum.gradient[i]);
    }
    const auto count = double(rows_.rows());
    value /= count;
    const std::size_t weights = place.size() - classes_;  // the bias is free
    for (std::size_t i = 0; i < place.size(); ++i) {
      gradient[i] /= count;
      if (i >= weights) continue;
      gradient[i] += penalty_ * place[i];
      value += penalty_ / 2 * place[i] * place[i];
    }
    return value;
  }

 private:
  struct Sum {
    double loss = 0;
    std::vector<float> gradient;
  };

  Sum piece_sum(std::size_t piece, const std::vector<float>& variables) const {
    const auto width = static_cast<std::size_t>(rows_.width);
    const std::size_t first = piece * kPieceRows, count = std::min(kPieceRows, rows_.rows() - first);
    const float* vectors = rows_.values.data() + first * width;
    const float* bias = variables.data() + width * classes_;
    Sum sum{0, std::vector<float>(variables.size())};
    std::vector<float> chances(count * classes_);
    multiply(Transposed::kNo, count, classes_, width, vectors, variables.data(), chances.data());
    for (std::size_t r = 0; r < count; ++r) {
      const auto row = std::span(chances).subspan(r * classes_, classes_);
      sum.loss += to_difference(row, bias, rows_.classes[first + r]);
      for (std::size_t k = 0; k < classes_; ++k) sum.gradient[width * classes_ + k] += row[k];
    }
    multiply(Transposed::kYes, width, classes_, count, vectors, chances.data(), sum.gradient.data());
    return sum;
  }

  // A row of scores without bias becomes chances less the truth; gives the loss.
  static double to_difference(std::span<float> row, const float* bias, int truth) {
    for (std::size_t k = 0; k < row.size(); ++k) row[k] += bias[k];
    const float most = *std::max_element(row.begin(), row.end());
    double total = 0;
    for (float& value : row) {
      value = std::exp(value - most);
      total += double(value);
    }
    for (float& value : row) value = static_cast<float>(double(value) / total);
    float& own = row[static_cast<std::size_t>(truth)];
    const double loss = -std::log(std::max(double(own), 1e-30));
    own -= 1;
    return loss;
  }

  const ProbeRows& rows_;
  std::size_t classes_;
  double penalty_;
  int threads_;
};

}  // namespace

LinearClassifier::LinearClassifier(ProbeRows rows, int classes, const ProbeOptions& options)
    : width_(rows.width), classes_(classes) {
  const auto width = static_cast<std::size_t>(width_), count = static_cast<std::size_t>(std::max(classes, 0));
  const bool known = std::all_of(rows.classes.begin(), rows.classes.end(),
                                 [classes](int each) { return each >= 0 && each < classes; });
  if (rows.rows() == 0 || width_ < 1 || rows.values.size() != rows.rows() * width || !known) {
    throw Error(ErrorCode::kInvalidArgument, "a classifier needs rows of one width, each with a class that there is");
  }
  const Scaling scaling = standardise(rows);
  const std::vector<double> found =
      minimise(Loss(rows, count, options), std::vector<double>((width + 1) * count), options.iterations, kTolerance);
  // For vectors as they come: w' = w / deviation, bias' = bias - sum of w' mean.
  std::vector<double> bias(found.end() - std::ptrdiff_t(count), found.end());
  for (std::size_t d = 0; d < width; ++d) {
    for (std::size_t k = 0; k < count; ++k) {
      const double weight = found[d * count + k] * scaling.inverse[d];
      weights_.push_back(static_cast<float>(weight));
      bias[k] -= weight * scaling.mean[d];
    }
  }
  bias_.assign(bias.begin(), bias.end());
}

int LinearClassifier::predict(std::span<const float> vector) const {
  if (vector.size() != static_cast<std::size_t>(width_)) {
    throw Error(ErrorCode::kInvalidArgument, "the vector has another width than those trained on");
  }
  std::vector<float> all(static_cast<std::size_t>(classes_));
  scores(vector, weights_.data(), bias_.data(), all);
  return static_cast<int>(std::max_element(all.begin(), all.end()) - all.begin());
}

}  // namespace tessera::eval
