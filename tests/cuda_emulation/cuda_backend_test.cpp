// What only the CUDA backend has: results that depend on no order, wide rows, its arena, and errors that name the
// kernel.
#include "cuda/cuda_backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "../core/model/model_test_support.h"
#include "emulator.h"
#include "tessera/error.h"

namespace tessera {
namespace {

using cuda::CudaBackend;
using emulation::Order;
using testing::HasSubstr;

std::unique_ptr<CudaBackend> make_backend(DType type, std::size_t limit = 0) {
  emulation::reset_device();
  return std::make_unique<CudaBackend>(cuda::DeviceChoice{.index = 0, .activation = type, .memory_limit = limit});
}

std::vector<float> random_values(std::size_t count, unsigned seed = 5) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(generator);
  return values;
}

class OrderTest : public testing::TestWithParam<DType> {
 protected:
  ~OrderTest() override { emulation::set_order(Order::kNatural); }
};

// Encoder and decoder of every golden model give the same bits whichever thread or block runs first.
TEST_P(OrderTest, GraphsGiveTheSameBits) {
  for (const char* name : {"a", "b", "c", "d"}) {
    test::TemporaryDir folder;
    const std::string stem = std::string("radio1d-tiny-") + name;
    test::make_golden_model(stem, stem, folder.path());
    std::vector<std::vector<float>> seen;
    for (const Order order : {Order::kNatural, Order::kReversed, Order::kShuffled}) {
      emulation::set_order(order, 11);
      test::LoadedGraph model(folder.path(), make_backend(GetParam()));
      const std::vector<float> pixels = random_values(3 * 80 * 48);
      const EncodedBatch encoded = model.graph->encode({{}, pixels, 1, {5, 3}}, kAllTokens);
      const DecodedBatch decoded = model.graph->decode(encoded);
      seen.push_back(encoded.tokens);
      seen.back().insert(seen.back().end(), encoded.prefix.begin(), encoded.prefix.end());
      seen.back().insert(seen.back().end(), decoded.dense.begin(), decoded.dense.end());
    }
    EXPECT_EQ(seen[0], seen[1]) << name << " reversed";
    EXPECT_EQ(seen[0], seen[2]) << name << " shuffled";
  }
}

TEST_P(OrderTest, HybridsGiveTheSameBits) {
  std::vector<std::vector<float>> seen;
  for (const Order order : {Order::kNatural, Order::kReversed, Order::kShuffled}) {
    emulation::set_order(order, 12);
    test::LoadedGraph model(test::data_dir() / "stem", make_backend(GetParam()));
    seen.push_back(model.graph->encode({{}, random_values(3 * 48 * 64), 1, {3, 4}}, kAllTokens).tokens);
  }
  EXPECT_EQ(seen[0], seen[1]);
  EXPECT_EQ(seen[0], seen[2]);
}

TEST_P(OrderTest, LargeHeadsGiveTheSameBits) {
  for (const auto& [tokens, dim] : {std::pair{70, 80}, {129, 160}, {130, 64}}) {
    const std::vector<float> qkv = random_values(static_cast<std::size_t>(tokens * 3 * dim));
    std::vector<std::vector<float>> seen;
    for (const Order order : {Order::kNatural, Order::kReversed, Order::kShuffled}) {
      emulation::set_order(order, 13);
      const auto backend = make_backend(GetParam());
      const Buffer in(*backend, qkv.size(), GetParam()), out(*backend, qkv.size() / 3, GetParam());
      backend->upload(in.tensor(), qkv);
      backend->attention(in.tensor(), 1, tokens, 1, dim, out.tensor());
      seen.emplace_back(out.elements());
      backend->download(out.tensor(), seen.back());
    }
    EXPECT_EQ(seen[0], seen[1]) << dim;
    EXPECT_EQ(seen[0], seen[2]) << dim;
  }
}

INSTANTIATE_TEST_SUITE_P(Types, OrderTest, testing::Values(DType::kF32, DType::kBF16, DType::kF16),
                         [](const auto& variant) {
                           return variant.param == DType::kF32 ? "f32" : variant.param == DType::kBF16 ? "bf16" : "f16";
                         });

// Rows shared by one, four and eight warps, at and beside the borders between them.
TEST(CudaLayerNorm, WideRows) {
  const auto backend = make_backend(DType::kF32);
  for (const int width : {1276, 1280, 1284, 2560, 5120, 5124, 10240, 10244, 5121}) {
    const auto w = static_cast<std::size_t>(width);
    for (const std::size_t rows : {std::size_t{1}, std::size_t{9}}) {
      const std::vector<float> x = random_values(rows * w), weight = random_values(w, 6), bias = random_values(w, 7);
      NormWeights norm;
      norm.weight = Buffer(*backend, w, DType::kF32);
      norm.bias = Buffer(*backend, w, DType::kF32);
      backend->upload(norm.weight.tensor(), weight);
      backend->upload(norm.bias.tensor(), bias);
      const Buffer in(*backend, x.size(), DType::kF32), out(*backend, x.size(), DType::kF32);
      backend->upload(in.tensor(), x);
      backend->layer_norm(norm, in.tensor(), static_cast<std::int64_t>(rows), width, out.tensor());
      std::vector<float> actual(x.size());
      backend->download(out.tensor(), actual);
      for (std::size_t row = 0; row < rows; ++row) {
        double mean = 0, variance = 0;
        for (std::size_t i = 0; i < w; ++i) mean += x[row * w + i] / static_cast<double>(w);
        for (std::size_t i = 0; i < w; ++i) variance += std::pow(x[row * w + i] - mean, 2) / static_cast<double>(w);
        for (std::size_t i = 0; i < w; ++i) {
          const double expected = (x[row * w + i] - mean) / std::sqrt(variance + 1e-6) * weight[i] + bias[i];
          ASSERT_NEAR(actual[row * w + i], expected, 1e-5) << width << " row " << row << " at " << i;
        }
      }
    }
  }
}

TEST(CudaBackend, SaysWhatItIs) {
  const auto backend = make_backend(DType::kBF16);
  EXPECT_EQ(backend->name(), "cuda:0");
  EXPECT_THAT(backend->detail(), HasSubstr("sm_80"));
}

std::string refusal(const cuda::DeviceChoice& choice) {
  try {
    CudaBackend backend(choice);
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(CudaBackend, RefusesDevicesThatCannot) {
  emulation::reset_device();
  EXPECT_THAT(refusal({.index = 1}), HasSubstr("no device cuda:1; this machine has 1"));
  emulation::set_devices(1, 7, 0);
  EXPECT_THAT(refusal({.activation = DType::kF16}), HasSubstr("too old"));
  emulation::set_devices(1, 7, 5);
  EXPECT_THAT(refusal({.activation = DType::kBF16}), HasSubstr("no bf16"));
  EXPECT_EQ(refusal({.activation = DType::kF16}), "accepted");
  emulation::set_devices(0, 8, 0);
  EXPECT_THAT(refusal({}), HasSubstr("no CUDA device"));
  emulation::set_devices(1, 8, 0);
}

TEST(CudaBackend, ErrorsNameKernelAndShape) {
  const auto backend = make_backend(DType::kF32);
  const Buffer small(*backend, 64, DType::kF32), out(*backend, 64, DType::kF32);
  backend->upload(small.tensor(), random_values(64));
  backend->attention(small.tensor(), 1, 4, 1, 8, out.tensor());  // needs 96 values
  std::vector<float> values(64);
  try {
    backend->download(out.tensor(), values);
    FAIL() << "an access outside the tensor went unnoticed";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInternal);
    EXPECT_THAT(error.what(), HasSubstr("attention_plain [1, 4, 1, 8]"));
  }
  emulation::reset_device();
  try {
    backend->attention(small.tensor(), 1, 1, 1, 300, out.tensor());
    FAIL() << "a head that is too large was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  }
}

TEST(CudaBackend, MemoryLimitIsKept) {
  const auto backend = make_backend(DType::kF32, 1 << 20);
  const Buffer half(*backend, (1 << 20) / 8, DType::kF32);
  try {
    const Buffer more(*backend, (1 << 20) / 4, DType::kF32);
    FAIL() << "the limit was not kept";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kLimit);
    EXPECT_THAT(error.what(), HasSubstr("the limit is 1 MiB"));
  }
  EXPECT_LE(emulation::memory_in_use(), std::size_t{1} << 20);
}

TEST(CudaArena, GivesPiecesBackAndJoinsThem) {
  emulation::reset_device();
  const std::size_t before = emulation::memory_in_use();
  {
    cuda::Arena arena(0);
    arena.reserve(1 << 20);
    std::vector<void*> pieces;
    for (int i = 0; i < 4; ++i) pieces.push_back(arena.allocate(1 << 18));
    EXPECT_EQ(arena.held(), std::size_t{1} << 20);
    EXPECT_EQ(arena.in_use(), std::size_t{1} << 20);
    for (const std::size_t i : {1u, 3u, 2u}) arena.deallocate(pieces[i]);
    void* joined = arena.allocate(3 << 18);  // only fits if the three became one
    EXPECT_EQ(joined, pieces[1]);
    EXPECT_EQ(arena.held(), std::size_t{1} << 20);
    arena.deallocate(joined);
    arena.deallocate(pieces[0]);
    arena.deallocate(pieces[0]);  // nothing to give back
    EXPECT_EQ(arena.in_use(), 0u);
    arena.trim();
    EXPECT_EQ(arena.held(), 0u);
    void* tiny = arena.allocate(1);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tiny) % 256, 0u);
    arena.allocate(0);
  }
  EXPECT_EQ(emulation::memory_in_use(), before);
}

}  // namespace
}  // namespace tessera
