// Strict loading: every tensor missing, misshapen or mistyped, shards that contradict their index, wrong configs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "model_test_support.h"
#include "tessera/encoder.h"
#include "tessera/error.h"

namespace tessera {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr const char* kPositions = "radio_model.model.patch_generator.pos_embed";

// Golden model `d`, whose every optional tensor is present, open to change before it is written.
struct Draft {
  json config;
  std::map<std::string, TensorToWrite> tensors;

  Draft() : file_(test::golden_dir() / "radio1d-tiny-d.safetensors") {
    std::ifstream stream(test::golden_dir() / "radio1d-tiny-d.config.json");
    config = json::parse(stream);
    for (const auto& [name, view] : file_.tensors()) tensors[name] = {name, view.type, view.shape, view.data};
  }
  json& kwargs() { return config["args"]["model_kwargs"]; }

  void write(const std::filesystem::path& folder) const {
    std::ofstream(folder / "config.json") << config;
    std::vector<TensorToWrite> list;
    for (const auto& entry : tensors) list.push_back(entry.second);
    write_safetensors(folder / "model.safetensors", list);
  }

 private:
  SafetensorsFile file_;
};

EncoderOptions f32_options() {
  EncoderOptions options;
  options.compute = ComputeType::kF32;
  options.threads = 1;
  return options;
}

// The message of the error that loading the folder gives; the code must be `code`.
std::string load_error(const std::filesystem::path& folder, ErrorCode code) {
  try {
    Encoder::load(folder, f32_options());
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "the model was accepted";
  return {};
}

std::string draft_error(const Draft& draft, ErrorCode code = ErrorCode::kBadModel) {
  test::TemporaryDir folder;
  draft.write(folder.path());
  return load_error(folder.path(), code);
}

void expect_accepted(const Draft& draft) {
  test::TemporaryDir folder;
  draft.write(folder.path());
  EXPECT_NO_THROW(Encoder::load(folder.path(), f32_options()));
}

// Tensors that a checkpoint may lack.
bool is_optional(const std::string& name) {
  return name.ends_with("_iter_count") || name.find("norm_pre.") != std::string::npos;
}

TEST(StrictLoader, EveryMissingTensorIsNamed) {
  const Draft whole;
  for (const auto& entry : whole.tensors) {
    Draft draft;
    draft.tensors.erase(entry.first);
    if (is_optional(entry.first)) {
      expect_accepted(draft);
      continue;
    }
    const std::string message = draft_error(draft);
    EXPECT_THAT(message, testing::AnyOf(HasSubstr("tensor radio_model."), HasSubstr("the tensors show"),
                                        HasSubstr("LayerScale tensors"), HasSubstr("change their width")))
        << entry.first;
  }
}

TEST(StrictLoader, EveryWrongShapeIsNamed) {
  const Draft whole;
  for (const auto& entry : whole.tensors) {
    if (is_optional(entry.first)) continue;
    Draft draft;
    draft.tensors[entry.first].shape.push_back(1);
    EXPECT_THAT(draft_error(draft), HasSubstr(entry.first));
  }
}

TEST(StrictLoader, WrongTypesAreNamed) {
  for (const char* name : {"radio_model.model.blocks.0.attn.qkv.weight", "radio_model.model.decoder.norm.weight"}) {
    Draft draft;
    TensorToWrite& tensor = draft.tensors[name];
    const std::vector<std::byte> wide(tensor.data.size() * 2);
    tensor.type = TensorType::kI64;
    tensor.data = wide;
    EXPECT_THAT(draft_error(draft), HasSubstr(name));
  }
  Draft draft;
  const std::vector<float> slots = {0.0f};
  draft.tensors["radio_model.summary_idxs"] = {
      "radio_model.summary_idxs", TensorType::kF32, {1}, std::as_bytes(std::span(slots))};
  EXPECT_THAT(draft_error(draft), HasSubstr("summary_idxs is not of type I64"));
}

TEST(StrictLoader, ValuesThatCannotBeUsed) {
  Draft slots;
  const std::vector<std::int64_t> outside = {3};
  slots.tensors["radio_model.summary_idxs"].data = std::as_bytes(std::span(outside));
  EXPECT_THAT(draft_error(slots), HasSubstr("summary_idxs names prefix token 3 of 3"));
  Draft conditioner;
  const std::vector<float> zeros(3);
  conditioner.tensors["radio_model.input_conditioner.norm_std"].data = std::as_bytes(std::span(zeros));
  EXPECT_THAT(draft_error(conditioner), HasSubstr("norm_std"));
}

TEST(StrictLoader, UnknownNamesAreRefusedAndHarmlessOnesAccepted) {
  const std::vector<float> values(4);
  const auto with = [&](const std::string& name) {
    Draft draft;
    draft.tensors[name] = {name, TensorType::kF32, {4}, std::as_bytes(std::span(values))};
    return draft;
  };
  EXPECT_THAT(draft_error(with("radio_model.model.blocks.0.attn.extra")), HasSubstr("blocks.0.attn.extra"));
  EXPECT_THAT(draft_error(with("radio_model.model.blocks.9.norm1.bias")), HasSubstr("blocks.9.norm1.bias"));
  EXPECT_THAT(draft_error(with("lm_head.weight")), HasSubstr("lm_head.weight"));
  EXPECT_THAT(draft_error(with("radio_model.feature_normalizer.mean")), HasSubstr("feature_normalizer.mean"));
  expect_accepted(with("radio_model.adaptors.dino.head_mlp.fc1.weight"));
  expect_accepted(with("radio_model.inter_feature_normalizer.means"));
  expect_accepted(with("radio_model.model.dynamic_rate_vec"));
}

TEST(WrongConfig, ValuesThatContradictTheTensors) {
  const auto with = [](const std::function<void(Draft&)>& change, ErrorCode code = ErrorCode::kBadModel) {
    Draft draft;
    change(draft);
    return draft_error(draft, code);
  };
  EXPECT_THAT(with([](Draft& d) { d.config.erase("args"); }), HasSubstr("args is missing"));
  EXPECT_THAT(with([](Draft& d) { d.config["args"] = 3; }), HasSubstr("args is not an object"));
  EXPECT_THAT(with([](Draft& d) { d.config["args"].erase("model_kwargs"); }),
              HasSubstr("args.model_kwargs is missing"));
  EXPECT_THAT(with([](Draft& d) { d.kwargs()["depth"] = 5; }), HasSubstr("depth is 5 but the tensors show 4"));
  EXPECT_THAT(with([](Draft& d) { d.kwargs()["depth"] = "4"; }), HasSubstr("depth is not an integer"));
  EXPECT_THAT(with([](Draft& d) { d.kwargs()["embed_dim"] = 32; }), HasSubstr("embed_dim is 32"));
  EXPECT_THAT(with([](Draft& d) { d.kwargs()["downscale_levels"] = {2}; }), HasSubstr("downscale_levels is 2"));
  EXPECT_THAT(with([](Draft& d) { d.kwargs()["downscale_levels"] = json::array(); }),
              HasSubstr("list of block numbers"));
  EXPECT_THAT(with([](Draft& d) { d.kwargs()["cpe_max_size"] = 128; }), HasSubstr("cpe_max_size is 128"));
  EXPECT_THAT(with([](Draft& d) { d.kwargs()["num_heads"] = 4; }), HasSubstr("num_heads is 4 but the tensors show 2"));
  EXPECT_THAT(with([](Draft& d) { d.kwargs()["qk_norm"] = false; }), HasSubstr("qk_norm is false"));
  EXPECT_THAT(with([](Draft& d) { d.kwargs()["pre_norm"] = false; }), HasSubstr("pre_norm is false"));
  EXPECT_THAT(with([](Draft& d) { d.kwargs()["num_cls_tokens"] = 9; }), HasSubstr("num_cls_tokens"));
  EXPECT_THAT(with([](Draft& d) { d.kwargs()["decoder_depth"] = 3; }), HasSubstr("decoder_depth is 3"));
  EXPECT_THAT(with([](Draft& d) { d.kwargs()["progressive_reduction"] = 1; }), HasSubstr("neither true nor false"));
  EXPECT_THAT(with([](Draft& d) { d.config["args"]["model_norm"] = true; }), HasSubstr("model_norm is true"));
  EXPECT_THAT(with([](Draft& d) { d.config["patch_size"] = 14; }), HasSubstr("patch_size is 14"));
  EXPECT_THAT(with([](Draft& d) { d.config["preferred_resolution"] = "512"; }), HasSubstr("preferred_resolution"));
  EXPECT_THAT(with([](Draft& d) { d.config["tessera"] = {{"trained", "no"}}; }), HasSubstr("tessera.trained"));
  const auto unsupported = ErrorCode::kUnsupported;
  EXPECT_THAT(with([](Draft& d) { d.kwargs()["downscale_levels"] = {1, 2}; }, unsupported), HasSubstr("more than one"));
  EXPECT_THAT(with([](Draft& d) { d.config["vitdet_window_size"] = 7; }, unsupported), HasSubstr("windowed"));
  EXPECT_THAT(with([](Draft& d) { d.kwargs()["img_size"] = 96; }, unsupported), HasSubstr("equals img_size"));
}

TEST(WrongConfig, FilesMissingOrNotJson) {
  test::TemporaryDir folder;
  EXPECT_THAT(load_error(folder.path() / "absent", ErrorCode::kNotFound), HasSubstr("no model folder"));
  EXPECT_THAT(load_error(folder.path(), ErrorCode::kNotFound), HasSubstr("has no config.json"));
  std::ofstream(folder.path() / "config.json") << "{\"args\": ";
  EXPECT_THAT(load_error(folder.path(), ErrorCode::kBadModel), HasSubstr("not a valid JSON object"));
  std::ofstream(folder.path() / "config.json") << "[]";
  EXPECT_THAT(load_error(folder.path(), ErrorCode::kBadModel), HasSubstr("not a valid JSON object"));
  std::ofstream(folder.path() / "config.json") << "{}";
  EXPECT_THAT(load_error(folder.path(), ErrorCode::kNotFound), HasSubstr("has neither model.safetensors nor"));
  std::ofstream(folder.path() / "model.safetensors") << "not a model";
  EXPECT_THAT(load_error(folder.path(), ErrorCode::kDamaged), HasSubstr("model.safetensors"));
}

TEST(WrongConfig, AbsentOptionalKeysTakeTheirDefaults) {
  Draft draft;
  draft.kwargs() = json::object();
  draft.config.erase("version");
  draft.config["tessera"] = {{"trained", false}};
  test::TemporaryDir folder;
  draft.write(folder.path());
  const auto encoder = Encoder::load(folder.path(), f32_options());
  EXPECT_EQ(encoder->config().heads, 2);  // from q_norm
  EXPECT_FALSE(encoder->config().progressive_reduction);
  EXPECT_FALSE(encoder->info().trained);
  EXPECT_EQ(encoder->info().model_name, folder.path().filename().string());
  const auto other = [&] {
    EncoderOptions options = f32_options();
    options.progressive_reduction = true;
    return Encoder::load(folder.path(), options);
  }();
  EXPECT_TRUE(other->config().progressive_reduction);
  EXPECT_NE(other->info().weights_hash, encoder->info().weights_hash);
}

class ShardTest : public testing::Test {
 protected:
  ShardTest() {
    std::filesystem::copy(test::golden_dir() / "radio1d-tiny-d-sharded", folder_.path());
    std::ifstream stream(index_path());
    index_ = json::parse(stream);
  }
  std::filesystem::path index_path() const { return folder_.path() / "model.safetensors.index.json"; }
  void write_index() const { std::ofstream(index_path()) << index_; }
  json& entry(const std::string& name) { return index_["weight_map"][name]; }

  static constexpr const char* kFirst = "model-00001-of-00002.safetensors";
  static constexpr const char* kSecond = "model-00002-of-00002.safetensors";
  test::TemporaryDir folder_;
  json index_;
};

TEST_F(ShardTest, HashDoesNotDependOnSharding) {
  test::TemporaryDir single;
  test::make_golden_model("radio1d-tiny-d", "radio1d-tiny-d", single.path());
  EXPECT_EQ(Encoder::load(folder_.path(), f32_options())->info().weights_hash,
            Encoder::load(single.path(), f32_options())->info().weights_hash);
}

TEST_F(ShardTest, ContradictionsBetweenIndexAndShards) {
  std::string& place = entry(kPositions).get_ref<std::string&>();
  const std::string original = place;
  place = original == kFirst ? kSecond : kFirst;
  write_index();
  EXPECT_THAT(load_error(folder_.path(), ErrorCode::kBadModel), HasSubstr("pos_embed is in"));
  place = "model-00003-of-00002.safetensors";
  write_index();
  EXPECT_THAT(load_error(folder_.path(), ErrorCode::kBadModel), HasSubstr("model-00003-of-00002.safetensors"));
  place = "../model-00001-of-00002.safetensors";
  write_index();
  EXPECT_THAT(load_error(folder_.path(), ErrorCode::kBadModel), HasSubstr("does not name a file beside it"));
  entry(kPositions) = 5;
  write_index();
  EXPECT_THAT(load_error(folder_.path(), ErrorCode::kBadModel), HasSubstr("is no string"));
  index_["weight_map"].erase(kPositions);
  write_index();
  EXPECT_THAT(load_error(folder_.path(), ErrorCode::kBadModel), HasSubstr("is not in the index"));
  entry(kPositions) = original;
  entry("radio_model.model.ghost") = kFirst;
  write_index();
  EXPECT_THAT(load_error(folder_.path(), ErrorCode::kBadModel), HasSubstr("tensor radio_model.model.ghost is not in"));
  index_.erase("weight_map");
  write_index();
  EXPECT_THAT(load_error(folder_.path(), ErrorCode::kBadModel), HasSubstr("no weight_map"));
}

TEST_F(ShardTest, MissingDuplicateAndTruncatedShards) {
  std::filesystem::rename(folder_.path() / kSecond, folder_.path() / "aside");
  EXPECT_THAT(load_error(folder_.path(), ErrorCode::kBadModel), HasSubstr("is missing"));
  std::filesystem::copy_file(folder_.path() / kFirst, folder_.path() / kSecond);
  EXPECT_THAT(load_error(folder_.path(), ErrorCode::kBadModel), HasSubstr("and again in"));
  std::filesystem::rename(folder_.path() / "aside", folder_.path() / kSecond);
  std::filesystem::copy_file(folder_.path() / kFirst, folder_.path() / "model.safetensors");
  EXPECT_THAT(load_error(folder_.path(), ErrorCode::kBadModel), HasSubstr("has both"));
  std::filesystem::remove(folder_.path() / "model.safetensors");
  std::filesystem::resize_file(folder_.path() / kSecond, 100'000);
  EXPECT_THAT(load_error(folder_.path(), ErrorCode::kDamaged), HasSubstr("truncated"));
}

}  // namespace
}  // namespace tessera
