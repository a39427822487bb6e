// The result of an evaluation: one table, the settings that produced it, and the pictures that could not be read.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace tessera::eval {

// A figure with its 95 % interval.
struct Interval {
  double mean = 0;
  double low = 0;
  double high = 0;
};

// Empty, a count, a figure, a figure with its interval, or a text.
using Cell = std::variant<std::monostate, std::int64_t, double, Interval, std::string>;

struct Column {
  std::string name;  // also the key in JSON, e.g. "P@5"
  int decimals = 1;  // of figures in the table for people
};

// Figures that are shares are per cent. Everything in it is the same for the same input, times excepted, which only
// `eval recall` reports.
struct Report {
  std::string measure;                                 // "knn", "map", ...
  std::vector<std::pair<std::string, Cell>> settings;  // in order: data and model hashes, sizes, options, seed
  std::vector<Column> columns;
  std::vector<std::vector<Cell>> rows;  // as wide as columns
  std::vector<std::string> failures;    // a sentence for each picture that could not be read
};

// The mean and its percentile bootstrap interval, seeded; equal seeds draw equal resamples.
Interval bootstrap_mean(std::span<const double> values, std::uint64_t seed, int resamples = 2000);

}  // namespace tessera::eval
