// Short vectors whose dot product is an upper bound of the full one.
//
// With P the first m - 1 principal directions as rows (rounded, so only nearly orthonormal) and 1 + e >= the largest
// eigenvalue of P P' (Gershgorin), M = (1 + e) I - P'P is positive semidefinite, and by Cauchy and Schwarz
//   (1 + e) <a, b>  =  <Pa, Pb> + a'Mb  <=  <Pa, Pb> + r(a) r(b),   r(a)^2 = a'Ma = (1 + e) |a|^2 - |Pa|^2.
// So the vectors (Pa, r(a)) of width m bound the similarity from above; where the leading directions hold most of the
// length, closely.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <vector>

#include "analyse/dot16.h"

namespace tessera {

struct PrefixVectors {
  std::size_t width = 0;             // m, even
  std::vector<std::int16_t> values;  // [rows, width]
  Dot least = 0;                     // a pair whose short dot product is below this is below the similarity asked for
};

// The width is the one that the scan of all pairs is estimated to be fastest with; no values if that is the full one.
PrefixVectors make_prefix_vectors(const VectorSet& vectors, double least_similarity, int threads,
                                  const std::stop_token& stop);

}  // namespace tessera
