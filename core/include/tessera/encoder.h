// RADIO1D image encoder: pictures in, prefix tokens and ordered 1D tokens out (arXiv 2607.03624; radio1d spec).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tessera/image.h"
#include "tessera/model_config.h"
#include "tessera/token_code.h"

namespace tessera {

enum class ComputeType { kF32, kBF16, kF16 };
const char* compute_type_name(ComputeType type) noexcept;  // "f32", "bf16", "f16"

inline constexpr int kAllTokens = -1;

// Host memory, float32, row-major.
struct EncodedBatch {
  int batch = 0;
  int prefix_count = 0;  // P
  int token_count = 0;   // n, the same for every image: min(requested, grid_height * grid_width / 4)
  int width = 0;         // D
  int grid_height = 0;   // patches
  int grid_width = 0;
  std::vector<float> prefix;  // [batch, P, D]
  std::vector<float> tokens;  // [batch, n, D]

  std::span<const float> image_tokens(int image) const {
    return std::span(tokens).subspan(std::size_t(image) * token_count * width, std::size_t(token_count) * width);
  }
  std::span<const float> image_prefix(int image) const {
    return std::span(prefix).subspan(std::size_t(image) * prefix_count * width, std::size_t(prefix_count) * width);
  }
};

struct DecodedBatch {
  int batch = 0;
  int prefix_count = 0;
  int grid_height = 0;
  int grid_width = 0;
  int width = 0;              // C
  std::vector<float> prefix;  // [batch, P, C]
  std::vector<float> dense;   // [batch, grid_height * grid_width, C]
};

// Identity of an encoder: two encoders with equal `weights_hash` and compatible compute type give comparable vectors.
struct EncoderInfo {
  std::string model_name;
  std::filesystem::path model_dir;
  std::string weights_hash;   // XXH3-128 of the encoder's tensors and settings that change its numbers, 32 hex digits
  std::string device;         // "cpu", "cuda:0"
  std::string device_detail;  // e.g. "oneDNN 2.6.3, avx512_core_amx_bf16, 2 threads"
  std::string device_note;    // a sentence if `auto` passed over a GPU, or left one that failed; may change in encode()
  ComputeType compute = ComputeType::kF32;
  bool trained = true;
  int token_width = 0;  // D
};

// What indexing and search need of an encoder; tests put a cheap deterministic one in its place.
// Thread rule: one call at a time.
class ImageEncoder {
 public:
  virtual ~ImageEncoder() = default;
  virtual const EncoderInfo& info() const = 0;
  // All images must have one size, sides multiples of the patch. `tokens` >= 0 or kAllTokens.
  virtual EncodedBatch encode(std::span<const Image> images, int tokens) = 0;
  // The 1D tokens of the same as codes for storing. An encoder on a device makes them there, so that only codes and
  // token 0 come back; they are those of code_tokens().
  virtual CodedBatch encode_codes(std::span<const Image> images, int tokens) {
    const EncodedBatch encoded = encode(images, tokens);
    return code_tokens(encoded.tokens, encoded.batch, encoded.token_count, encoded.width);
  }
};

struct EncoderOptions {
  std::string device = "auto";         // check_device_name() in device.h
  std::optional<ComputeType> compute;  // default: bf16 where the device has it (CPU: AVX512-BF16 or AMX); else f16 on
                                       // CUDA, f32 on the CPU. f16 on CUDA only
  int threads = 0;                     // of the CPU; 0 = all cores this process may use
  std::uint64_t memory_limit = 0;      // bytes of a CUDA device; 0 = what it has
  bool load_decoder = false;
  std::optional<bool> progressive_reduction;  // overrides the config
};

// Thread rule: an Encoder may be used by one thread at a time, of any thread; several Encoders are independent.
class Encoder final : public ImageEncoder {
 public:
  // A folder with config.json and model.safetensors, or shards with model.safetensors.index.json; released checkpoints
  // and hybrids (docs/MODEL_FORMAT.md). Every tensor must be known and of the right shape; parts of a release that
  // never change prefix or 1D tokens (adaptors.*, inter_feature_normalizer.*, training counters) may be there and are
  // not read, a feature_normalizer is refused. Throws kNotFound (also: no such device), kBadModel (names the tensor or
  // config key), kDamaged, kUnsupported, kLimit.
  static std::unique_ptr<Encoder> load(const std::filesystem::path& model_dir, const EncoderOptions& options = {});
  ~Encoder() override;

  const ModelConfig& config() const;
  const EncoderInfo& info() const override;

  // Where memory is too small for the batch, it is halved until it fits, for this call and later ones. If the device
  // fails: with `auto` the CPU takes over and info() says so, else Error kInternal naming kernel and shape, or kLimit.
  EncodedBatch encode(std::span<const Image> images, int tokens = kAllTokens) override;
  CodedBatch encode_codes(std::span<const Image> images, int tokens = kAllTokens) override;
  // `pixels` [batch, 3, height, width] float32 RGB in [0, 1].
  EncodedBatch encode_pixels(std::span<const float> pixels, int batch, int height, int width, int tokens = kAllTokens);

  // Dense features from the first token_count tokens. Throws kInvalidArgument if the decoder was not loaded.
  DecodedBatch decode(const EncodedBatch& encoded);

  // Class tokens at the summary slots, concatenated: [batch, S * D].
  std::vector<float> summary(const EncodedBatch& encoded) const;

 private:
  struct Impl;
  explicit Encoder(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The folder of the embedded default model: $TESSERA_MODEL if set, else share/tessera/models/default beside the running
// program's bin/. Throws kNotFound naming the folders tried.
std::filesystem::path default_model_dir();

}  // namespace tessera
