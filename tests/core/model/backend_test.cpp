// Every backend operation against plain double-precision arithmetic: odd sizes, one token, all head sizes, f32 and
// bf16.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "backend_variants.h"
#include "model/float_convert.h"
#include "model_test_support.h"
#include "tessera/error.h"
#include "tessera/token_code.h"

namespace tessera {
namespace {

// Largest error allowed, relative to the largest expected magnitude (bf16 keeps 8 bits, f16 11).
double tolerance(DType type) { return type == DType::kF32 ? 2e-6 : type == DType::kBF16 ? 6e-3 : 8e-4; }

class BackendTest : public testing::TestWithParam<test::BackendVariant> {
 protected:
  BackendTest() : owned_(GetParam().make()), backend_(*owned_), type_(backend_.activation_type()) {}

  std::vector<float> random(std::size_t count, float scale = 1.0f) {
    std::normal_distribution<float> normal(0.0f, scale);
    std::vector<float> values(count);
    for (float& value : values) value = normal(generator_);
    return values;
  }
  // What the backend sees after storing in the activation type.
  std::vector<float> stored(std::vector<float> values) const {
    for (float& value : values) {
      if (type_ == DType::kBF16) value = bf16_to_float(float_to_bf16(value));
      if (type_ == DType::kF16) value = f16_to_float(float_to_f16(value));
    }
    return values;
  }
  Buffer upload(const std::vector<float>& values, DType type) {
    Buffer buffer(backend_, values.size(), type);
    backend_.upload(buffer.tensor(), values);
    return buffer;
  }
  std::vector<float> download(const Buffer& buffer) {
    std::vector<float> values(buffer.elements());
    backend_.download(buffer.tensor(), values);
    return values;
  }
  NormWeights norm(const std::vector<float>& weight, const std::vector<float>& bias, float eps) {
    NormWeights result;
    result.weight = upload(weight, DType::kF32);
    result.bias = upload(bias, DType::kF32);
    result.eps = eps;
    return result;
  }

  void expect_near(const std::vector<float>& actual, const std::vector<double>& expected, double limit,
                   const std::string& what) const {
    ASSERT_EQ(actual.size(), expected.size()) << what;
    double scale = 1.0, worst = 0.0;
    for (const double value : expected) scale = std::max(scale, std::abs(value));
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const double difference = std::abs(actual[i] - expected[i]);
      worst = difference <= worst ? worst : difference;
    }
    EXPECT_LE(worst, limit * scale) << what;
  }

  std::mt19937 generator_{7};
  std::unique_ptr<Backend> owned_;
  Backend& backend_;
  DType type_;
};

double gelu(double x) { return 0.5 * x * (1.0 + std::erf(x / std::sqrt(2.0))); }

std::vector<double> reference_norm(const float* in, const std::vector<float>& weight, const std::vector<float>& bias,
                                   double eps) {
  const std::size_t width = weight.size();
  double mean = 0, variance = 0;
  for (std::size_t i = 0; i < width; ++i) mean += in[i] / static_cast<double>(width);
  for (std::size_t i = 0; i < width; ++i) variance += (in[i] - mean) * (in[i] - mean) / static_cast<double>(width);
  std::vector<double> out;
  for (std::size_t i = 0; i < width; ++i) {
    out.push_back((in[i] - mean) / std::sqrt(variance + eps) * weight[i] + bias[i]);
  }
  return out;
}

TEST_P(BackendTest, Linear) {
  struct Case {
    int rows, in, out;
    bool bias, gelu, accumulate, scale;
  };
  const Case cases[] = {{1, 16, 16, true, false, false, false},    {3, 7, 5, false, false, false, false},
                        {33, 192, 576, true, false, false, false}, {70, 192, 768, true, true, false, false},
                        {266, 64, 100, true, false, true, false},  {5, 129, 31, true, true, false, true},
                        {17, 48, 48, true, false, true, true},     {0, 8, 8, true, false, false, false}};
  for (const Case& c : cases) {
    const std::string what = std::to_string(c.rows) + "x" + std::to_string(c.in) + "x" + std::to_string(c.out);
    const auto rows = static_cast<std::size_t>(c.rows), in = static_cast<std::size_t>(c.in),
               out = static_cast<std::size_t>(c.out);
    const std::vector<float> x = stored(random(rows * in));
    const std::vector<float> w = random(out * in, 1.0f / std::sqrt(static_cast<float>(in)));
    const std::vector<float> bias = c.bias ? random(out) : std::vector<float>{};
    const std::vector<float> scale = c.scale ? random(out) : std::vector<float>{};
    const std::vector<float> before = random(rows * out);
    std::vector<float> seen_w = w;
    for (std::size_t i = 0; i < seen_w.size() && c.scale; ++i) seen_w[i] *= scale[i / in];
    seen_w = stored(seen_w);
    std::vector<double> expected;
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t o = 0; o < out; ++o) {
        double sum = c.bias ? bias[o] : 0.0;
        for (std::size_t i = 0; i < in; ++i) sum += double{x[r * in + i]} * seen_w[o * in + i];
        if (c.gelu) sum = gelu(sum);
        expected.push_back(c.accumulate ? sum + before[r * out + o] : sum);
      }
    }
    const TensorView view{TensorType::kF32, {c.out, c.in}, std::as_bytes(std::span(w))};
    const auto weights = backend_.pack_linear(view, bias, scale);
    const Buffer input = upload(x, type_);
    const Buffer output = upload(before, c.accumulate ? DType::kF32 : type_);
    backend_.linear(*weights, input.tensor(), c.rows, {.gelu = c.gelu, .accumulate = c.accumulate}, output.tensor());
    expect_near(download(output), expected, tolerance(type_), what);
  }
}

