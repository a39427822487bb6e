// The bicubic filter of PIL (Pillow, src/libImaging/Resample.c) with 16-bit weights.
#include "image/resample.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "tessera/error.h"

namespace tessera {
namespace {

constexpr double kSupport = 2.0;

double bicubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
  if (x < 2.0) return (((x - 5.0) * x + 8.0) * x - 4.0) * a;
  return 0.0;
}

// The most fractional bits with which every weight, corrected by one unit per tap, still fits 16 bits. 22 keeps the
// 32-bit sums from overflowing: 255 * sum(|w|) < 2^9.
int choose_precision(double largest, int taps) {
  int precision = 22;
  while (precision > 1 && largest * std::ldexp(1.0, precision) + taps > INT16_MAX) --precision;
  return precision;
}

// Fixed point; the rounding error of the sum goes to the largest weight, so that flat areas keep their value.
void quantise(const double* weights, int count, int precision, std::int16_t* out) {
  int sum = 0;
  int largest = 0;
  for (int t = 0; t < count; ++t) {
    const int value = static_cast<int>(std::lround(std::ldexp(weights[t], precision)));
    out[t] = static_cast<std::int16_t>(value);
    sum += value;
    if (out[t] > out[largest]) largest = t;
  }
  out[largest] = static_cast<std::int16_t>(out[largest] + (1 << precision) - sum);
}

void horizontal_portable(const std::uint8_t* row, const AxisWeights& axis, std::uint8_t* out) {
  const int half = 1 << (axis.precision - 1);
  const int out_size = static_cast<int>(axis.start.size());
  for (int i = 0; i < out_size; ++i, out += 3) {
    const std::uint8_t* in = row + static_cast<std::size_t>(axis.start[i]) * 3;
    const std::int16_t* weights = axis.weights.data() + static_cast<std::size_t>(i) * axis.taps;
    int sum[3] = {half, half, half};
    for (int t = 0; t < axis.taps; ++t, in += 3) {
      for (int c = 0; c < 3; ++c) sum[c] += weights[t] * in[c];
    }
    for (int c = 0; c < 3; ++c) out[c] = static_cast<std::uint8_t>(std::clamp(sum[c] >> axis.precision, 0, 255));
  }
}

void vertical_portable(const std::uint8_t* first, std::size_t stride, int rows, const std::int16_t* weights,
                       int precision, std::uint8_t* out, std::size_t bytes) {
  constexpr std::size_t kBlock = ResampleKernels::kRowBlock;
  for (std::size_t x = 0; x < bytes; x += kBlock) {
    int sum[kBlock];
    std::fill_n(sum, kBlock, 1 << (precision - 1));
    for (int t = 0; t < rows; ++t) {
      const std::uint8_t* in = first + static_cast<std::size_t>(t) * stride + x;
      for (std::size_t i = 0; i < kBlock; ++i) sum[i] += weights[t] * in[i];
    }
    const std::size_t count = std::min(kBlock, bytes - x);
    for (std::size_t i = 0; i < count; ++i) {
      out[x + i] = static_cast<std::uint8_t>(std::clamp(sum[i] >> precision, 0, 255));
    }
  }
}

const ResampleKernels& best_kernels() {
  const ResampleKernels* avx2 = avx2_resample_kernels();
  return avx2 != nullptr ? *avx2 : portable_resample_kernels();
}

std::size_t round_up(std::size_t value, std::size_t multiple) { return (value + multiple - 1) / multiple * multiple; }

// Rows of a larger allocation, of which `readable` bytes may be read from `data` on.
struct Rows {
  const std::uint8_t* data;
  std::size_t stride;
  int count;
  std::size_t readable;
};

void horizontal_pass(const Rows& in, const AxisWeights& axis, std::uint8_t* out, std::size_t out_stride) {
  const ResampleKernels& kernels = best_kernels();
  const int last_start = *std::max_element(axis.start.begin(), axis.start.end());
  const std::size_t reach = (static_cast<std::size_t>(last_start) + axis.taps) * 3 + ResampleKernels::kOverread;
  std::vector<std::uint8_t> padded_row(std::max(reach, in.stride));
  for (int y = 0; y < in.count; ++y) {
    const std::size_t offset = static_cast<std::size_t>(y) * in.stride;
    const std::uint8_t* row = in.data + offset;
    if (offset + reach > in.readable) {
      std::memcpy(padded_row.data(), row, in.stride);
      row = padded_row.data();
    }
    kernels.horizontal(row, axis, out + static_cast<std::size_t>(y) * out_stride);
  }
}

// `first_row` is the source row that in.data holds first; `bytes` of each row are converted.
void vertical_pass(const Rows& in, std::size_t bytes, const AxisWeights& axis, int first_row, std::uint8_t* out,
                   std::size_t out_stride) {
  constexpr std::size_t kBlock = ResampleKernels::kRowBlock;
  const ResampleKernels& kernels = best_kernels();
  const bool padded = in.stride >= round_up(bytes, kBlock);
  const std::size_t direct = padded ? bytes : bytes / kBlock * kBlock;
  const std::size_t rest = bytes - direct;
  std::vector<std::uint8_t> last_columns(rest == 0 ? 0 : kBlock * in.count);
  for (int y = 0; rest != 0 && y < in.count; ++y) {
    std::memcpy(last_columns.data() + kBlock * y, in.data + static_cast<std::size_t>(y) * in.stride + direct, rest);
  }
  for (std::size_t y = 0; y < axis.start.size(); ++y, out += out_stride) {
    const int start = axis.start[y] - first_row;
    const int rows = std::min(axis.taps, in.count - start);
    const std::int16_t* weights = axis.weights.data() + y * axis.taps;
    const std::uint8_t* first = in.data + static_cast<std::size_t>(start) * in.stride;
    if (direct != 0) kernels.vertical(first, in.stride, rows, weights, axis.precision, out, direct);
    if (rest != 0) {
      kernels.vertical(last_columns.data() + kBlock * start, kBlock, rows, weights, axis.precision, out + direct, rest);
    }
  }
}

void check_arguments(const Image& image, const Box& box, int width, int height) {
  if (width < 1 || height < 1) {
    throw Error(ErrorCode::kInvalidArgument,
                "cannot resize to " + std::to_string(width) + " x " + std::to_string(height) + " pixels");
  }
  if (image.width < 1 || image.height < 1 || !(box.left >= 0) || !(box.top >= 0) || !(box.right <= image.width) ||
      !(box.bottom <= image.height) || !(box.left < box.right) || !(box.top < box.bottom)) {
    throw Error(ErrorCode::kInvalidArgument, "the area to resize is empty or not inside the image");
  }
}

}  // namespace

