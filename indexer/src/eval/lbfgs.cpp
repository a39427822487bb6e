// L-BFGS: the two-loop recursion over remembered steps, and a backtracking line search.
#include "eval/lbfgs.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <numeric>

namespace tessera::eval {
namespace {

constexpr std::size_t kRemembered = 10;
constexpr int kHalvings = 30;
constexpr double kSufficient = 1e-4;  // share of the expected decrease

using Vector = std::vector<double>;

double product(const Vector& a, const Vector& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

double largest(const Vector& vector) {
  double most = 0;
  for (const double value : vector) most = std::max(most, std::abs(value));
  return most;
}

void add_scaled(Vector& to, double factor, const Vector& from) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] += factor * from[i];
}

struct Step {
  Vector moved;   // of the place
  Vector turned;  // of the gradient
  double inverse = 0;
};

// Minus the gradient times the estimate of the inverse Hessian.
Vector descent(const Vector& gradient, const std::deque<Step>& steps) {
  Vector direction = gradient;
  std::vector<double> shares(steps.size());
  for (std::size_t i = steps.size(); i-- > 0;) {
    shares[i] = steps[i].inverse * product(steps[i].moved, direction);
    add_scaled(direction, -shares[i], steps[i].turned);
  }
  if (!steps.empty()) {
    const Step& last = steps.back();
    const double scale = product(last.moved, last.turned) / product(last.turned, last.turned);
    for (double& value : direction) value *= scale;
  }
  for (std::size_t i = 0; i < steps.size(); ++i) {
    add_scaled(direction, shares[i] - steps[i].inverse * product(steps[i].turned, direction), steps[i].moved);
  }
  for (double& value : direction) value = -value;
  return direction;
}

}  // namespace

std::vector<double> minimise(const Objective& objective, std::vector<double> start, int iterations, double tolerance) {
  Vector place = std::move(start);
  Vector gradient(place.size()), next(place.size()), next_gradient(place.size());
  double value = objective(place, gradient);
  std::deque<Step> steps;
  for (int i = 0; i < iterations && largest(gradient) > tolerance; ++i) {
    const Vector direction = descent(gradient, steps);
    const double slope = product(direction, gradient);
    if (!(slope < 0)) break;
    double length = steps.empty() ? std::min(1.0, 1 / std::sqrt(-slope)) : 1.0;
    bool lower = false;
    for (int h = 0; h < kHalvings && !lower; ++h, length /= 2) {
      next = place;
      add_scaled(next, length, direction);
      const double next_value = objective(next, next_gradient);
      lower = next_value <= value + kSufficient * length * slope;
      if (lower) value = next_value;
    }
    if (!lower) break;
    Step step{next, next_gradient, 0};
    add_scaled(step.moved, -1, place);
    add_scaled(step.turned, -1, gradient);
    const double curvature = product(step.moved, step.turned);
    if (curvature > 1e-12 * product(step.turned, step.turned)) {
      step.inverse = 1 / curvature;
      steps.push_back(std::move(step));
      if (steps.size() > kRemembered) steps.pop_front();
    }
    place.swap(next);
    gradient.swap(next_gradient);
  }
  return place;
}

}  // namespace tessera::eval