TEST_P(BackendTest, LinearFromHalfPrecisionWeights) {
  const std::vector<float> w = random(24 * 40, 0.2f), x = stored(random(3 * 40));
  for (const TensorType stored_type : {TensorType::kF16, TensorType::kBF16}) {
    std::vector<std::uint16_t> bits;
    std::vector<double> expected;
    for (const float value : w)
      bits.push_back(stored_type == TensorType::kF16 ? float_to_f16(value) : float_to_bf16(value));
    const TensorView view{stored_type, {24, 40}, std::as_bytes(std::span(bits))};
    const std::vector<float> seen = stored(to_float(view));
    for (std::size_t r = 0; r < 3; ++r) {
      for (std::size_t o = 0; o < 24; ++o) {
        double sum = 0;
        for (std::size_t i = 0; i < 40; ++i) sum += double{x[r * 40 + i]} * seen[o * 40 + i];
        expected.push_back(sum);
      }
    }
    const auto weights = backend_.pack_linear(view, {}, {});
    const Buffer input = upload(x, type_);
    const Buffer output(backend_, 3 * 24, DType::kF32);
    backend_.linear(*weights, input.tensor(), 3, {}, output.tensor());
    expect_near(download(output), expected, 2e-6, tensor_type_name(stored_type));
  }
}

TEST_P(BackendTest, GeluOverItsWholeRange) {
  // An identity product leaves the GELU alone; f32 must be exact to 5e-7 of the erf form everywhere.
  std::vector<float> x;
  for (int i = -6400; i < 6400; ++i) x.push_back(static_cast<float>(i) / 640.0f);
  const std::vector<float> one = {1.0f};
  const TensorView view{TensorType::kF32, {1, 1}, std::as_bytes(std::span(one))};
  const auto weights = backend_.pack_linear(view, {}, {});
  x = stored(x);
  const Buffer input = upload(x, type_), output(backend_, x.size(), type_);
  backend_.linear(*weights, input.tensor(), static_cast<std::int64_t>(x.size()), {.gelu = true}, output.tensor());
  const std::vector<float> actual = download(output);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double limit = type_ == DType::kF32 ? 5e-7 + 3e-7 * std::abs(x[i])
                                              : 2e-6 + (type_ == DType::kBF16 ? 0.004 : 0.0005) * std::abs(gelu(x[i]));
    ASSERT_NEAR(actual[i], gelu(x[i]), limit) << x[i];
  }
}

