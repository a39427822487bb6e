// The direction of a sum of rows.
#include "analyse/row_scan.h"

#include <cmath>

namespace tessera {

std::vector<std::int16_t> direction_of(std::span<const std::int64_t> sum, std::size_t stride) {
  std::vector<std::int16_t> row(stride, 0);
  double norm = 0;
  for (const std::int64_t x : sum) norm += double(x) * double(x);
  if (norm == 0) return row;
  const double scale = VectorSet::kOne / std::sqrt(norm);
  for (std::size_t i = 0; i < sum.size(); ++i) row[i] = static_cast<std::int16_t>(std::lround(double(sum[i]) * scale));
  return row;
}

}  // namespace tessera
