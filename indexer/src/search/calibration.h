// How unusual a similarity is: the scores of unrelated pictures with a query, and the cut they give. docs/SEARCH.md has
// the reasons and what was measured.
//
// Scores are compared on Fisher's scale t = atanh(score), on which a score near 1 is far away. With m the median and u
// the upper quartile of the query's scores with a sample of n pictures, the share of unrelated pictures at t or above
// is taken to be an exponential tail, which is heavier than a normal one: (1/2) 2^(-(t - m) / (u - m)) if u - m were
// known. As n scores know it to a relative variance v of about 4/n, it is
//   p(t) = (1/2) (1 + v x)^(-1/v),  x = (t - m) / s, s = (u - m) / (about ln 2)   for t >= m
// as Student's t does it for a normal distribution, and min(1, (1/2) e^-x) below m.
#pragma once

#include <cstddef>
#include <span>

namespace tessera {

inline constexpr int kBackgroundSample = 512;  // pictures of the sample at most
inline constexpr int kLeastBackground = 50;    // with fewer nothing is said

class Background {
 public:
  // Scores of the sample, in any order; at least kLeastBackground.
  explicit Background(std::span<const float> scores);
  // The share of unrelated pictures that are at least this similar, p(atanh(score)).
  double share(double score) const noexcept;

 private:
  double median_;
  double scale_;
  double doubt_;  // relative variance of the scale
};

// The longest beginning of a list, best first, of which at most the share 1 - precision is expected to be there by
// chance: the largest k with by_chance[k - 1] <= (1 - precision) k, or 0 (Benjamini and Hochberg 1995).
std::size_t cut_length(std::span<const double> by_chance, double precision) noexcept;

}  // namespace tessera