TEST_P(BackendTest, LayerNorm) {
  for (const int width : {1, 8, 15, 16, 80, 129, 192, 1280}) {
    for (const float scale : {1.0f, 1e-3f}) {  // small values: eps matters
      const auto w = static_cast<std::size_t>(width);
      const std::vector<float> x = random(5 * w, scale), weight = random(w), bias = random(w);
      const float eps = 1e-5f;
      std::vector<double> expected;
      for (std::size_t row = 0; row < 5; ++row) {
        for (const double value : reference_norm(x.data() + row * w, weight, bias, eps)) expected.push_back(value);
      }
      const NormWeights weights = norm(weight, bias, eps);
      const Buffer input = upload(x, DType::kF32), output(backend_, x.size(), type_);
      backend_.layer_norm(weights, input.tensor(), 5, width, output.tensor());
      expect_near(download(output), expected, tolerance(type_), "width " + std::to_string(width));
      backend_.layer_norm(weights, input.tensor(), 5, width, input.tensor());  // in place
      expect_near(download(input), expected, tolerance(DType::kF32), "in place, width " + std::to_string(width));
    }
  }
}

TEST_P(BackendTest, QkNormLeavesValuesAlone) {
  constexpr int kRows = 3, kHeads = 2, kDim = 20;
  const std::vector<float> x = stored(random(kRows * 3 * kHeads * kDim));
  const std::vector<float> qw = random(kDim), qb = random(kDim), kw = random(kDim), kb = random(kDim);
  std::vector<double> expected;
  for (std::size_t part = 0; part < kRows * 3 * kHeads; ++part) {
    const float* head = x.data() + part * kDim;
    const std::size_t kind = part / kHeads % 3;
    if (kind == 2) {
      expected.insert(expected.end(), head, head + kDim);
    } else {
      for (const double value : reference_norm(head, kind == 0 ? qw : kw, kind == 0 ? qb : kb, 1e-6)) {
        expected.push_back(value);
      }
    }
  }
  const Buffer qkv = upload(x, type_);
  backend_.qk_norm(norm(qw, qb, 1e-6f), norm(kw, kb, 1e-6f), qkv.tensor(), kRows, kHeads, kDim);
  expect_near(download(qkv), expected, tolerance(type_), "qk_norm");
}

std::vector<double> reference_attention(const std::vector<float>& qkv, int batch, int tokens, int heads, int dim) {
  const auto T = static_cast<std::size_t>(tokens), H = static_cast<std::size_t>(heads),
             D = static_cast<std::size_t>(dim);
  std::vector<double> out(static_cast<std::size_t>(batch) * T * H * D);
  const auto at = [&](std::size_t b, std::size_t t, std::size_t part, std::size_t h, std::size_t d) {
    return double{qkv[(((b * T + t) * 3 + part) * H + h) * D + d]};
  };
  for (std::size_t b = 0; b < static_cast<std::size_t>(batch); ++b) {
    for (std::size_t h = 0; h < H; ++h) {
      for (std::size_t i = 0; i < T; ++i) {
        std::vector<double> p(T);
        double best = -INFINITY, sum = 0;
        for (std::size_t j = 0; j < T; ++j) {
          for (std::size_t d = 0; d < D; ++d) p[j] += at(b, i, 0, h, d) * at(b, j, 1, h, d) / std::sqrt(double(dim));
          best = std::max(best, p[j]);
        }
        for (double& value : p) sum += value = std::exp(value - best);
        for (std::size_t d = 0; d < D; ++d) {
          double value = 0;
          for (std::size_t j = 0; j < T; ++j) value += p[j] / sum * at(b, j, 2, h, d);
          out[((b * T + i) * H + h) * D + d] = value;
        }
      }
    }
  }
  return out;
}

TEST_P(BackendTest, Attention) {
  struct Case {
    int batch, tokens, heads, dim;
    float scale;  // of q and k: 4 makes the softmax sharp
  };
  const Case cases[] = {{1, 1, 1, 8, 1},    {3, 1, 2, 64, 1},   {1, 2, 3, 80, 1},    {1, 17, 2, 8, 4},
                        {3, 31, 2, 64, 1},  {1, 74, 3, 80, 2},  {1, 129, 2, 160, 1}, {1, 266, 2, 80, 4},
                        {3, 45, 1, 160, 4}, {1, 300, 1, 64, 4}, {1, 40, 5, 20, 1},   {1, 33, 2, 13, 1},
                        {1, 1, 1, 128, 1},  {3, 67, 2, 128, 2}, {1, 193, 1, 128, 4}, {1, 65, 1, 120, 2}};
  for (const Case& c : cases) {
    const std::string what = "B" + std::to_string(c.batch) + " T" + std::to_string(c.tokens) + " H" +
                             std::to_string(c.heads) + " D" + std::to_string(c.dim);
    const auto count = static_cast<std::size_t>(c.batch * c.tokens * 3 * c.heads * c.dim);
    const std::vector<float> qkv = stored(random(count, std::sqrt(c.scale)));
    const Buffer input = upload(qkv, type_), output(backend_, count / 3, type_);
    backend_.attention(input.tensor(), c.batch, c.tokens, c.heads, c.dim, output.tensor());
    expect_near(download(output), reference_attention(qkv, c.batch, c.tokens, c.heads, c.dim),
                type_ == DType::kF32    ? 5e-6
                : type_ == DType::kBF16 ? 1e-2
                                        : 2e-3,
                what);
  }
}

