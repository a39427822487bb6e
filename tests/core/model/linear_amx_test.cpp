// Tile products against sums in double: every kind of edge in rows, inputs and outputs, every epilogue, thread counts.
#include "cpu/linear_amx.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "model/float_convert.h"
#include "tessera/safetensors.h"

namespace tessera::cpu {
namespace {

class TileProductsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (&select_kernels() != &kernels_amx()) GTEST_SKIP() << "this processor has no AMX tiles";
  }

  std::vector<float> random(std::size_t count, float scale) {
    std::normal_distribution<float> normal(0.0f, scale);
    std::vector<float> values(count);
    for (float& value : values) value = normal(generator_);
    return values;
  }

  std::mt19937 generator_{11};
};

struct Case {
  int rows, in, out;
  bool bias, gelu, accumulate;
  DType type;
  int threads = 2;
};

std::vector<std::uint16_t> to_bf16(const std::vector<float>& values) {
  std::vector<std::uint16_t> bits;
  for (const float value : values) bits.push_back(float_to_bf16(value));
  return bits;
}

TEST_F(TileProductsTest, AgreesWithDoubles) {
  constexpr DType kFull = DType::kF32, kHalf = DType::kBF16;
  const Case cases[] = {{1, 32, 1, false, false, false, kFull, 1},    {15, 32, 31, true, false, false, kFull},
                        {16, 64, 33, true, true, false, kHalf},       {17, 96, 32, true, false, true, kFull},
                        {33, 672, 100, true, false, false, kFull},    {49, 1280, 65, true, true, false, kHalf},
                        {266, 2048, 40, true, false, true, kFull, 3}, {74, 10240, 34, true, false, true, kFull},
                        {20, 10240, 34, true, true, true, kFull},     {1100, 640, 64, true, false, false, kHalf},
                        {1030, 2048, 96, false, false, false, kFull}, {2177, 192, 192, true, false, true, kFull},
                        {2177, 192, 97, true, true, false, kHalf, 3}, {5, 32, 70, true, false, false, kFull, 7}};
  for (const Case& c : cases) {
    SCOPED_TRACE(std::to_string(c.rows) + "x" + std::to_string(c.in) + "x" + std::to_string(c.out));
    const auto rows = static_cast<std::size_t>(c.rows), in = static_cast<std::size_t>(c.in),
               out = static_cast<std::size_t>(c.out);
    const std::vector<std::uint16_t> x = to_bf16(random(rows * in, 1.0f));
    const std::vector<float> w = random(out * in, 1.0f / std::sqrt(static_cast<float>(in)));
    const std::vector<float> bias = c.bias ? random(out, 1.0f) : std::vector<float>{};
    const std::vector<float> before = random(rows * out, 1.0f);
    const TensorView view{TensorType::kF32, {c.out, c.in}, std::as_bytes(std::span(w))};
    const auto packed = TileProducts::pack(select_kernels(), view, bias, {}, c.threads);

    constexpr float kGuard = 77.0f;  // one more row, which nothing may touch
    std::vector<float> full = before;
    full.resize((rows + 1) * out, kGuard);
    std::vector<std::uint16_t> half = to_bf16(full);
    TileProducts products;
    void* target = c.type == DType::kF32 ? static_cast<void*>(full.data()) : half.data();
    products.run(*packed, {const_cast<std::uint16_t*>(x.data()), DType::kBF16}, c.rows,
                 {.gelu = c.gelu, .accumulate = c.accumulate}, {target, c.type}, c.threads);
    double worst = 0;
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t o = 0; o < out; ++o) {
        double sum = c.bias ? bias[o] : 0.0;
        for (std::size_t i = 0; i < in; ++i) {
          sum += double{bf16_to_float(x[r * in + i])} * bf16_to_float(float_to_bf16(w[o * in + i]));
        }
        if (c.gelu) sum = 0.5 * sum * (1.0 + std::erf(sum / std::sqrt(2.0)));
        if (c.accumulate) sum += before[r * out + o];
        const float actual = c.type == DType::kF32 ? full[r * out + o] : bf16_to_float(half[r * out + o]);
        const double limit = c.type == DType::kF32 ? 1e-5 : 1e-5 + 0.004 * std::abs(sum);
        worst = std::max(worst, std::abs(actual - sum) / limit);
      }
    }
    EXPECT_LE(worst, 1.0);
    for (std::size_t o = 0; o < out; ++o) {
      EXPECT_EQ(c.type == DType::kF32 ? full[rows * out + o] : bf16_to_float(half[rows * out + o]), kGuard);
    }
  }
}

TEST_F(TileProductsTest, PacksEveryFloatTypeAndScalesRows) {
  const std::vector<float> w = random(40 * 64, 0.2f), scale = random(40, 1.0f);
  std::vector<std::uint16_t> eye(64 * 64, 0);  // the product with the identity shows the packed weights
  for (std::size_t i = 0; i < 64; ++i) eye[i * 64 + i] = float_to_bf16(1.0f);
  for (const TensorType type : {TensorType::kF32, TensorType::kF16, TensorType::kBF16}) {
    std::vector<std::uint16_t> bits;
    for (const float value : w) bits.push_back(type == TensorType::kF16 ? float_to_f16(value) : float_to_bf16(value));
    const auto bytes = type == TensorType::kF32 ? std::as_bytes(std::span(w)) : std::as_bytes(std::span(bits));
    const TensorView view{type, {40, 64}, bytes};
    const std::vector<float> seen = to_float(view);
    for (const bool scaled : {false, true}) {
      const auto packed =
          TileProducts::pack(select_kernels(), view, {}, scaled ? std::span(scale) : std::span<float>(), 2);
      std::vector<float> product(64 * 40);
      TileProducts().run(*packed, {eye.data(), DType::kBF16}, 64, {}, {product.data(), DType::kF32}, 2);
      for (std::size_t o = 0; o < 40; ++o) {
        for (std::size_t i = 0; i < 64; ++i) {
          const float expected = seen[o * 64 + i] * (scaled ? scale[o] : 1.0f);
          ASSERT_EQ(product[i * 40 + o], bf16_to_float(float_to_bf16(expected)));
        }
      }
    }
  }
}

}  // namespace
}  // namespace tessera::cpu
