// Linear probes: what a linear classifier, trained on some pictures, reads off the vectors of others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tessera/indexer/eval_measures.h"

namespace tessera::eval {

struct ProbeOptions {
  double penalty = 1e-3;   // L2, on features of standard deviation 1, beside the mean loss of a row
  int iterations = 200;    // of L-BFGS at most
  std::uint64_t seed = 1;  // of samples and intervals
  int threads = 0;
};

// Vectors with a class each.
struct ProbeRows {
  int width = 0;
  std::vector<float> values;  // [rows, width]
  std::vector<int> classes;

  std::size_t rows() const { return classes.size(); }
};

// Multinomial logistic regression over standardised features: the convex loss is brought to its minimum by L-BFGS from
// zero, with BLAS. The same rows give the same bits on the same machine, with any number of threads.
class LinearClassifier {
 public:
  // Classes are 0 .. classes - 1. Throws kInvalidArgument without rows, for other classes and for values that are not
  // finite.
  LinearClassifier(ProbeRows rows, int classes, const ProbeOptions& options);

  int predict(std::span<const float> vector) const;  // the smaller number wins a tie

 private:
  int width_ = 0;
  int classes_ = 0;
  std::vector<float> weights_;  // [width, classes]; of the vectors as they come
  std::vector<float> bias_;     // [classes]
};

struct ProbeSplit {
  std::vector<std::size_t> training;  // numbers, ascending
  std::vector<std::size_t> test;
};
// A seeded split of numbered pictures: of each stratum `share` to train on, rounded, at least one on either side where
// it has two groups. Pictures of one group (texts that are equal and not empty) stay together, in the stratum of the
// first of them.
ProbeSplit probe_split(std::span<const int> strata, std::span<const std::string> groups, double share,
                       std::uint64_t seed);

// "accuracy" of each descriptor on labels, and of the most frequent label ("majority"). With a gallery that is trained
// on; without one `split` holds rows of the queries. Throws kUnsupported if one side is empty or there is one label.
Measured probe_labels(const Sides& sides, const ProbeSplit& split, const ProbeOptions& options);

}  // namespace tessera::eval