TEST_P(BackendTest, AttentionWithExtremeScores) {
  // Scores of +-400 and more: a softmax without the running maximum would overflow; the largest key must win alone.
  constexpr int kTokens = 200, kDim = 64;
  std::vector<float> qkv(kTokens * 3 * kDim, 0.0f);
  for (int t = 0; t < kTokens; ++t) {
    float* row = qkv.data() + static_cast<std::ptrdiff_t>(t) * 3 * kDim;
    row[0] = 64.0f;                                          // q
    row[kDim] = t == 150 ? 100.0f : t % 2 ? -100.0f : 1.0f;  // k
    row[2 * kDim] = static_cast<float>(t);                   // v
  }
  const Buffer input = upload(qkv, type_), output(backend_, kTokens * kDim, type_);
  backend_.attention(input.tensor(), 1, kTokens, 1, kDim, output.tensor());
  const std::vector<float> actual = download(output);
  for (std::size_t t = 0; t < kTokens; ++t) ASSERT_EQ(actual[t * kDim], 150.0f) << t;
}

TEST_P(BackendTest, PatchifyBytesAndFloatsAgree) {
  constexpr int kPatch = 4, kRows = 2, kColumns = 3, kBatch = 2;
  const Conditioning conditioning{{0.4f, 0.5f, 0.6f}, {0.2f, 0.25f, 0.3f}};
  std::vector<Image> images;
  std::vector<float> pixels(kBatch * 3 * kRows * kColumns * kPatch * kPatch);
  std::vector<double> expected(pixels.size());
  const int height = kRows * kPatch, width = kColumns * kPatch;
  for (int b = 0; b < kBatch; ++b) {
    Image image{width, height, std::vector<std::uint8_t>(static_cast<std::size_t>(3 * width * height))};
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        for (int c = 0; c < 3; ++c) {
          const auto value = static_cast<std::uint8_t>(generator_());
          image.rgb[static_cast<std::size_t>((y * width + x) * 3 + c)] = value;
          pixels[static_cast<std::size_t>(((b * 3 + c) * height + y) * width + x)] = static_cast<float>(value) / 255.0f;
          const int patch = (b * kRows + y / kPatch) * kColumns + x / kPatch;
          const int place = ((patch * 3 + c) * kPatch + y % kPatch) * kPatch + x % kPatch;
          expected[static_cast<std::size_t>(place)] = (value / 255.0 - conditioning.mean[c]) / conditioning.std[c];
        }
      }
    }
    images.push_back(std::move(image));
  }
  const Buffer from_bytes(backend_, pixels.size(), type_), from_floats(backend_, pixels.size(), type_);
  backend_.patchify(images, kPatch, conditioning, from_bytes.tensor());
  backend_.patchify(pixels, kBatch, {kRows, kColumns}, kPatch, conditioning, from_floats.tensor());
  expect_near(download(from_bytes), expected, tolerance(type_), "bytes");
  EXPECT_EQ(download(from_bytes), download(from_floats));
}

