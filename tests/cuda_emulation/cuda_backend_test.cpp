// What only the CUDA backend has: results that depend on no order, wide rows, its arena, and errors that name the
// kernel.
#include "cuda/cuda_backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <random>

#include "../core/model/model_test_support.h"
#include "device/memory_layout.h"
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

// With and without truncation, which leaves the tokens in another tensor.
TEST_P(OrderTest, CodesAreThoseOfTheTokens) {
  for (const char* name : {"a", "b"}) {
    test::TemporaryDir folder;
    const std::string stem = std::string("radio1d-tiny-") + name;
    test::make_golden_model(stem, stem, folder.path());
    for (const Order order : {Order::kNatural, Order::kShuffled}) {
      emulation::set_order(order, 14);
      test::LoadedGraph model(folder.path(), make_backend(GetParam()));
      const std::vector<float> pixels = random_values(2 * 3 * 80 * 64);
      const PixelInput input{{}, pixels, 2, {5, 4}};
      for (const int tokens : {1, 3, kAllTokens}) {
        const EncodedBatch encoded = model.graph->encode(input, tokens);
        const CodedBatch expected = code_tokens(encoded.tokens, 2, encoded.token_count, encoded.width);
        const CodedBatch actual = model.graph->encode_codes(input, tokens);
        EXPECT_EQ(actual.codes, expected.codes) << name;
        EXPECT_EQ(actual.scales, expected.scales) << name;
        EXPECT_EQ(actual.first, expected.first) << name;
      }
    }
  }
}

