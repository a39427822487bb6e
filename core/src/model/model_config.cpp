// Model shape from tensors and config.json: inference, and every contradiction between the two is an error.
#include <cmath>
#include <cstring>
#include <string>

#include "model/config_reader.h"
#include "model/config_section.h"
#include "model/stem_config.h"
#include "tessera/error.h"

namespace tessera {
namespace {

using Json = nlohmann::json;
using Section = ConfigSection;

constexpr std::int64_t kMaxExtent = 1 << 20;  // no dimension of a sane model is larger

std::vector<std::int64_t> shape_of(const Checkpoint& checkpoint, const std::string& name, std::size_t rank) {
  const TensorView* tensor = checkpoint.find(name);
  if (tensor == nullptr) throw Error(ErrorCode::kBadModel, "tensor " + name + " is missing");
  if (tensor->shape.size() != rank) {
    throw Error(ErrorCode::kBadModel, "tensor " + name + " has " + std::to_string(tensor->shape.size()) +
                                          " dimensions, not " + std::to_string(rank));
  }
  for (const std::int64_t extent : tensor->shape) {
    if (extent < 1 || extent > kMaxExtent) {
      throw Error(ErrorCode::kBadModel, "tensor " + name + " has a dimension of " + std::to_string(extent));
    }
  }
  return tensor->shape;
}

int exact_root(std::int64_t value, const std::string& name) {
  const auto root = static_cast<std::int64_t>(std::llround(std::sqrt(static_cast<double>(value))));
  if (root * root != value) {
    throw Error(ErrorCode::kBadModel, "tensor " + name + " does not hold a square: " + std::to_string(value));
  }
  return static_cast<int>(root);
}

std::string block_name(const std::string& prefix, int block, const char* tensor) {
  return prefix + "blocks." + std::to_string(block) + "." + tensor;
}

// Widths of blocks 0, 1, ... as long as there is one.
std::vector<int> block_widths(const Checkpoint& checkpoint, const std::string& prefix) {
  std::vector<int> widths;
  while (checkpoint.has(block_name(prefix, static_cast<int>(widths.size()), "norm1.weight"))) {
    const std::string name = block_name(prefix, static_cast<int>(widths.size()), "norm1.weight");
    widths.push_back(static_cast<int>(shape_of(checkpoint, name, 1)[0]));
  }
  if (widths.empty())
    throw Error(ErrorCode::kBadModel, "tensor " + block_name(prefix, 0, "norm1.weight") + " is missing");
  return widths;
}

// The one block at which the width goes from `from` to `to`.
int width_change(const std::vector<int>& widths, int from, int to, const std::string& prefix) {
  std::size_t change = 0;
  while (change < widths.size() && widths[change] == from) ++change;
  for (std::size_t block = change; block < widths.size(); ++block) {
    if (widths[block] != to) {
      throw Error(ErrorCode::kBadModel, "tensor " + block_name(prefix, static_cast<int>(block), "norm1.weight") +
                                            " has width " + std::to_string(widths[block]) + " where " +
                                            std::to_string(to) + " is expected");
    }
  }
  if (change == 0 || change == widths.size()) {
    throw Error(ErrorCode::kBadModel, "the blocks under " + prefix + " do not change their width from " +
                                          std::to_string(from) + " to " + std::to_string(to));
  }
  return static_cast<int>(change);
}

std::vector<int> mlp_widths(const Checkpoint& checkpoint, const std::string& prefix, std::size_t depth) {
  std::vector<int> widths;
  for (std::size_t block = 0; block < depth; ++block) {
    const std::string name = block_name(prefix, static_cast<int>(block), "mlp.fc1.weight");
    widths.push_back(static_cast<int>(shape_of(checkpoint, name, 2)[0]));
  }
  return widths;
}

std::vector<int> summary_slots(const Checkpoint& checkpoint, int prefix_tokens) {
  const std::string name = std::string(kWrapperPrefix) + "summary_idxs";
  const std::int64_t count = shape_of(checkpoint, name, 1)[0];
  const TensorView& tensor = *checkpoint.find(name);
  if (tensor.type != TensorType::kI64) throw Error(ErrorCode::kBadModel, "tensor " + name + " is not of type I64");
  std::vector<int> slots;
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t slot = 0;
    std::memcpy(&slot, tensor.data.data() + i * 8, sizeof slot);
    if (slot < 0 || slot >= prefix_tokens) {
      throw Error(ErrorCode::kBadModel, "tensor " + name + " names prefix token " + std::to_string(slot) + " of " +
                                            std::to_string(prefix_tokens));
    }
    slots.push_back(static_cast<int>(slot));
  }
  return slots;
}

std::optional<DecoderConfig> infer_decoder(const Checkpoint& checkpoint, const ModelConfig& config) {
  const std::string prefix = std::string(kModelPrefix) + "decoder.";
  bool present = false;
  for (const std::string& name : checkpoint.names()) present = present || name.starts_with(prefix);
  if (!present) return std::nullopt;
  const std::vector<int> widths = block_widths(checkpoint, prefix);
  if (config.heads % 2 != 0) {
    throw Error(ErrorCode::kBadModel,
                "the decoder halves the heads at its split, but num_heads is " + std::to_string(config.heads));
  }
  DecoderConfig decoder;
  decoder.depth = static_cast<int>(widths.size());
  decoder.split_block = width_change(widths, config.token_width(), config.width, prefix);
  const std::string filler = prefix + "filler_tokens";
  decoder.filler_grid = exact_root(shape_of(checkpoint, filler, 2)[0], filler);
  decoder.heads = config.heads;
  decoder.mlp_widths = mlp_widths(checkpoint, prefix, widths.size());
  return decoder;
}

void refuse_other_variants(const Section& top, const Section& kwargs) {
  if (const auto window = top.integer("vitdet_window_size"); window && *window != 0) {
    throw Error(ErrorCode::kUnsupported, top.error("vitdet_window_size", "asks for windowed attention").what());
  }
  if (top.find("feature_normalizer_config") != nullptr) {
    throw Error(ErrorCode::kUnsupported, top.error("feature_normalizer_config", "is not supported").what());
  }
  const Json* image_size = kwargs.find("img_size");
  const Json* cpe_size = kwargs.find("cpe_max_size");
  if (kwargs.find("stem") == nullptr && image_size != nullptr && cpe_size != nullptr &&
      image_size->is_number_integer() && *image_size == *cpe_size) {
    throw Error(ErrorCode::kUnsupported,
                kwargs.error("cpe_max_size", "equals img_size: positions without resizing are not supported").what());
  }
}

// Heads cannot be seen in the tensors unless q_norm shows the head size.
int infer_heads(const Checkpoint& checkpoint, const Section& kwargs, int width) {
  const auto stated = kwargs.integer("num_heads");
  std::int64_t heads = stated.value_or(16);
  const std::string q_norm = block_name(kModelPrefix, 0, "attn.q_norm.weight");
  if (checkpoint.has(q_norm)) {
    const std::int64_t head_dim = shape_of(checkpoint, q_norm, 1)[0];
    kwargs.expect("num_heads", stated, width / head_dim);
    heads = width / head_dim;
  }
  if (heads < 1 || width % heads != 0) {
    throw kwargs.error("num_heads",
                       "(" + std::to_string(heads) + ") does not divide the width " + std::to_string(width));
  }
  return static_cast<int>(heads);
}

void check_against_config(const Section& top, const Section& args, const Section& kwargs, const ModelConfig& config) {
  top.expect("patch_size", config.patch);
  args.expect_flag("model_norm", config.final_norm);
  kwargs.expect("embed_dim", config.width);
  kwargs.expect("depth", config.depth);
  kwargs.expect("downscale_levels", kwargs.single_level("downscale_levels"), config.merge_block);
  kwargs.expect("cpe_max_size", std::int64_t{config.position_grid} * config.patch);
  kwargs.expect_flag("qk_norm", config.qk_norm);
  kwargs.expect_flag("pre_norm", config.pre_norm);
  kwargs.expect_flag("qkv_bias", config.qkv_bias);
  if (const Json* init = kwargs.find("init_values"); init != nullptr) {
    if (!init->is_number() && !init->is_boolean()) throw kwargs.error("init_values", "is not a number");
    if (!config.layer_scale && *init != 0 && *init != false) {
      throw kwargs.error("init_values", "is set but there are no LayerScale tensors");
    }
  }
  if (const auto classes = kwargs.integer("num_cls_tokens"); classes && *classes > config.prefix_tokens) {
    throw kwargs.error("num_cls_tokens",
                       "is larger than the " + std::to_string(config.prefix_tokens) + " prefix tokens of the file");
  }
  if (config.decoder) {
    kwargs.expect("decoder_depth", config.decoder->depth);
    kwargs.expect("decoder_upscale_levels", kwargs.single_level("decoder_upscale_levels"), config.decoder->split_block);
  }
}

}  // namespace

