// Strict weight loading: every tensor of the specification is asked for by name and shape, and no other may be there.
#include "model/weights.h"

#include <xxhash.h>

#include <cstdio>
#include <set>

#include "model/config_reader.h"
#include "tessera/error.h"

namespace tessera {
namespace {

constexpr float kBlockEps = 1e-6f;   // block norms, q/k norms, final norms (section 4)
constexpr float kGatherEps = 1e-5f;  // merge, split and patch normaliser (section 4)

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

class Hasher {
 public:
  Hasher() : state_(XXH3_createState(), &XXH3_freeState) {
    if (!state_ || XXH3_128bits_reset(state_.get()) != XXH_OK) throw Error(ErrorCode::kInternal, "cannot hash weights");
  }
  void add(std::string_view text) { XXH3_128bits_update(state_.get(), text.data(), text.size()); }
  void add(const std::string& name, const TensorView& tensor) {
    add(name + ":" + tensor_type_name(tensor.type) + shape_text(tensor.shape) + ";");
    XXH3_128bits_update(state_.get(), tensor.data.data(), tensor.data.size());
  }
  std::string digest() const {
    const XXH128_hash_t hash = XXH3_128bits_digest(state_.get());
    char text[33];
    std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(hash.high64),
                  static_cast<unsigned long long>(hash.low64));
    return text;
  }

 private:
  std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state_;
};

// Hands out checked tensors and remembers which were asked for. With pack = false it checks only.
class Reader {
 public:
  Reader(const Checkpoint& checkpoint, Backend& backend) : checkpoint_(checkpoint), backend_(backend) {}

  Backend& backend() { return backend_; }
  void stop_packing() { pack_ = false; }
  void stop_hashing() { hash_ = false; }
  Hasher& hasher() { return hasher_; }

  const TensorView& take(const std::string& name, const std::vector<std::int64_t>& shape) {
    const TensorView* tensor = checkpoint_.find(name);
    if (tensor == nullptr) throw Error(ErrorCode::kBadModel, "tensor " + name + " is missing");
    if (tensor->shape != shape) {
      throw Error(ErrorCode::kBadModel,
                  "tensor " + name + " has shape " + shape_text(tensor->shape) + ", not " + shape_text(shape));
    }
    if (tensor->type == TensorType::kI64) {
      throw Error(ErrorCode::kBadModel, "tensor " + name + " is of type I64, not a float type");
    }
    used_.insert(name);
    if (hash_) hasher_.add(name, *tensor);
    return *tensor;
  }

  std::vector<float> values(const std::string& name, const std::vector<std::int64_t>& shape) {
    const TensorView& tensor = take(name, shape);
    std::vector<float> result;
    if (pack_) result = to_float(tensor);
    checkpoint_.release(name);
    return result;
  }

  Buffer buffer(const std::string& name, const std::vector<std::int64_t>& shape) {
    const std::vector<float> host = values(name, shape);
    if (!pack_) return {};
    Buffer result(backend_, host.size(), DType::kF32);
    backend_.upload(result.tensor(), host);
    return result;
  }

  NormWeights norm(const std::string& name, int width, float eps) {
    NormWeights result;
    result.weight = buffer(name + ".weight", {width});
    result.bias = buffer(name + ".bias", {width});
    result.eps = eps;
    return result;
  }

  // `scale` names a LayerScale vector, or is empty.
  std::unique_ptr<LinearWeights> linear(const std::string& name, int out, int in, bool has_bias,
                                        const std::string& scale = {}) {
    std::vector<float> bias, row_scale;
    if (!scale.empty()) row_scale = values(scale, {out});
    if (has_bias) bias = values(name + ".bias", {out});
    for (std::size_t i = 0; i < row_scale.size() && i < bias.size(); ++i) bias[i] *= row_scale[i];
    const TensorView& weight = take(name + ".weight", {out, in});
    std::unique_ptr<LinearWeights> result;
    if (pack_) result = backend_.pack_linear(weight, bias, row_scale);
    checkpoint_.release(name + ".weight");
    return result;
  }

  void ignore(const std::string& name) { used_.insert(name); }

  void refuse_unknown() const {
    for (const std::string& name : checkpoint_.names()) {
      if (used_.contains(name) || has_no_effect(name)) continue;
      throw Error(ErrorCode::kBadModel,
                  "tensor " + name + " of " + checkpoint_.directory().string() + " is not known to RADIO1D");
    }
  }

 private:
  // Parts of a released state dictionary that never change prefix or 1D tokens (sections 1, 6 and 8).
  bool has_no_effect(const std::string& name) const {
    const std::string model = kModelPrefix;
    if (name == model + "_iter_count" || name == model + "dynamic_rate_vec" ||
        name == model + "dynamic_rate_projector.weight" || name == model + "dynamic_rate_projector.bias" ||
        name == model + "reg_token") {
      return true;
    }
    if (name == model + "norm_pre.weight" || name == model + "norm_pre.bias") {
      return checkpoint_.has(model + "patch_generator.patch_normalizer.weight");
    }
    const std::string wrapper = kWrapperPrefix;
    return name.starts_with(wrapper + "adaptors.") || name.starts_with(wrapper + "inter_feature_normalizer.");
  }

  const Checkpoint& checkpoint_;
  Backend& backend_;
  Hasher hasher_;
  std::set<std::string> used_;
  bool pack_ = true;
  bool hash_ = true;
};

struct BlockOptions {
  bool qkv_bias = true;
  bool qk_norm = false;
  bool layer_scale = false;
};

BlockWeights load_block(Reader& reader, const std::string& name, int width, int heads, int mlp_width,
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

Conditioning load_conditioning(Reader& reader) {
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

DecoderWeights load_decoder_weights(Reader& reader, const ModelConfig& config) {
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

ModelWeights load_weights(const Checkpoint& checkpoint, const ModelConfig& config, Backend& backend,
                          bool load_decoder) {
  const std::string model = kModelPrefix;
  const int width = config.width;
  const int wide = config.token_width();
  Reader reader(checkpoint, backend);
  reader.hasher().add("radio1d;heads=" + std::to_string(config.heads) +
                      ";progressive_reduction=" + std::to_string(config.progressive_reduction) + ";");
  ModelWeights weights;
  weights.conditioning = load_conditioning(reader);
  reader.ignore(std::string(kWrapperPrefix) + "summary_idxs");  // read with the config

  const std::string generator = model + "patch_generator.";
  weights.embedder = reader.linear(generator + "embedder", width, 3 * config.patch * config.patch, false);
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
