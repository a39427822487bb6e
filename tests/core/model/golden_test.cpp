// The encoder and decoder reproduce the reference implementation's numbers: every tensor of every golden case.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "backend_variants.h"
#include "model_test_support.h"
#include "tessera/encoder.h"

namespace tessera {
namespace {

using test::Captured;

struct GoldenModel {
  const char* name;     // of the folder made for it and of the IO file
  const char* weights;  // file stem
  const char* config;   // file stem
};

void PrintTo(const GoldenModel& model, std::ostream* out) { *out << model.name; }

constexpr GoldenModel kModels[] = {
    {"a", "radio1d-tiny-a", "radio1d-tiny-a"},   {"b", "radio1d-tiny-b", "radio1d-tiny-b"},
    {"b0", "radio1d-tiny-b", "radio1d-tiny-b0"}, {"c", "radio1d-tiny-c", "radio1d-tiny-c"},
    {"d", "radio1d-tiny-d", "radio1d-tiny-d"},   {"d_sharded", nullptr, nullptr},
};

void lay_out(const GoldenModel& model, const std::filesystem::path& folder) {
  if (model.weights != nullptr) {
    test::make_golden_model(model.weights, model.config, folder);
  } else {
    std::filesystem::copy(test::golden_dir() / "radio1d-tiny-d-sharded", folder);
  }
}

std::filesystem::path io_file(const GoldenModel& model) {
  const std::string name = model.weights == nullptr ? "d" : model.name;
  return test::golden_dir() / ("radio1d-tiny-" + name + "-io.safetensors");
}

// The IO file and the bookkeeping that every one of its tensors is compared.
class Golden {
 public:
  explicit Golden(const GoldenModel& model) : file_(io_file(model)) {
    cases_ = nlohmann::json::parse(file_.metadata().at("cases"));
  }

  const nlohmann::json& cases() const { return cases_; }
  std::vector<float> values(const std::string& name) const { return to_float(file_.tensors().at(name)); }

  // Largest absolute difference to tensor `name`, or nothing if the file does not list it.
  std::optional<double> compare(const std::string& name, const Captured& actual) {
    const auto position = file_.tensors().find(name);
    if (position == file_.tensors().end()) return std::nullopt;
    compared_.insert(name);
    EXPECT_EQ(actual.shape, position->second.shape) << name;
    const std::vector<float> expected = to_float(position->second);
    if (actual.values.size() != expected.size()) return INFINITY;
    double worst = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const double difference = std::abs(double{actual.values[i]} - expected[i]);
      worst = difference <= worst ? worst : difference;  // NaN becomes the worst
    }
    return worst;
  }

  std::vector<std::string> left_out() const {
    std::vector<std::string> names;
    for (const auto& [name, view] : file_.tensors()) {
      if (!compared_.contains(name) && !name.ends_with(".input")) names.push_back(name);
    }
    return names;
  }