TEST_P(BackendTest, ResizeGrid) {
  constexpr int kWidth = 3;
  const GridSize from{4, 6};
  const std::vector<float> table = random(static_cast<std::size_t>(from.count() * kWidth));
  for (const GridSize full : {GridSize{4, 6}, GridSize{2, 3}, GridSize{9, 7}, GridSize{1, 1}, GridSize{5, 5}}) {
    const GridSize window{(full.height + 1) / 2, full.width};
    std::vector<double> expected;
    for (int y = 0; y < window.height; ++y) {
      for (int x = 0; x < window.width; ++x) {
        const double sy = std::max(0.0, (y + 0.5) * from.height / full.height - 0.5);
        const double sx = std::max(0.0, (x + 0.5) * from.width / full.width - 0.5);
        const int y0 = std::min(static_cast<int>(sy), from.height - 1),
                  x0 = std::min(static_cast<int>(sx), from.width - 1);
        const int y1 = std::min(y0 + 1, from.height - 1), x1 = std::min(x0 + 1, from.width - 1);
        for (int i = 0; i < kWidth; ++i) {
          const auto at = [&](int r, int c) {
            return double{table[static_cast<std::size_t>((r * from.width + c) * kWidth + i)]};
          };
          const double fy = sy - y0, fx = sx - x0;
          expected.push_back((1 - fy) * ((1 - fx) * at(y0, x0) + fx * at(y0, x1)) +
                             fy * ((1 - fx) * at(y1, x0) + fx * at(y1, x1)));
        }
      }
    }
    const Buffer source = upload(table, DType::kF32), target(backend_, expected.size(), DType::kF32);
    backend_.resize_grid(source.tensor(), from, full, window, kWidth, target.tensor());
    expect_near(download(target), expected, 2e-6, std::to_string(full.height) + "x" + std::to_string(full.width));
  }
}

// Bit for bit, so that a library does not depend on where its vectors were made.
TEST_P(BackendTest, CodesOfTokensAreThoseOfTheProcessor) {
  constexpr int kBatch = 3, kSequence = 7, kFirst = 2, kCount = 5;
  for (const int width : {1, 3, 4, 64, 127, 132, 384, 2560}) {
    const auto w = static_cast<std::size_t>(width);
    std::vector<float> sequence = random(kBatch * kSequence * w);
    const auto token = [&](std::size_t image, std::size_t t) {
      return std::span(sequence).subspan((image * kSequence + kFirst + t) * w, w);
    };
    std::ranges::fill(token(0, 1), 0.0f);
    for (float& value : token(0, 2)) value *= 1e-33f;
    for (float& value : token(0, 3)) value *= 1e30f;
    token(1, 1)[w / 2] *= 1e4f;
    token(1, 2)[w - 1] = std::numeric_limits<float>::quiet_NaN();
    token(1, 3)[0] = -std::numeric_limits<float>::infinity();
    for (std::size_t i = 0; i < w; ++i) token(2, 0)[i] = static_cast<float>(i % 255) / 2 - 63.5f;  // ties
    const Buffer source = upload(sequence, DType::kF32), codes(backend_, kBatch * kCount * w, DType::kI8),
                 scales(backend_, kBatch * kCount, DType::kF32);
    backend_.code_tokens({source.tensor(), kSequence, kFirst}, kBatch, kCount, width, codes.tensor(), scales.tensor());
    std::vector<std::int8_t> actual(codes.elements());
    backend_.download_codes(codes.tensor(), actual);
    const std::vector<float> actual_scales = download(scales);
    for (std::size_t row = 0; row < kBatch * kCount; ++row) {
      std::vector<std::int8_t> expected(w);
      const float scale = code_token(token(row / kCount, row % kCount), expected);
      EXPECT_EQ(std::bit_cast<std::uint32_t>(actual_scales[row]), std::bit_cast<std::uint32_t>(scale)) << row;
      EXPECT_TRUE(std::equal(expected.begin(), expected.end(), actual.begin() + static_cast<std::ptrdiff_t>(row * w)))
          << width << " row " << row;
    }
  }
}

