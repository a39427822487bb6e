// Writes a RADIO1D checkpoint of any size with seeded random weights, in the released layout, tensor by tensor.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "model/float_convert.h"
#include "tessera/error.h"
#include "tessera/safetensors.h"

namespace tessera {
namespace {

struct Shape {
  int width = 64, depth = 6, merge = 4, heads = 4, mlp_ratio = 4;
  int prefix = 4, classes = 2, patch = 16, position_grid = 32;
  int decoder_depth = 0, decoder_split = 0, filler_grid = 8;
};

struct Options {
  std::string out;
  Shape shape;
  TensorType type = TensorType::kF32;
  std::uint64_t seed = 1;
  int shards = 1;
  bool untrained = false;
};

enum class Fill { kNormal, kOnes, kClipMean, kClipStd, kSummary, kZero };

struct Planned {
  SafetensorsWriter::Declaration declaration;
  Fill fill = Fill::kNormal;
  float scale = 0.0f;  // standard deviation
};

constexpr const char* kUsage =
    "usage: make_checkpoint --out DIR [--preset h] [--width C] [--depth N] [--merge M] [--heads N] [--mlp-ratio N]\n"
    "         [--prefix P] [--classes N] [--patch P] [--position-grid R] [--decoder-depth N] [--decoder-split U]\n"
    "         [--filler-grid R] [--dtype f32|f16|bf16] [--seed N] [--shards N] [--untrained]\n"
    "--preset h sets the shape of RADIO1D-H; --untrained marks the model as untrained in config.json.\n";

Options parse(int argc, char** argv) {
  Options options;
  Shape& s = options.shape;
  const std::map<std::string, int*> integers = {
      {"--width", &s.width},
      {"--depth", &s.depth},
      {"--merge", &s.merge},
      {"--heads", &s.heads},
      {"--mlp-ratio", &s.mlp_ratio},
      {"--prefix", &s.prefix},
      {"--classes", &s.classes},
      {"--patch", &s.patch},
      {"--position-grid", &s.position_grid},
      {"--decoder-depth", &s.decoder_depth},
      {"--decoder-split", &s.decoder_split},
      {"--filler-grid", &s.filler_grid},
      {"--shards", &options.shards},
  };
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--untrained") {
      options.untrained = true;
      continue;
    }
    if (i + 1 >= argc) throw Error(ErrorCode::kInvalidArgument, name + " is not an option or lacks its value");
    const std::string value = argv[++i];
    if (const auto integer = integers.find(name); integer != integers.end()) {
      *integer->second = std::stoi(value);
    } else if (name == "--out") {
      options.out = value;
    } else if (name == "--seed") {
      options.seed = std::stoull(value);
    } else if (name == "--preset" && value == "h") {
      s = {.width = 1280,
           .depth = 32,
           .merge = 24,
           .heads = 16,
           .mlp_ratio = 4,
           .prefix = 10,
           .classes = 4,
           .patch = 16,
           .position_grid = 128,
           .decoder_depth = 0,
           .decoder_split = 0,
           .filler_grid = 32};
    } else if (name == "--dtype" && (value == "f32" || value == "f16" || value == "bf16")) {
      options.type = value == "f32" ? TensorType::kF32 : value == "f16" ? TensorType::kF16 : TensorType::kBF16;
    } else {
      throw Error(ErrorCode::kInvalidArgument, name + " " + value + " is not understood");
    }
  }
  if (options.out.empty()) throw Error(ErrorCode::kInvalidArgument, "--out is missing");
  if (s.merge < 1 || s.merge >= s.depth) throw Error(ErrorCode::kInvalidArgument, "--merge must lie inside --depth");
  if (s.heads < 1 || s.width % s.heads != 0) throw Error(ErrorCode::kInvalidArgument, "--heads must divide --width");
  if (options.shards < 1) throw Error(ErrorCode::kInvalidArgument, "--shards must be at least 1");
  return options;
}

// All tensors of the model in file order.
class Plan {
 public:
  Plan(const Shape& shape, TensorType type) : type_(type) {
    const std::int64_t C = shape.width, D = 2 * C, P = shape.prefix, R = shape.position_grid;
    const std::string model = "radio_model.model.";
    add("radio_model.input_conditioner.norm_mean", {3, 1, 1}, Fill::kClipMean);
    add("radio_model.input_conditioner.norm_std", {3, 1, 1}, Fill::kClipStd);
    tensors_.push_back({{"radio_model.summary_idxs", TensorType::kI64, {std::min(2, shape.classes)}}, Fill::kSummary});
    tensors_.push_back({{model + "_iter_count", TensorType::kI64, {}}, Fill::kZero});
    matrix(model + "patch_generator.embedder", C, 3 * shape.patch * shape.patch, false);
    add(model + "patch_generator.pos_embed", {1, R * R, C}, Fill::kNormal, 0.3f);
    add(model + "patch_generator.cls_token.token", {P, C}, Fill::kNormal, 1.0f);
    for (int b = 0; b < shape.depth; ++b) {
      block(model + "blocks." + std::to_string(b) + ".", b < shape.merge ? C : D, shape, shape.depth, true);
    }
    norm(model + "downscale_blocks.0.norm", 4 * C);
    matrix(model + "downscale_blocks.0.reduction", D, 4 * C, false);
    matrix(model + "prefix_proj_blocks.0", D, C, false);
    if (shape.decoder_depth > 0) decoder(model + "decoder.", shape);
  }
  const std::vector<Planned>& tensors() const { return tensors_; }

