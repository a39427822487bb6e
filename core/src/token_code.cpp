// int8 codes of tokens on the processor.
#include "tessera/token_code.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tessera {

float code_token(std::span<const float> vector, std::span<std::int8_t> codes) noexcept {
  float largest = 0;
  bool finite = true;
  for (const float x : vector) {
    largest = std::max(largest, std::fabs(x));
    finite = finite && std::isfinite(x);
  }
  if (!finite || !(largest > kLeastMagnitude)) {
    std::fill(codes.begin(), codes.end(), std::int8_t{0});
    return finite ? 0.0f : std::numeric_limits<float>::quiet_NaN();
  }
  const double factor = 127.0 / double{largest};
  std::int64_t squares = 0;
  for (std::size_t i = 0; i < vector.size(); ++i) {
    const int code = static_cast<int>(std::nearbyint(double{vector[i]} * factor));
    codes[i] = static_cast<std::int8_t>(code);
    squares += code * code;
  }
  return static_cast<float>(1.0 / std::sqrt(static_cast<double>(squares)));
}

CodedBatch code_tokens(std::span<const float> tokens, int batch, int count, int width) {
  const auto n = static_cast<std::size_t>(count), d = static_cast<std::size_t>(width);
  const std::size_t rows = static_cast<std::size_t>(batch) * n;
  CodedBatch result;
  result.batch = batch;
  result.token_count = count;
  result.width = width;
  result.codes.resize(rows * d);
  result.scales.resize(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    const auto token = tokens.subspan(row * d, d);
    result.scales[row] = code_token(token, std::span(result.codes).subspan(row * d, d));
    if (row % n == 0) result.first.insert(result.first.end(), token.begin(), token.end());
  }
  return result;
}

}  // namespace tessera
