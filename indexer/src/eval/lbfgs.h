// Minimum of a smooth convex function of many variables.
#pragma once

#include <functional>
#include <span>
#include <vector>

namespace tessera::eval {

// The value at a place; writes the gradient there.
using Objective = std::function<double(std::span<const double> place, std::span<double> gradient)>;

// L-BFGS with ten remembered steps and backtracking (Nocedal and Wright, algorithms 7.4 and 3.1): ends when no
// component of the gradient exceeds `tolerance`, after `iterations`, or when no step goes down any more.
std::vector<double> minimise(const Objective& objective, std::vector<double> start, int iterations, double tolerance);

}  // namespace tessera::eval
