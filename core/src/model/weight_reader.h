// Hands out a checkpoint's tensors by name and shape, packs them, and refuses what nobody asked for.
#pragma once

#include <xxhash.h>

#include <cstdio>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "backend.h"
#include "model/checkpoint.h"
#include "model/config_reader.h"
#include "tessera/error.h"

namespace tessera {

inline std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

// XXH3-128 of names, types, shapes and bytes.
class WeightHasher {
 public:
  WeightHasher() : state_(XXH3_createState(), &XXH3_freeState) {
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
class WeightReader {
 public:
  WeightReader(const Checkpoint& checkpoint, Backend& backend) : checkpoint_(checkpoint), backend_(backend) {}

  Backend& backend() { return backend_; }
  void stop_packing() { pack_ = false; }
  void stop_hashing() { hash_ = false; }
  WeightHasher& hasher() { return hasher_; }

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

  std::unique_ptr<ConvWeights> convolution(const std::string& name, const ConvShape& shape) {
    const std::vector<float> bias = values(name + ".bias", {shape.out});
    const TensorView& weight =
        take(name + ".weight", {shape.out, shape.depthwise ? 1 : shape.in, shape.kernel, shape.kernel});
    std::unique_ptr<ConvWeights> result;
    if (pack_) result = backend_.pack_convolution(shape, weight, bias);
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
  WeightHasher hasher_;
  std::set<std::string> used_;
  bool pack_ = true;
  bool hash_ = true;
};

}  // namespace tessera