TEST_P(BackendTest, CopyTokensSlicesJoinsBroadcastsAndAdds) {
  constexpr int kWidth = 5;
  const std::vector<float> sequence = stored(random(2 * 4 * kWidth)), addend = random(2 * kWidth);
  const Buffer source = upload(sequence, DType::kF32), extra = upload(addend, DType::kF32);
  const Buffer target = upload(std::vector<float>(2 * 3 * kWidth, -1.0f), DType::kF32);
  backend_.copy_tokens({source.tensor(), 4, 1}, {target.tensor(), 3, 1}, 2, 2, kWidth, extra.tensor());
  backend_.copy_tokens({source.tensor(), 0, 3}, {target.tensor(), 3, 0}, 2, 1, kWidth);  // shared by both images
  backend_.copy_tokens({source.tensor(), 4, 0}, {target.tensor(), 3, 0}, 2, 0, kWidth);  // nothing
  std::vector<double> expected;
  for (std::size_t image = 0; image < 2; ++image) {
    for (std::size_t i = 0; i < kWidth; ++i) expected.push_back(sequence[3 * kWidth + i]);
    for (std::size_t t = 0; t < 2; ++t) {
      for (std::size_t i = 0; i < kWidth; ++i) {
        expected.push_back(double{sequence[(image * 4 + 1 + t) * kWidth + i]} + addend[t * kWidth + i]);
      }
    }
  }
  expect_near(download(target), expected, 1e-6, "copy");
  const Buffer narrow(backend_, sequence.size(), type_);
  backend_.copy_tokens({source.tensor(), 4, 0}, {narrow.tensor(), 4, 0}, 2, 4, kWidth);
  EXPECT_EQ(download(narrow), sequence);
}

TEST_P(BackendTest, MergeAndSplitOrders) {
  constexpr int kWidth = 6, kPrefix = 2, kBatch = 2;
  const GridSize grid{3, 5}, merged{2, 3};
  const std::vector<float> weight = random(4 * kWidth), bias = random(4 * kWidth);
  const std::vector<float> sequence = random(static_cast<std::size_t>(kBatch * (kPrefix + grid.count()) * kWidth));
  std::vector<double> expected;
  for (int b = 0; b < kBatch; ++b) {
    for (int cell = 0; cell < merged.count(); ++cell) {
      std::vector<float> joined;
      for (const auto& [dy, dx] : {std::pair{0, 0}, {1, 0}, {0, 1}, {1, 1}}) {
        const int y = 2 * (cell / merged.width) + dy, x = 2 * (cell % merged.width) + dx;
        for (int i = 0; i < kWidth; ++i) {
          const int token = b * (kPrefix + grid.count()) + kPrefix + y * grid.width + x;
          joined.push_back(y < grid.height && x < grid.width ? sequence[static_cast<std::size_t>(token * kWidth + i)]
                                                             : 0);
        }
      }
      for (const double value : reference_norm(joined.data(), weight, bias, 1e-5)) expected.push_back(value);
    }
  }
  const Buffer source = upload(sequence, DType::kF32), target(backend_, expected.size(), type_);
  backend_.merge_norm(norm(weight, bias, 1e-5f), {source.tensor(), kPrefix + grid.count(), kPrefix}, kBatch, grid,
                      kWidth, target.tensor());
  expect_near(download(target), expected, tolerance(type_), "merge");

  const std::vector<float> quarter_weight = random(kWidth), quarter_bias = random(kWidth);
  const std::vector<float> expanded = random(static_cast<std::size_t>(kBatch * merged.count() * 4 * kWidth));
  const int tokens = kPrefix + 4 * merged.count();
  std::vector<double> grid_expected(static_cast<std::size_t>(kBatch * tokens * kWidth), 9.0);
  for (int b = 0; b < kBatch; ++b) {
    for (int cell = 0; cell < merged.count(); ++cell) {
      for (int part = 0; part < 4; ++part) {
        const int y = 2 * (cell / merged.width) + part / 2, x = 2 * (cell % merged.width) + part % 2;
        const int place = (b * tokens + kPrefix + y * 2 * merged.width + x) * kWidth;
        const float* quarter = expanded.data() + ((b * merged.count() + cell) * 4 + part) * kWidth;
        const auto values = reference_norm(quarter, quarter_weight, quarter_bias, 1e-5);
        std::copy(values.begin(), values.end(), grid_expected.begin() + place);
      }
    }
  }
  const Buffer quarters = upload(expanded, DType::kF32);
  const Buffer out = upload(std::vector<float>(grid_expected.size(), 9.0f), DType::kF32);
  backend_.split_norm(norm(quarter_weight, quarter_bias, 1e-5f), quarters.tensor(), kBatch, merged, kWidth,
                      {out.tensor(), tokens, kPrefix});
  expect_near(download(out), grid_expected, 2e-6, "split");
}

INSTANTIATE_TEST_SUITE_P(Backends, BackendTest, testing::ValuesIn(test::backend_variants()),
                         [](const auto& variant) { return variant.param.name; });

}  // namespace
}  // namespace tessera