AxisWeights bicubic_weights(int in_size, double from, double to, int out_size) {
  const double scale = (to - from) / out_size;
  const double filter_scale = std::max(scale, 1.0);
  const double support = kSupport * filter_scale;
  const int max_taps = static_cast<int>(std::ceil(support)) * 2 + 1;
  AxisWeights axis;
  axis.taps = (max_taps + AxisWeights::kTapBlock - 1) / AxisWeights::kTapBlock * AxisWeights::kTapBlock;
  axis.start.resize(static_cast<std::size_t>(out_size));
  axis.weights.assign(static_cast<std::size_t>(out_size) * axis.taps, 0);

  // First pass: the largest weight fixes the precision.
  std::vector<double> weights(static_cast<std::size_t>(max_taps));
  const auto compute = [&](int i, int& start) {
    const double center = from + (i + 0.5) * scale;
    start = std::max(static_cast<int>(center - support + 0.5), 0);
    const int end = std::min(static_cast<int>(center + support + 0.5), in_size);
    double sum = 0;
    for (int t = 0; t < end - start; ++t) {
      weights[t] = bicubic((t + start - center + 0.5) / filter_scale);
      sum += weights[t];
    }
    for (int t = 0; t < end - start; ++t) weights[t] /= sum;
    return end - start;
  };
  double largest = 0;
  for (int i = 0; i < out_size; ++i) {
    int start = 0;
    const int count = compute(i, start);
    for (int t = 0; t < count; ++t) largest = std::max(largest, std::abs(weights[t]));
  }
  axis.precision = choose_precision(largest, max_taps);
  for (int i = 0; i < out_size; ++i) {
    const int count = compute(i, axis.start[i]);
    quantise(weights.data(), count, axis.precision, axis.weights.data() + static_cast<std::size_t>(i) * axis.taps);
  }
  return axis;
}

const ResampleKernels& portable_resample_kernels() {
  static constexpr ResampleKernels kKernels{horizontal_portable, vertical_portable};
  return kKernels;
}

Image resample_bicubic(const Image& image, const Box& box, int width, int height) {
  check_arguments(image, box, width, height);
  if (width == image.width && height == image.height && box.left == 0 && box.top == 0 && box.right == image.width &&
      box.bottom == image.height) {
    return image;
  }
  const AxisWeights horizontal = bicubic_weights(image.width, box.left, box.right, width);
  const AxisWeights vertical = bicubic_weights(image.height, box.top, box.bottom, height);
  const std::size_t in_stride = static_cast<std::size_t>(image.width) * 3;
  const std::size_t out_stride = static_cast<std::size_t>(width) * 3;
  Image out{width, height, std::vector<std::uint8_t>(out_stride * height)};

  // PIL's rule (since Pillow 13): columns first if that leaves much less to do. The order shows where an intermediate
  // value was clipped to 0..255.
  const std::int64_t rows_saved = std::int64_t{image.height} - height;
  const std::int64_t columns_saved = std::int64_t{image.width} - width;
  if (rows_saved > 0 && rows_saved > 2 * columns_saved) {
    std::vector<std::uint8_t> low(in_stride * height);
    vertical_pass({image.rgb.data(), in_stride, image.height, image.rgb.size()}, in_stride, vertical, 0, low.data(),
                  in_stride);
    horizontal_pass({low.data(), in_stride, height, low.size()}, horizontal, out.rgb.data(), out_stride);
    return out;
  }
  // Only the rows that the vertical pass will read.
  const int first_row = vertical.start.front();
  const int row_count = std::min(vertical.start.back() + vertical.taps, image.height) - first_row;
  const std::size_t offset = static_cast<std::size_t>(first_row) * in_stride;
  const std::size_t stride = round_up(out_stride, ResampleKernels::kRowBlock);
  std::vector<std::uint8_t> narrow(stride * row_count);
  horizontal_pass({image.rgb.data() + offset, in_stride, row_count, image.rgb.size() - offset}, horizontal,
                  narrow.data(), stride);
  vertical_pass({narrow.data(), stride, row_count, narrow.size()}, out_stride, vertical, first_row, out.rgb.data(),
                out_stride);
  return out;
}

}  // namespace tessera
