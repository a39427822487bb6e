// Antialiased bicubic resampling of a rectangle of an image: weights per output coordinate, then two passes.
#pragma once

#include <cstdint>
#include <vector>

#include "tessera/image.h"

namespace tessera {

// A rectangle in source pixels; edges may lie inside a pixel. Pixels outside it still count where the filter reaches
// them, as in PIL.Image.resize(box=...).
struct Box {
  double left = 0;
  double top = 0;
  double right = 0;
  double bottom = 0;
};

// `box` scaled to width x height. Throws kInvalidArgument for a size < 1 or a box that is not inside the image.
Image resample_bicubic(const Image& image, const Box& box, int width, int height);

// Weights of one axis in 16-bit fixed point: output i = sum over t < taps of weights[i * taps + t] * in[start[i] + t],
// divided by 2^precision and rounded. `taps` is a multiple of kTapBlock; the surplus weights are 0 and may lie past
// the end of the source.
struct AxisWeights {
  static constexpr int kTapBlock = 8;
  int taps = 0;
  int precision = 0;
  std::vector<int> start;
  std::vector<std::int16_t> weights;
};

// Weights that map [from, to) of `in_size` samples to `out_size` samples (PIL's Resample.c: support 2, widened by the
// reduction factor).
AxisWeights bicubic_weights(int in_size, double from, double to, int out_size);

// The two inner loops, one implementation per instruction set with equal results.
struct ResampleKernels {
  // One row of interleaved RGB. Reads up to kOverread bytes past the last tap of the last pixel.
  void (*horizontal)(const std::uint8_t* row, const AxisWeights& axis, std::uint8_t* out);
  // One output row of `bytes` samples from the rows first, first + stride, ...; `weights` holds `taps` of them, of
  // which those past `rows` are 0. Reads whole blocks of kRowBlock bytes of each row.
  void (*vertical)(const std::uint8_t* first, std::size_t stride, int rows, const std::int16_t* weights, int precision,
                   std::uint8_t* out, std::size_t bytes);

  static constexpr std::size_t kOverread = 16;
  static constexpr std::size_t kRowBlock = 64;
};

const ResampleKernels& portable_resample_kernels();
// Null where the processor or the compiler's target lacks it.
const ResampleKernels* avx2_resample_kernels();

}  // namespace tessera
