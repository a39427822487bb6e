// Hybrid models: stem, projection, global feature and tokens against PyTorch's numbers; wrong stem descriptions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <set>

#include "backend_variants.h"
#include "model_test_support.h"
#include "tessera/encoder.h"
#include "tessera/error.h"
#include "test_paths.h"

namespace tessera {
namespace {

using nlohmann::json;
using test::Captured;
using testing::HasSubstr;

std::filesystem::path stem_dir() { return test::data_dir() / "stem"; }

// What the graph gives for one case, under the IO file's names without the case.
std::map<std::string, Captured> run(test::LoadedGraph& model, const std::vector<float>& pixels, const json& size) {
  const int batch = size[0], rows = size[1].get<int>() / 16, columns = size[2].get<int>() / 16;
  test::Trace trace;
  const EncodedBatch all = model.graph->encode({{}, pixels, batch, {rows, columns}}, kAllTokens, trace.tap());
  std::map<std::string, Captured> results = trace.tensors();
  results["prefix"] = {all.prefix, {batch, all.prefix_count, all.width}};
  results["tokens"] = {all.tokens, {batch, all.token_count, all.width}};
  for (const auto& [name, count] : {std::pair{"n4.decoder", 4}, {"nall.decoder", kAllTokens}}) {
    const EncodedBatch some = model.graph->encode({{}, pixels, batch, {rows, columns}}, count);
    const DecodedBatch decoded = model.graph->decode(some);
    Captured joined;
    const int cells = rows * columns;
    joined.shape = {batch, decoded.prefix_count + cells, decoded.width};
    for (int b = 0; b < batch; ++b) {
      const auto append = [&](const std::vector<float>& values, int tokens) {
        const auto begin = values.begin() + std::ptrdiff_t{1} * b * tokens * decoded.width;
        joined.values.insert(joined.values.end(), begin, begin + std::ptrdiff_t{1} * tokens * decoded.width);
      };
      append(decoded.prefix, decoded.prefix_count);
      append(decoded.dense, cells);
    }
    results[name] = std::move(joined);
  }
  return results;
}

class StemGolden : public testing::TestWithParam<test::BackendVariant> {};

TEST_P(StemGolden, EveryTensorInF32) {
  test::LoadedGraph model(stem_dir(), GetParam().make());
  const SafetensorsFile file(stem_dir() / "io.safetensors");
  const json cases = json::parse(file.metadata().at("cases"));
  std::set<std::string> compared;
  for (const auto& [name, size] : cases.items()) {
    for (const auto& [tensor, actual] : run(model, to_float(file.tensors().at(name + ".input")), size)) {
      const auto position = file.tensors().find(name + "." + tensor);
      if (position == file.tensors().end()) continue;
      compared.insert(position->first);
      EXPECT_EQ(actual.shape, position->second.shape) << position->first;
      const std::vector<float> expected = to_float(position->second);
      ASSERT_EQ(actual.values.size(), expected.size()) << position->first;
      for (std::size_t i = 0; i < expected.size(); ++i) {
        ASSERT_NEAR(actual.values[i], expected[i], 5e-5) << position->first << " at " << i;
      }
    }
  }
  for (const auto& entry : file.tensors()) {
    EXPECT_TRUE(compared.contains(entry.first) || entry.first.ends_with(".input")) << entry.first;
  }
}

std::string variant_name(const testing::TestParamInfo<test::BackendVariant>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Backends, StemGolden, testing::ValuesIn(test::backend_variants(DType::kF32)), variant_name);

class StemReduced : public testing::TestWithParam<test::BackendVariant> {};

TEST_P(StemReduced, FollowsTheReference) {
  test::LoadedGraph model(stem_dir(), GetParam().make());
  const SafetensorsFile file(stem_dir() / "io.safetensors");
  const json cases = json::parse(file.metadata().at("cases"));
  for (const auto& [name, size] : cases.items()) {
    const auto results = run(model, to_float(file.tensors().at(name + ".input")), size);
    // The decoder's last width is 16 channels of random weights here: one cell of 28 reaches only 0.9987.
    for (const auto& [tensor, least] : {std::pair{"tokens", 0.999}, {"prefix", 0.999}, {"nall.decoder", 0.998}}) {
      const TensorView& expected = file.tensors().at(name + "." + tensor);
      EXPECT_GE(test::worst_cosine(results.at(tensor).values, to_float(expected),
                                   static_cast<std::size_t>(expected.shape.back())),
                least)
          << name << " " << tensor;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, StemReduced, testing::ValuesIn(test::reduced_variants()), variant_name);

// The stem golden without the tensors that `left_out` is true for.
void write_reduced(const std::filesystem::path& folder, const std::function<bool(const std::string&)>& left_out) {
  std::filesystem::copy_file(stem_dir() / "config.json", folder / "config.json");
  const SafetensorsFile file(stem_dir() / "model.safetensors");
  std::vector<TensorToWrite> kept;
  for (const auto& [name, tensor] : file.tensors()) {
    if (!left_out(name)) kept.push_back({name, tensor.type, tensor.shape, tensor.data});
  }
  write_safetensors(folder / "model.safetensors", kept);
}

const std::string kToken0 = "radio_model.model.patch_generator.stem.token0.";

class StemToken0 : public testing::TestWithParam<test::BackendVariant> {};

// Token 0 of the golden less weight * global + bias is what the file gives without the two tensors; nothing else moves.
TEST_P(StemToken0, IsTheOnlyTokenThatTheSkipChanges) {
  test::TemporaryDir folder;
  write_reduced(folder.path(), [](const std::string& name) { return name.starts_with(kToken0); });
  test::LoadedGraph model(folder.path(), GetParam().make());
  EXPECT_FALSE(model.graph->config().stem->token0_skip);
  EXPECT_TRUE(test::LoadedGraph(stem_dir(), GetParam().make()).graph->config().stem->token0_skip);
  const SafetensorsFile file(stem_dir() / "io.safetensors");
  const SafetensorsFile weights(stem_dir() / "model.safetensors");
  const std::vector<float> weight = to_float(weights.tensors().at(kToken0 + "weight"));
  const std::vector<float> bias = to_float(weights.tensors().at(kToken0 + "bias"));
  const std::size_t width = bias.size(), columns = weight.size() / width;
  const json cases = json::parse(file.metadata().at("cases"));
  for (const auto& [name, size] : cases.items()) {
    const auto actual = run(model, to_float(file.tensors().at(name + ".input")), size);
    std::vector<float> expected = to_float(file.tensors().at(name + ".tokens"));
    const std::vector<float> global = to_float(file.tensors().at(name + ".global"));
    const std::size_t images = global.size() / columns;
    double largest = 0;
    for (std::size_t row = 0; row < images * width; ++row) {
      const std::size_t image = row / width, value = row % width;
      double skip = bias[value];
      for (std::size_t i = 0; i < columns; ++i)
        skip += double{weight[value * columns + i]} * global[image * columns + i];
      expected[image * (expected.size() / images) + value] -= static_cast<float>(skip);
      largest = std::max(largest, std::abs(skip));
    }
    EXPECT_GT(largest, 0.5) << name;
    const std::vector<float>& tokens = actual.at("tokens").values;
    ASSERT_EQ(tokens.size(), expected.size()) << name;
    for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(tokens[i], expected[i], 5e-5) << name << " at " << i;
    const std::vector<float> prefix = to_float(file.tensors().at(name + ".prefix"));
    for (std::size_t i = 0; i < prefix.size(); ++i) {
      ASSERT_NEAR(actual.at("prefix").values[i], prefix[i], 5e-5) << name << " at " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, StemToken0, testing::ValuesIn(test::backend_variants(DType::kF32)), variant_name);

// No token is asked for, or the reduction leaves none behind the prefix: there is nothing to add to.
TEST(Stem, SkipWithoutTokens) {
  EncoderOptions options;
  options.compute = ComputeType::kF32;
  const auto plain = Encoder::load(stem_dir(), options);
  options.progressive_reduction = true;
  const auto reduced = Encoder::load(stem_dir(), options);
  const std::vector<float> pixels(std::size_t{2} * 3 * 64 * 64, 0.25f);
  const EncodedBatch all = plain->encode_pixels(pixels, 2, 64, 64);
  const EncodedBatch none = plain->encode_pixels(pixels, 2, 64, 64, 0);
  EXPECT_EQ(none.prefix, all.prefix);
  EXPECT_TRUE(none.tokens.empty());
  const EncodedBatch one = plain->encode_pixels(pixels, 2, 64, 64, 1);
  const EncodedBatch one_reduced = reduced->encode_pixels(pixels, 2, 64, 64, 1);
  const EncodedBatch none_reduced = reduced->encode_pixels(pixels, 2, 64, 64, 0);
  for (const EncodedBatch* batch : {&one, &one_reduced, &none_reduced}) {
    const std::size_t half = batch->prefix.size() / 2;
    for (std::size_t i = 0; i < half; ++i) ASSERT_NEAR(batch->prefix[i], batch->prefix[half + i], 1e-5) << i;
  }
  for (std::size_t i = 0; i < one.tokens.size() / 2; ++i) {
    ASSERT_NEAR(one.tokens[i], one.tokens[one.tokens.size() / 2 + i], 1e-5) << i;
    ASSERT_NEAR(one.tokens[i], all.tokens[i], 1e-5) << i;
  }
}

// Tokens after token 0 get what the regions say, as many as there are; prefix, token 0 and the tokens behind stay.
TEST(Stem, RegionsReachTheirTokensOnly) {
  const std::size_t regions = 4, width = 32, pixels_of_one = std::size_t{3} * 64 * 96;
  test::TemporaryDir folder;
  write_reduced(folder.path(), [](const std::string& name) { return name.find("stem.regions.") != std::string::npos; });
  std::ifstream stream(folder.path() / "config.json");
  json config = json::parse(stream);
  config["args"]["model_kwargs"]["stem"].erase("regions");
  std::ofstream(folder.path() / "config.json") << config;
  EncoderOptions options;
  options.compute = ComputeType::kF32;
  const auto with = Encoder::load(stem_dir(), options), without = Encoder::load(folder.path(), options);
  EXPECT_NE(with->info().weights_hash, without->info().weights_hash);
  std::vector<float> pixels(2 * pixels_of_one);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<float>((i * 7919) % 255) / 255.0f;
  const EncodedBatch all = with->encode_pixels(pixels, 2, 64, 96), plain = without->encode_pixels(pixels, 2, 64, 96);
  EXPECT_EQ(all.prefix, plain.prefix);
  ASSERT_EQ(static_cast<std::size_t>(all.width), width);
  ASSERT_EQ(all.token_count, 6);
  for (std::size_t i = 0; i < all.tokens.size(); ++i) {
    const std::size_t token = i / width % 6;
    if (token == 0 || token > regions) {
      ASSERT_EQ(all.tokens[i], plain.tokens[i]) << i;
    }
  }
  for (std::size_t token = 1; token <= regions; ++token)
    EXPECT_NE(all.tokens[token * width], plain.tokens[token * width]);
  for (const int count : {1, 2, 4}) {
    const EncodedBatch few = with->encode_pixels(pixels, 2, 64, 96, count);
    for (std::size_t image = 0; image < 2; ++image) {
      for (std::size_t i = 0; i < static_cast<std::size_t>(count) * width; ++i) {
        ASSERT_NEAR(few.tokens[image * static_cast<std::size_t>(count) * width + i], all.tokens[image * 6 * width + i],
                    1e-5)
            << count << " tokens, value " << i;
      }
    }
  }
}

TEST(Stem, IncompleteSkip) {
  const auto message_without = [](const std::string& tensor) {
    test::TemporaryDir folder;
    write_reduced(folder.path(), [&](const std::string& name) { return name == kToken0 + tensor; });
    try {
      Encoder::load(folder.path());
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  EXPECT_THAT(message_without("bias"), HasSubstr("stem.token0.bias is missing"));
  EXPECT_THAT(message_without("weight"), HasSubstr("stem.token0.bias of"));
}

// More images than the stem takes at once, bytes and floats, and a size between that needs other buffers.
TEST(Stem, BatchesAndBytesAgree) {
  EncoderOptions options;
  options.compute = ComputeType::kF32;
  options.threads = 2;
  const auto encoder = Encoder::load(stem_dir(), options);
  std::vector<Image> images;
  for (unsigned i = 0; i < 7; ++i) {
    Image image{64, 48, std::vector<std::uint8_t>(64 * 48 * 3)};
    for (std::size_t p = 0; p < image.rgb.size(); ++p)
      image.rgb[p] = static_cast<std::uint8_t>(p * (i + 3) / 7 + 31 * i);
    images.push_back(std::move(image));
  }
  const EncodedBatch together = encoder->encode(images);
  for (int i = 0; i < 7; ++i) {
    const Image& image = images[static_cast<std::size_t>(i)];
    encoder->encode(std::vector{Image{32, 96, std::vector<std::uint8_t>(32 * 96 * 3, 9)}}, 1);
    const EncodedBatch alone = encoder->encode(std::span(&image, 1));
    EXPECT_GE(test::worst_cosine(together.image_tokens(i), alone.tokens, static_cast<std::size_t>(alone.width)),
              1 - 1e-6);
    std::vector<float> pixels(image.rgb.size());
    for (std::size_t p = 0; p < pixels.size() / 3; ++p) {
      for (std::size_t c = 0; c < 3; ++c)
        pixels[c * (pixels.size() / 3) + p] = static_cast<float>(image.rgb[3 * p + c]) / 255.0f;
    }
    EXPECT_EQ(encoder->encode_pixels(pixels, 1, 48, 64).tokens, alone.tokens);
  }
}

std::string error_with(const std::function<void(json& stem, json& kwargs)>& change) {
  test::TemporaryDir folder;
  std::ifstream stream(stem_dir() / "config.json");
  json config = json::parse(stream);
  json& kwargs = config["args"]["model_kwargs"];
  change(kwargs["stem"], kwargs);
  std::ofstream(folder.path() / "config.json") << config;
  std::filesystem::copy_file(stem_dir() / "model.safetensors", folder.path() / "model.safetensors");
  EncoderOptions options;
  options.compute = ComputeType::kF32;
  try {
    Encoder::load(folder.path(), options);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadModel) << error.what();
    return error.what();
  }
  return "accepted";
}

TEST(Stem, WrongDescriptions) {
  const auto layer = [](std::size_t index, const std::string& key, const json& value) {
    return error_with([&](json& stem, json&) { stem["layers"][index][key] = value; });
  };
  EXPECT_EQ(error_with([](json&, json&) {}), "accepted");
  EXPECT_THAT(layer(1, "kind", "dense"), HasSubstr("layers[1].kind is none of"));
  EXPECT_THAT(layer(1, "dilation", 2), HasSubstr("layers[1].dilation is not known"));
  EXPECT_THAT(layer(1, "activation", "gelu"), HasSubstr("layers[1].activation is neither"));
  EXPECT_THAT(layer(1, "padding", "valid"), HasSubstr("layers[1].padding"));
  EXPECT_THAT(layer(1, "name", "conv"), HasSubstr("is used twice"));
  EXPECT_THAT(layer(1, "name", "a/b"), HasSubstr("is not a name"));
  EXPECT_THAT(layer(1, "name", "global"), HasSubstr("is not a name"));
  EXPECT_THAT(layer(1, "name", "token0"), HasSubstr("is not a name"));
  EXPECT_THAT(layer(1, "in", 9), HasSubstr("does not match the 8 channels"));
  EXPECT_THAT(layer(1, "out", 16), HasSubstr("differs from in"));
  EXPECT_THAT(layer(1, "stride", 0), HasSubstr("layers[1].stride"));
  EXPECT_THAT(layer(1, "kernel", "3"), HasSubstr("layers[1].kernel is not an integer"));
  EXPECT_THAT(layer(2, "kernel", 3), HasSubstr("pointwise layer must be 1"));
  EXPECT_THAT(layer(1, "name", "image"), HasSubstr("is not a name"));
  EXPECT_THAT(layer(1, "name", "regions.fc1"), HasSubstr("is not a name"));
  const auto regions = [](const std::string& key, const json& value) {
    return error_with([&](json& stem, json&) { stem["regions"][key] = value; });
  };
  EXPECT_THAT(regions("hidden", 0), HasSubstr("regions.hidden"));
  EXPECT_THAT(regions("hidden", 11), HasSubstr("stem.regions.fc1.bias has shape"));
  EXPECT_THAT(regions("boxes", json::array()), HasSubstr("regions.boxes is not a list of 1 to 64 regions"));
  EXPECT_THAT(regions("boxes", {{0, 12, 6}}), HasSubstr("in twelfths: [0,12,6]"));
  EXPECT_THAT(regions("boxes", {{0, 13, 0, 6}}), HasSubstr("in twelfths: [0,13,0,6]"));
  EXPECT_THAT(regions("boxes", {{6, 6, 0, 6}}), HasSubstr("in twelfths: [6,6,0,6]"));
  EXPECT_THAT(regions("boxes", {{0, 6, 0, 6}}), HasSubstr("stem.regions.fc1.weight has shape"));
  EXPECT_THAT(regions("scale", 2), HasSubstr("regions.scale is not known"));
  EXPECT_THAT(error_with([](json& stem, json&) { stem.erase("regions"); }), HasSubstr("stem.regions.fc1.bias of"));
  EXPECT_THAT(layer(2, "add", "head"), HasSubstr("names no earlier layer"));
  EXPECT_THAT(layer(2, "from", "head"), HasSubstr("layers[2].from names no earlier layer: head"));
  EXPECT_THAT(layer(2, "from", "image"), HasSubstr("does not match the 3 channels"));
  EXPECT_THAT(layer(7, "add", "conv"), HasSubstr("another output shape"));
  EXPECT_THAT(layer(1, "kernel", 5), HasSubstr("stem.block0.depthwise.weight has shape"));
  EXPECT_THAT(error_with([](json& stem, json&) { stem["layers"] = json::array(); }), HasSubstr("list of layers"));
  EXPECT_THAT(error_with([](json& stem, json&) { stem["patch_maps"] = {"conv"}; }), HasSubstr("map of stride 2"));
  EXPECT_THAT(error_with([](json& stem, json&) { stem["patch_maps"] = {"none"}; }), HasSubstr("names no layer"));
  EXPECT_THAT(error_with([](json& stem, json&) {
                stem["patch_maps"] = {"block4.project"};
                stem.erase("regions");
              }),
              HasSubstr("embedder"));
  EXPECT_THAT(error_with([](json& stem, json&) { stem.erase("global_map"); }), HasSubstr("global_map is missing"));
  EXPECT_THAT(error_with([](json& stem, json&) { stem["extra"] = 1; }), HasSubstr("stem.extra is not known"));
  EXPECT_THAT(error_with([](json& stem, json& kwargs) {
                (void)stem;
                kwargs["cpe_max_size"] = 112;
              }),
              HasSubstr("cpe_max_size"));
  test::TemporaryDir folder;  // stem tensors without a description
  std::ifstream stream(stem_dir() / "config.json");
  json config = json::parse(stream);
  config["args"]["model_kwargs"].erase("stem");
  config["args"]["model_kwargs"].erase("img_size");
  config.erase("patch_size");
  std::ofstream(folder.path() / "config.json") << config;
  std::filesystem::copy_file(stem_dir() / "model.safetensors", folder.path() / "model.safetensors");
  EXPECT_THROW(Encoder::load(folder.path()), Error);
}

}  // namespace
}  // namespace tessera