 private:
  void add(const std::string& name, std::vector<std::int64_t> extents, Fill fill, float scale = 0.0f) {
    tensors_.push_back({{name, type_, std::move(extents)}, fill, scale});
  }
  void norm(const std::string& name, std::int64_t width) {
    add(name + ".weight", {width}, Fill::kOnes, 0.1f);
    add(name + ".bias", {width}, Fill::kNormal, 0.05f);
  }
  void matrix(const std::string& name, std::int64_t out, std::int64_t in, bool bias, float gain = 1.0f) {
    if (bias) add(name + ".bias", {out}, Fill::kNormal, 0.02f);
    add(name + ".weight", {out, in}, Fill::kNormal, gain / std::sqrt(static_cast<float>(in)));
  }
  void block(const std::string& name, std::int64_t w, const Shape& shape, int depth, bool qkv_bias) {
    const float residual = 1.0f / std::sqrt(2.0f * static_cast<float>(depth));  // keeps the residual stream near 1
    norm(name + "norm1", w);
    matrix(name + "attn.qkv", 3 * w, w, qkv_bias);
    matrix(name + "attn.proj", w, w, true, residual);
    norm(name + "norm2", w);
    matrix(name + "mlp.fc1", shape.mlp_ratio * w, w, true);
    matrix(name + "mlp.fc2", w, shape.mlp_ratio * w, true, residual);
  }
  void decoder(const std::string& name, const Shape& shape) {
    const std::int64_t C = shape.width, D = 2 * C, r = shape.filler_grid;
    add(name + "filler_tokens", {r * r, D}, Fill::kNormal, 1.0f);
    add(name + "prefix_tokens", {shape.prefix, D}, Fill::kNormal, 1.0f);
    for (int b = 0; b < shape.decoder_depth; ++b) {
      block(name + "blocks." + std::to_string(b) + ".", b < shape.decoder_split ? D : C, shape, shape.decoder_depth,
            false);
    }
    matrix(name + "upscale_blocks.0.expansion", 4 * C, D, false);
    norm(name + "upscale_blocks.0.norm", C);
    matrix(name + "prefix_proj_blocks.0", C, D, false);
    norm(name + "norm", C);
  }

  TensorType type_;
  std::vector<Planned> tensors_;
};