TEST_P(OrderTest, LargeHeadsGiveTheSameBits) {
  for (const auto& [tokens, dim] : {std::pair{70, 80}, {129, 160}, {130, 64}, {97, 128}}) {
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

// Another backend on another device, made in between, takes nothing away: the current device is the thread's.
TEST(CudaBackend, TwoDevicesTakeTurns) {
  emulation::reset_device();
  emulation::set_devices(2, 8, 0);
  {
    CudaBackend second({.index = 1, .activation = DType::kF32});
    CudaBackend first({.index = 0, .activation = DType::kF32});
    EXPECT_EQ(second.name(), "cuda:1");
    for (CudaBackend* backend : {&second, &first}) {
      const std::vector<float> values = random_values(3 * 8 * 4);
      const Buffer in(*backend, values.size(), DType::kF32), out(*backend, values.size() / 3, DType::kF32);
      backend->upload(in.tensor(), values);
      backend->attention(in.tensor(), 1, 4, 1, 8, out.tensor());
      std::vector<float> result(out.elements());
      EXPECT_NO_THROW(backend->download(out.tensor(), result)) << backend->name();
    }
  }
  emulation::set_devices(1, 8, 0);
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
  const std::size_t limit = kProductWorkspace + (1 << 20);
  const auto backend = make_backend(DType::kF32, limit);
  const Buffer half(*backend, (1 << 20) / 8, DType::kF32);
  try {
    const Buffer more(*backend, (1 << 20) / 4, DType::kF32);
    FAIL() << "the limit was not kept";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kLimit);
    EXPECT_THAT(error.what(), HasSubstr("the limit is 33 MiB"));
  }
  EXPECT_LE(emulation::memory_in_use(), limit);
}

// The first pass of a size runs as it is, the second is recorded, later ones are launched from the recording.
TEST(CudaRecordings, RepeatedPassesGiveTheSameBits) {
  test::TemporaryDir folder;
  test::make_golden_model("radio1d-tiny-a", "radio1d-tiny-a", folder.path());
  auto owned = make_backend(DType::kBF16);
  const CudaBackend& backend = *owned;
  test::LoadedGraph model(folder.path(), std::move(owned));
  const std::vector<float> one = random_values(3 * 64 * 48, 1), two = random_values(3 * 64 * 48, 2);
  const auto tokens = [&](const std::vector<float>& pixels, int count) {
    return model.graph->encode({{}, pixels, 1, {4, 3}}, count).tokens;
  };
  const std::vector<float> first = tokens(one, kAllTokens);
  EXPECT_EQ(backend.recordings().replays(), 0u);
  const std::uint64_t before = emulation::kernels_run();
  EXPECT_EQ(tokens(one, kAllTokens), first);
  const std::uint64_t recorded = emulation::kernels_run() - before;
  EXPECT_EQ(backend.recordings().replays(), 1u);
  const std::vector<float> other = tokens(two, kAllTokens);
  EXPECT_EQ(emulation::kernels_run() - before, 2 * recorded);
  EXPECT_EQ(backend.recordings().replays(), 2u);
  EXPECT_NE(other, first);
  EXPECT_EQ(tokens(one, kAllTokens), first);
  EXPECT_EQ(tokens(two, 2),
            std::vector<float>(other.begin(), other.begin() + static_cast<std::ptrdiff_t>(2 * other.size() / 3)));
  EXPECT_EQ(backend.recordings().size(), 1u);
}

// More sizes than are kept, each met three times, against a graph that has met no other size.
TEST(CudaRecordings, OldOnesGoAndGrownMemoryIsNotMistaken) {
  test::TemporaryDir folder;
  test::make_golden_model("radio1d-tiny-d", "radio1d-tiny-d", folder.path());
  auto owned = make_backend(DType::kF32);
  const CudaBackend& backend = *owned;
  test::LoadedGraph model(folder.path(), std::move(owned));
  for (int round = 0; round < 3; ++round) {
    for (int width = 1; width <= 18; ++width) {
      const std::vector<float> pixels = random_values(static_cast<std::size_t>(3 * 32 * 16 * width), 9);
      const std::vector<float> actual = model.graph->encode({{}, pixels, 1, {2, width}}, kAllTokens).prefix;
      if (round == 0 || width % 6 != 0) continue;
      test::LoadedGraph fresh(folder.path(), make_backend(DType::kF32));
      EXPECT_EQ(actual, fresh.graph->encode({{}, pixels, 1, {2, width}}, kAllTokens).prefix) << width;
    }
  }
  EXPECT_EQ(backend.recordings().size(), cuda::Recordings::kMost);
  const std::vector<float> last = random_values(3 * 32 * 16, 9);
  const std::uint64_t before = backend.recordings().replays();
  for (int i = 0; i < 3; ++i) model.graph->encode({{}, last, 1, {2, 1}}, kAllTokens);
  EXPECT_EQ(backend.recordings().replays(), before + 2);
}

TEST(CudaRecordings, AFailureWhileRecordingLeavesTheStreamUsable) {
  const auto backend = make_backend(DType::kF32);
  const std::array<std::uint64_t, 3> key = {1, 2, 3};
  const Buffer in(*backend, 96, DType::kF32), out(*backend, 32, DType::kF32);
  backend->upload(in.tensor(), random_values(96));
  bool fail = false;
  const auto pass = [&] {
    backend->attention(in.tensor(), 1, 4, 1, 8, out.tensor());
    if (fail) throw Error(ErrorCode::kInternal, "asked for");
  };
  backend->repeatable(key, pass);
  std::vector<float> first(32), later(32);
  backend->download(out.tensor(), first);
  fail = true;
  EXPECT_THROW(backend->repeatable(key, pass), Error);
  fail = false;
  backend->repeatable(key, pass);
  backend->download(out.tensor(), later);
  EXPECT_EQ(later, first);
  EXPECT_EQ(backend->recordings().replays(), 1u);
}

// A device with less left than a usual block still gives a piece that fits.
TEST(CudaArena, TakesLessWhereABlockDoesNotFit) {
  emulation::reset_device();
  const std::size_t before = emulation::set_memory_limit(emulation::memory_in_use() + (3 << 20));
  {
    cuda::Arena arena(0);
    EXPECT_NO_THROW(arena.allocate(1 << 20));
    EXPECT_NO_THROW(arena.allocate(2 << 20));
    EXPECT_EQ(arena.held(), std::size_t{3} << 20);
    EXPECT_THROW(arena.allocate(1 << 10), Error);
  }
  emulation::set_memory_limit(before);
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
