// Grey values as a field that can be read between pixels, and correlation of such values.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace tessera {

struct GreyField {
  int width = 0;
  int height = 0;
  std::vector<float> values;

  // Bilinear at pixel coordinates (centres at whole numbers); values at the edge continue.
  float at(float x, float y) const noexcept {
    x = std::clamp(x, 0.0f, float(width - 1));
    y = std::clamp(y, 0.0f, float(height - 1));
    const int left = std::min(static_cast<int>(x), width - 2);
    const int top = std::min(static_cast<int>(y), height - 2);
    const float fx = x - float(left);
    const float fy = y - float(top);
    const float* row = values.data() + std::size_t(top) * std::size_t(width) + std::size_t(left);
    const float above = row[0] + fx * (row[1] - row[0]);
    const float below = row[width] + fx * (row[width + 1] - row[width]);
    return above + fy * (below - above);
  }
};

// Mean of the boxes that each pixel of the smaller field covers.
inline GreyField shrunk(const GreyField& field, int width, int height) {
  GreyField small{width, height, std::vector<float>(std::size_t(width) * std::size_t(height))};
  for (int y = 0; y < height; ++y) {
    const int y0 = y * field.height / height;
    const int y1 = std::max(y0 + 1, (y + 1) * field.height / height);
    for (int x = 0; x < width; ++x) {
      const int x0 = x * field.width / width;
      const int x1 = std::max(x0 + 1, (x + 1) * field.width / width);
      float sum = 0;
      for (int row = y0; row < y1; ++row) {
        for (int column = x0; column < x1; ++column) {
          sum += field.values[std::size_t(row) * std::size_t(field.width) + std::size_t(column)];
        }
      }
      small.values[std::size_t(y) * std::size_t(width) + std::size_t(x)] = sum / float((y1 - y0) * (x1 - x0));
    }
  }
  return small;
}

// Sums from which the correlation of two series follows.
struct CorrelationSums {
  double n = 0, a = 0, b = 0, aa = 0, bb = 0, ab = 0;

  void add(float x, float y) noexcept {
    n += 1;
    a += double(x);
    b += double(y);
    aa += double(x) * double(x);
    bb += double(y) * double(y);
    ab += double(x) * double(y);
  }
  void add(const CorrelationSums& other) noexcept {
    n += other.n;
    a += other.a;
    b += other.b;
    aa += other.aa;
    bb += other.bb;
    ab += other.ab;
  }
  // Of fields with a standard deviation below `flat` grey levels nothing can be said: 0.
  float correlation(double flat) const noexcept {
    if (n < 2) return 0;
    const double va = aa / n - a / n * (a / n);
    const double vb = bb / n - b / n * (b / n);
    if (va < flat * flat || vb < flat * flat) return 0;
    return static_cast<float>((ab / n - a / n * (b / n)) / std::sqrt(va * vb));
  }
};

}  // namespace tessera
