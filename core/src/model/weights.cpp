// Strict weight loading: every tensor of the specification is asked for by name and shape, and no other may be there.
#include "model/weights.h"

#include "model/config_reader.h"
#include "model/weight_reader.h"
#include "tessera/error.h"

namespace tessera {
namespace {

constexpr float kBlockEps = 1e-6f;   // block norms, q/k norms, final norms (section 4)
constexpr float kGatherEps = 1e-5f;  // merge, split and patch normaliser (section 4)

struct BlockOptions {
  bool qkv_bias = true;
  bool qk_norm = false;
  bool layer_scale = false;
};

BlockWeights load_block(WeightReader& reader, const std::string& name, int width, int heads, int mlp_width,
                        const BlockOptions& options) {
  BlockWeights block;
  block.width = width;
  block.heads = heads;
  block.mlp_width = mlp_width;
  block.norm1 = reader.norm(name + "norm1", width, kBlockEps);
  block.qkv = reader.linear(name + "attn.qkv", 3 * width, width, options.qkv_bias);
  if (options.qk_norm) {
    block.q_norm = reader.norm(name + "attn.q_norm", width / heads, kBlockEps);
    block.k_norm = reader.norm(name + "attn.k_norm", width / heads, kBlockEps);
  }
  const auto scale = [&](const char* tensor) { return options.layer_scale ? name + tensor : std::string(); };
  block.proj = reader.linear(name + "attn.proj", width, width, true, scale("ls1.gamma"));
  block.norm2 = reader.norm(name + "norm2", width, kBlockEps);
  block.fc1 = reader.linear(name + "mlp.fc1", mlp_width, width, true);
  block.fc2 = reader.linear(name + "mlp.fc2", width, mlp_width, true, scale("ls2.gamma"));
  return block;
}

Conditioning load_conditioning(WeightReader& reader) {
  const std::string name = std::string(kWrapperPrefix) + "input_conditioner.";
  const std::vector<float> mean = reader.values(name + "norm_mean", {3, 1, 1});
  const std::vector<float> std = reader.values(name + "norm_std", {3, 1, 1});
  Conditioning conditioning;
  for (std::size_t c = 0; c < 3; ++c) {
    if (!(std[c] > 0.0f))
      throw Error(ErrorCode::kBadModel, "tensor " + name + "norm_std holds a value that is not > 0");
    conditioning.mean[c] = mean[c];
    conditioning.std[c] = std[c];
  }
  return conditioning;
}

DecoderWeights load_decoder_weights(WeightReader& reader, const ModelConfig& config) {
  const DecoderConfig& decoder = *config.decoder;
  const std::string name = std::string(kModelPrefix) + "decoder.";
  const int wide = config.token_width();
  const int narrow = config.width;
  DecoderWeights weights;
  weights.filler = reader.buffer(name + "filler_tokens", {decoder.filler_grid * decoder.filler_grid, wide});
  weights.prefix_tokens = reader.buffer(name + "prefix_tokens", {config.prefix_tokens, wide});
  for (int block = 0; block < decoder.depth; ++block) {
    const bool before = block < decoder.split_block;
    weights.blocks.push_back(load_block(reader, name + "blocks." + std::to_string(block) + ".", before ? wide : narrow,
                                        before ? decoder.heads : decoder.heads / 2,
                                        decoder.mlp_widths[static_cast<std::size_t>(block)], {.qkv_bias = false}));
  }
  weights.expansion = reader.linear(name + "upscale_blocks.0.expansion", 4 * narrow, wide, false);
  weights.split_norm = reader.norm(name + "upscale_blocks.0.norm", narrow, kGatherEps);
  weights.prefix_proj = reader.linear(name + "prefix_proj_blocks.0", narrow, wide, false);
  weights.norm = reader.norm(name + "norm", narrow, kBlockEps);
  return weights;
}

}  // namespace

ModelWeights load_weights(const Checkpoint& checkpoint, const ModelConfig& config, Backend& backend, bool load_decoder,
                          bool hash) {
  const std::string model = kModelPrefix;
  const int width = config.width;
  const int wide = config.token_width();
  WeightReader reader(checkpoint, backend);
  reader.hasher().add("radio1d;heads=" + std::to_string(config.heads) +
                      ";progressive_reduction=" + std::to_string(config.progressive_reduction) + ";");
  if (!hash) reader.stop_hashing();
  ModelWeights weights;
  weights.conditioning = load_conditioning(reader);
  reader.ignore(std::string(kWrapperPrefix) + "summary_idxs");  // read with the config

  const std::string generator = model + "patch_generator.";
  if (config.stem) weights.stem = load_stem(reader, *config.stem, generator + "stem.", width);
  const int features = config.stem ? config.stem->features() : 3 * config.patch * config.patch;
  weights.embedder = reader.linear(generator + "embedder", width, features, false);
  weights.positions = reader.buffer(generator + "pos_embed", {1, config.position_grid * config.position_grid, width});
  weights.prefix_tokens = reader.buffer(generator + "cls_token.token", {config.prefix_tokens, width});
  if (config.pre_norm) weights.pre_norm = reader.norm(generator + "patch_normalizer", width, kGatherEps);

  const BlockOptions options{config.qkv_bias, config.qk_norm, config.layer_scale};
  for (int block = 0; block < config.depth; ++block) {
    const int factor = block < config.merge_block ? 1 : 2;
    weights.blocks.push_back(load_block(reader, model + "blocks." + std::to_string(block) + ".", factor * width,
                                        factor * config.heads, config.mlp_widths[static_cast<std::size_t>(block)],
                                        options));
  }
  weights.merge_norm = reader.norm(model + "downscale_blocks.0.norm", 4 * width, kGatherEps);
  weights.reduction = reader.linear(model + "downscale_blocks.0.reduction", wide, 4 * width, false);
  weights.prefix_proj = reader.linear(model + "prefix_proj_blocks.0", wide, width, false);
  if (config.final_norm) weights.final_norm = reader.norm(model + "norm", wide, kBlockEps);
  weights.hash = reader.hasher().digest();

  reader.stop_hashing();
  if (!load_decoder) reader.stop_packing();
  if (config.decoder) {
    DecoderWeights decoder = load_decoder_weights(reader, config);
    if (load_decoder) weights.decoder = std::move(decoder);
  }
  reader.refuse_unknown();
  return weights;
}

}  // namespace tessera