ModelConfig read_model_config(const Checkpoint& checkpoint) {
  const std::string file = (checkpoint.directory() / "config.json").string();
  const Section top(checkpoint.config(), "", file);
  const Section args = top.section("args");
  const Section kwargs = args.section("model_kwargs");
  refuse_other_variants(top, kwargs);

  const std::string model = kModelPrefix;
  ModelConfig config;
  const std::string embedder = model + "patch_generator.embedder.weight";
  const auto embedder_shape = shape_of(checkpoint, embedder, 2);
  config.width = static_cast<int>(embedder_shape[0]);
  config.stem = read_stem_config(kwargs);
  if (config.stem) {
    config.patch = kStemPatch;
    config.stem->token0_skip = checkpoint.has(model + "patch_generator.stem.token0.weight");
  } else if (embedder_shape[1] % 3 != 0) {
    throw Error(ErrorCode::kBadModel, "tensor " + embedder + " does not take RGB patches: its second dimension is " +
                                          std::to_string(embedder_shape[1]));
  } else {
    config.patch = exact_root(embedder_shape[1] / 3, embedder);
  }
  const std::string positions = model + "patch_generator.pos_embed";
  config.position_grid = exact_root(shape_of(checkpoint, positions, 3)[1], positions);
  config.prefix_tokens = static_cast<int>(shape_of(checkpoint, model + "patch_generator.cls_token.token", 2)[0]);

  const std::vector<int> widths = block_widths(checkpoint, model);
  config.depth = static_cast<int>(widths.size());
  config.merge_block = width_change(widths, config.width, config.token_width(), model);
  config.mlp_widths = mlp_widths(checkpoint, model, widths.size());
  config.heads = infer_heads(checkpoint, kwargs, config.width);
  config.summary_slots = summary_slots(checkpoint, config.prefix_tokens);
  config.final_norm = checkpoint.has(model + "norm.weight");
  config.qk_norm = checkpoint.has(block_name(model, 0, "attn.q_norm.weight"));
  config.layer_scale = checkpoint.has(block_name(model, 0, "ls1.gamma"));
  config.pre_norm = checkpoint.has(model + "patch_generator.patch_normalizer.weight");
  config.qkv_bias = checkpoint.has(block_name(model, 0, "attn.qkv.bias"));
  config.decoder = infer_decoder(checkpoint, config);

  config.progressive_reduction = kwargs.boolean("progressive_reduction").value_or(false);
  config.name =
      top.text("version").value_or(std::filesystem::weakly_canonical(checkpoint.directory()).filename().string());
  if (const Json* preferred = top.find("preferred_resolution"); preferred != nullptr) {
    if (!preferred->is_array() || preferred->empty() || !(*preferred)[0].is_number_unsigned()) {
      throw top.error("preferred_resolution", "is not a pair of sizes");
    }
    config.preferred_size = static_cast<int>((*preferred)[0].get<std::uint32_t>());
  }
  if (top.find("tessera") != nullptr) config.trained = top.section("tessera").boolean("trained").value_or(true);
  check_against_config(top, args, kwargs, config);
  return config;
}

}  // namespace tessera