// Random numbers that depend only on the seed and the tensor's name, so that sharding changes nothing.
class Random {
 public:
  Random(std::uint64_t seed, const std::string& name) : state_(seed * 0x9e3779b97f4a7c15u + 1) {
    for (const char c : name) state_ = (state_ ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  }
  // Mean 0, deviation 1: the sum of four uniform 16-bit numbers.
  float normal() {
    state_ += 0x9e3779b97f4a7c15u;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    const std::uint64_t sum = (z & 0xffffu) + ((z >> 16) & 0xffffu) + ((z >> 32) & 0xffffu) + (z >> 48);
    return (static_cast<float>(sum) - 131070.0f) * (1.7320508f / 65536.0f);
  }

 private:
  std::uint64_t state_;
};

float value_at(const Planned& tensor, std::int64_t index, Random& random) {
  constexpr float kMean[] = {0.48145466f, 0.4578275f, 0.40821073f};
  constexpr float kStd[] = {0.26862954f, 0.26130258f, 0.27577711f};
  switch (tensor.fill) {
    case Fill::kNormal: return tensor.scale * random.normal();
    case Fill::kOnes: return 1.0f + tensor.scale * random.normal();
    case Fill::kClipMean: return kMean[index];
    case Fill::kClipStd: return kStd[index];
    case Fill::kSummary: return static_cast<float>(index);
    case Fill::kZero: return 0.0f;
  }
  return 0.0f;
}

void write_tensor(SafetensorsWriter& writer, const Planned& tensor, std::uint64_t seed) {
  constexpr std::int64_t kChunk = 1 << 16;
  Random random(seed, tensor.declaration.name);
  std::int64_t count = 1;
  for (const std::int64_t extent : tensor.declaration.shape) count *= extent;
  const std::size_t size = tensor_type_size(tensor.declaration.type);
  std::vector<std::byte> chunk;
  for (std::int64_t begin = 0; begin < count; begin += kChunk) {
    const std::int64_t end = std::min(count, begin + kChunk);
    chunk.resize(static_cast<std::size_t>(end - begin) * size);
    std::byte* place = chunk.data();
    for (std::int64_t i = begin; i < end; ++i, place += size) {
      const float value = value_at(tensor, i, random);
      switch (tensor.declaration.type) {
        case TensorType::kF32: std::memcpy(place, &value, 4); break;
        case TensorType::kF16: {
          const std::uint16_t bits = float_to_f16(value);
          std::memcpy(place, &bits, 2);
          break;
        }
        case TensorType::kBF16: {
          const std::uint16_t bits = float_to_bf16(value);
          std::memcpy(place, &bits, 2);
          break;
        }
        case TensorType::kI64: {
          const auto integer = static_cast<std::int64_t>(value);
          std::memcpy(place, &integer, 8);
          break;
        }
      }
    }
    writer.append(chunk);
  }
}

std::uint64_t bytes_of(const Planned& tensor) {
  std::uint64_t bytes = tensor_type_size(tensor.declaration.type);
  for (const std::int64_t extent : tensor.declaration.shape) bytes *= static_cast<std::uint64_t>(extent);
  return bytes;
}

void write_json(const std::filesystem::path& path, const nlohmann::ordered_json& json) {
  std::ofstream stream(path);
  stream << json.dump(2) << "\n";
  stream.close();
  if (!stream) throw errno_error("cannot write", path.string(), errno);
}

void write_file(const std::filesystem::path& path, std::span<const Planned> tensors, std::uint64_t seed) {
  std::vector<SafetensorsWriter::Declaration> declarations;
  for (const Planned& tensor : tensors) declarations.push_back(tensor.declaration);
  SafetensorsWriter writer(path, declarations, {{"format", "pt"}});
  for (const Planned& tensor : tensors) write_tensor(writer, tensor, seed);
  writer.finish();
}

void write_weights(const Options& options, const std::vector<Planned>& tensors) {
  const std::filesystem::path out = options.out;
  if (options.shards == 1) return write_file(out / "model.safetensors", tensors, options.seed);
  std::uint64_t total = 0;
  for (const Planned& tensor : tensors) total += bytes_of(tensor);
  nlohmann::ordered_json map = nlohmann::ordered_json::object();
  std::size_t begin = 0;
  for (int shard = 1; shard <= options.shards; ++shard) {
    char name[64];
    std::snprintf(name, sizeof name, "model-%05d-of-%05d.safetensors", shard, options.shards);
    const std::uint64_t share = total / static_cast<std::uint64_t>(options.shards);
    std::size_t end = begin;
    for (std::uint64_t bytes = 0; end < tensors.size() && (bytes < share || shard == options.shards); ++end) {
      bytes += bytes_of(tensors[end]);
      map[tensors[end].declaration.name] = name;
    }
    write_file(out / name, std::span(tensors).subspan(begin, end - begin), options.seed);
    begin = end;
  }
  write_json(out / "model.safetensors.index.json", {{"metadata", {{"total_size", total}}}, {"weight_map", map}});
}

void write_config(const Options& options) {
  const Shape& s = options.shape;
  nlohmann::ordered_json kwargs = {{"cpe_max_size", s.position_grid * s.patch},
                                   {"depth", s.depth},
                                   {"downscale_levels", {s.merge}},
                                   {"embed_dim", s.width},
                                   {"img_size", 2 * s.patch * s.filler_grid},
                                   {"mlp_ratio", s.mlp_ratio},
                                   {"num_cls_tokens", s.classes},
                                   {"num_heads", s.heads},
                                   {"num_registers", s.prefix - s.classes},
                                   {"progressive_reduction", false}};
  if (s.decoder_depth > 0) {
    kwargs["decoder_depth"] = s.decoder_depth;
    kwargs["decoder_upscale_levels"] = {s.decoder_split};
  }
  nlohmann::ordered_json config = {
      {"architectures", {"RADIOModel"}},
      {"args", {{"dtype", "float32"}, {"model", "radio1d"}, {"model_norm", false}, {"model_kwargs", kwargs}}},
      {"max_resolution", s.position_grid * s.patch},
      {"patch_size", s.patch},
      {"preferred_resolution", {256, 256}},
      {"version", "radio1d-random-" + std::to_string(s.width) + "-seed" + std::to_string(options.seed)}};
  if (options.untrained) config["tessera"] = {{"trained", false}};
  write_json(std::filesystem::path(options.out) / "config.json", config);
}

}  // namespace
}  // namespace tessera

int main(int argc, char** argv) {
  try {
    const tessera::Options options = tessera::parse(argc, argv);
    std::filesystem::create_directories(options.out);
    const tessera::Plan plan(options.shape, options.type);
    tessera::write_weights(options, plan.tensors());
    tessera::write_config(options);
  } catch (const std::exception& error) {
    std::cerr << "make_checkpoint: " << error.what() << "\n" << tessera::kUsage;
    return 1;
  }
  return 0;
}
