// What only a whole library can show: the public interface on the device, real sizes against the CPU, any thread.
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <thread>

#include "device/cuda_library.h"
#include "model_test_support.h"
#include "tessera/encoder.h"

namespace tessera {
namespace {

std::vector<float> random_values(std::size_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(generator);
  return values;
}

double worst_difference(const std::vector<float>& actual, const std::vector<float>& expected) {
  EXPECT_EQ(actual.size(), expected.size());
  double worst = 0;
  for (std::size_t i = 0; i < std::min(actual.size(), expected.size()); ++i) {
    const double difference = std::abs(double{actual[i]} - expected[i]);
    worst = difference <= worst ? worst : difference;  // NaN becomes the worst
  }
  return worst;
}

std::unique_ptr<Encoder> load(const std::filesystem::path& model, const std::string& device) {
  EncoderOptions options;
  options.device = device;
  options.compute = ComputeType::kF32;
  options.load_decoder = true;
  return Encoder::load(model, options);
}

// Tolerance of the goldens. The thread that encodes is not the one that loads.
TEST(DeviceGolden, PublicInterface) {
  test::TemporaryDir folder;
  test::make_golden_model("radio1d-tiny-a", "radio1d-tiny-a", folder.path());
  const SafetensorsFile golden(test::golden_dir() / "radio1d-tiny-a-io.safetensors");
  const auto encoder = load(folder.path(), "cuda:0");
  EXPECT_EQ(encoder->info().device, "cuda:0");
  EXPECT_EQ(encoder->info().compute, ComputeType::kF32);
  EXPECT_EQ(encoder->info().device_note, "");
  EncodedBatch encoded;
  std::thread([&] {
    encoded = encoder->encode_pixels(to_float(golden.tensors().at("sq64.input")), 2, 64, 64, 4);
  }).join();
  EXPECT_LE(worst_difference(encoded.tokens, to_float(golden.tensors().at("sq64.n4.tokens"))), 5e-5);
  EXPECT_LE(worst_difference(encoder->summary(encoded), to_float(golden.tensors().at("sq64.n4.hf.encoder.summary"))),
            5e-5);
}

TEST(DeviceGolden, AutoTakesTheDeviceAndItsFastestType) {
  test::TemporaryDir folder;
  test::make_golden_model("radio1d-tiny-a", "radio1d-tiny-a", folder.path());
  const auto encoder = Encoder::load(folder.path());
  EXPECT_EQ(encoder->info().device, "cuda:0");
  EXPECT_NE(encoder->info().compute, ComputeType::kF32);
}

// Sizes of C-RADIOv4-H, which the emulator is too slow for: 512 x 512 pixels are 1024 patches and 16 other tokens.
TEST(DeviceSizes, AttentionAndProductsAgreeWithTheCpu) {
  const auto cpu = make_cpu_backend(DType::kF32, 0);
  for (const DType type : {DType::kF32, DType::kBF16, DType::kF16}) {
    const auto device = CudaLibrary().make({.device = 0, .type = static_cast<int>(type)});
    // Largest results: attention averages to about 0.3, products are normal numbers.
    const double attention_limit = type == DType::kF32 ? 2e-6 : type == DType::kBF16 ? 2e-3 : 3e-4;
    const double product_limit = type == DType::kF32 ? 2e-5 : type == DType::kBF16 ? 3e-2 : 4e-3;
    for (const int dim : {64, 80, 128, 160}) {
      constexpr int kTokens = 1040, kHeads = 2;
      const std::vector<float> qkv =
          random_values(std::size_t{3} * kTokens * kHeads * static_cast<std::size_t>(dim), 3);
      std::vector<float> results[2];
      Backend* backends[2] = {cpu.get(), device.get()};
      for (int i = 0; i < 2; ++i) {
        Backend& backend = *backends[i];
        const DType own = backend.activation_type();
        const Buffer in(backend, qkv.size(), own), out(backend, qkv.size() / 3, own);
        backend.upload(in.tensor(), qkv);
        backend.attention(in.tensor(), 1, kTokens, kHeads, dim, out.tensor());
        results[i].resize(out.elements());
        backend.download(out.tensor(), results[i]);
      }
      EXPECT_LE(worst_difference(results[1], results[0]), attention_limit) << "heads of " << dim;
    }
    constexpr std::size_t kRows = 1040, kIn = 1280, kOut = 5120;
    const std::vector<float> x = random_values(kRows * kIn, 4), bias = random_values(kOut, 6);
    std::vector<float> w = random_values(kOut * kIn, 5);
    for (float& value : w) value /= std::sqrt(static_cast<float>(kIn));
    const TensorView view{TensorType::kF32, {kOut, kIn}, std::as_bytes(std::span(w))};
    std::vector<float> results[2];
    Backend* backends[2] = {cpu.get(), device.get()};
    for (int i = 0; i < 2; ++i) {
      Backend& backend = *backends[i];
      const auto weights = backend.pack_linear(view, bias, {});
      const Buffer in(backend, x.size(), backend.activation_type()), out(backend, kRows * kOut, DType::kF32);
      backend.upload(in.tensor(), x);
      backend.linear(*weights, in.tensor(), kRows, {}, out.tensor());
      results[i].resize(out.elements());
      backend.download(out.tensor(), results[i]);
    }
    EXPECT_LE(worst_difference(results[1], results[0]), product_limit) << "products";
  }
}

}  // namespace
}  // namespace tessera