 private:
  SafetensorsFile file_;
  nlohmann::json cases_;
  std::set<std::string> compared_;
};

// Undoes the patch order: [B, N, 3pp] -> [B, 3, H, W].
Captured unpatchify(const Captured& patches, int batch, int rows, int columns, int patch) {
  Captured image;
  image.shape = {batch, 3, rows * patch, columns * patch};
  image.values.resize(patches.values.size());
  std::size_t index = 0;
  for (int b = 0; b < batch; ++b)
    for (int gy = 0; gy < rows; ++gy)
      for (int gx = 0; gx < columns; ++gx)
        for (int c = 0; c < 3; ++c)
          for (int y = 0; y < patch; ++y)
            for (int x = 0; x < patch; ++x) {
              const int row = gy * patch + y, column = gx * patch + x;
              const int place = ((b * 3 + c) * rows * patch + row) * columns * patch + column;
              image.values[static_cast<std::size_t>(place)] = patches.values[index++];
            }
  return image;
}

Captured summary_of(const std::vector<float>& prefix, int batch, int count, int width, const std::vector<int>& slots) {
  Captured result;
  result.shape = {batch, static_cast<std::int64_t>(slots.size()) * width};
  for (int b = 0; b < batch; ++b) {
    for (const int slot : slots) {
      const auto begin = prefix.begin() + std::ptrdiff_t{1} * (b * count + slot) * width;
      result.values.insert(result.values.end(), begin, begin + width);
    }
  }
  return result;
}

// Decoder output as the reference gives it: prefix, then grid.
Captured join(const DecodedBatch& decoded) {
  Captured result;
  const int cells = decoded.grid_height * decoded.grid_width;
  result.shape = {decoded.batch, decoded.prefix_count + cells, decoded.width};
  const auto append = [&](const std::vector<float>& values, int image, int count) {
    const auto begin = values.begin() + std::ptrdiff_t{1} * image * count * decoded.width;
    result.values.insert(result.values.end(), begin, begin + std::ptrdiff_t{1} * count * decoded.width);
  };
  for (int image = 0; image < decoded.batch; ++image) {
    append(decoded.prefix, image, decoded.prefix_count);
    append(decoded.dense, image, cells);
  }
  return result;
}

using Results = std::map<std::string, Captured>;

// Everything the graph gives for one case and one requested token count, under the IO file's names.
Results run(test::LoadedGraph& model, const std::string& name, const nlohmann::json& shape, const std::string& count,
            const std::vector<float>& pixels) {
  const int batch = shape["batch"], rows = shape["grid"][0], columns = shape["grid"][1];
  const int requested = count == "all" ? kAllTokens : std::stoi(count);
  const ModelConfig& config = model.graph->config();
  const std::string with_count = name + ".n" + count + ".";
  Results results;
  test::Trace trace;
  const EncodedBatch encoded = model.graph->encode({{}, pixels, batch, {rows, columns}}, requested, trace.tap());
  for (const auto& [tensor, captured] : trace.tensors()) {
    results[name + "." + tensor] = captured;
    results[with_count + tensor] = captured;
  }
  const Captured& patches = trace.tensors().at("patches");
  results[name + ".conditioned"] = unpatchify(patches, batch, rows, columns, config.patch);
  EXPECT_EQ(encoded.token_count, shape["num_tokens"][count].get<int>());
  results[with_count + "prefix"] = {encoded.prefix, {batch, encoded.prefix_count, encoded.width}};
  results[with_count + "tokens"] = {encoded.tokens, {batch, encoded.token_count, encoded.width}};
  results[with_count + "hf.encoder.summary"] =
      summary_of(encoded.prefix, batch, encoded.prefix_count, encoded.width, config.summary_slots);

  trace.clear();
  const DecodedBatch decoded = model.graph->decode(encoded, trace.tap());
  for (const auto& [tensor, captured] : trace.tensors()) results[with_count + tensor] = captured;
  results[with_count + "decoder"] = join(decoded);
  results[with_count + "hf.decoder.summary"] =
      summary_of(decoded.prefix, batch, decoded.prefix_count, decoded.width, config.summary_slots);
  return results;
}

using Variant = std::tuple<GoldenModel, test::BackendVariant>;

std::string test_name(const testing::TestParamInfo<Variant>& info) {
  return std::string(std::get<0>(info.param).name) + "_" + std::get<1>(info.param).name;
}

class GoldenTest : public testing::TestWithParam<Variant> {};

// 5e-5 absolute: the reference's own float32 noise is at most 9.2e-6.
TEST_P(GoldenTest, EveryTensorInF32) {
  constexpr double kTolerance = 5e-5;
  const auto& [golden_model, variant] = GetParam();
  test::TemporaryDir folder;
  lay_out(golden_model, folder.path());
  test::LoadedGraph model(folder.path(), variant.make());
  Golden golden(golden_model);
  for (const auto& [name, shape] : golden.cases().items()) {
    const std::vector<float> pixels = golden.values(name + ".input");
    for (const auto& [count, effective] : shape["num_tokens"].items()) {
      for (const auto& [tensor, captured] : run(model, name, shape, count, pixels)) {
        const auto difference = golden.compare(tensor, captured);
        if (difference) {
          EXPECT_LE(*difference, kTolerance) << tensor;
        }
      }
    }
  }
  EXPECT_EQ(golden.left_out(), std::vector<std::string>());
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenTest,
                         testing::Combine(testing::ValuesIn(kModels),
                                          testing::ValuesIn(test::backend_variants(DType::kF32))),
                         test_name);

// bf16 measured: 0.99992 and better for tokens and prefix, 0.9994 and better for the decoder's cells.
double least_cosine(DType type) { return type == DType::kF16 ? 0.99999 : 0.999; }

class GoldenReducedTest : public testing::TestWithParam<Variant> {};

TEST_P(GoldenReducedTest, TokensPointTheSameWay) {
  const auto& [golden_model, variant] = GetParam();
  const double least = least_cosine(variant.type);
  test::TemporaryDir folder;
  lay_out(golden_model, folder.path());
  test::LoadedGraph model(folder.path(), variant.make());
  const Golden golden(golden_model);
  const auto width = static_cast<std::size_t>(model.graph->config().token_width());
  for (const auto& [name, shape] : golden.cases().items()) {
    const std::vector<float> pixels = golden.values(name + ".input");
    for (const auto& [count, effective] : shape["num_tokens"].items()) {
      const int requested = count == "all" ? kAllTokens : std::stoi(count);
      const EncodedBatch encoded =
          model.graph->encode({{}, pixels, shape["batch"], {shape["grid"][0], shape["grid"][1]}}, requested);
      const DecodedBatch decoded = model.graph->decode(encoded);
      const std::string with_count = name + ".n" + count + ".";
      EXPECT_GE(test::worst_cosine(encoded.tokens, golden.values(with_count + "tokens"), width), least) << name;
      EXPECT_GE(test::worst_cosine(encoded.prefix, golden.values(with_count + "prefix"), width), least) << name;
      EXPECT_GE(test::worst_cosine(join(decoded).values, golden.values(with_count + "decoder"), width / 2), least)
          << name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenReducedTest,
                         testing::Combine(testing::ValuesIn(kModels), testing::ValuesIn(test::reduced_variants())),
                         test_name);

// The public interface gives the same numbers as the graph, summaries included.
TEST(GoldenEncoder, PublicInterface) {
  test::TemporaryDir folder;
  test::make_golden_model("radio1d-tiny-a", "radio1d-tiny-a", folder.path());
  Golden golden(kModels[0]);
  EncoderOptions options;
  options.compute = ComputeType::kF32;
  options.load_decoder = true;
  const auto encoder = Encoder::load(folder.path(), options);
  EXPECT_EQ(encoder->info().model_name, "c-radio_v4-h");
  EXPECT_EQ(encoder->info().compute, ComputeType::kF32);
  EXPECT_TRUE(encoder->info().trained);
  EXPECT_EQ(encoder->info().weights_hash.size(), 32u);
  const EncodedBatch encoded = encoder->encode_pixels(golden.values("sq64.input"), 2, 64, 64, 4);
  EXPECT_LE(*golden.compare("sq64.n4.tokens", {encoded.tokens, {2, 4, 128}}), 5e-5);
  EXPECT_LE(*golden.compare("sq64.n4.hf.encoder.summary", {encoder->summary(encoded), {2, 256}}), 5e-5);
  EXPECT_LE(*golden.compare("sq64.n4.decoder", join(encoder->decode(encoded))), 5e-5);
}

}  // namespace
}  // namespace tessera
