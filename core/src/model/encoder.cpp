// Encoder: loads a checkpoint into a backend and checks what callers hand to the graph.
#include "tessera/encoder.h"

#include <algorithm>

#include "backend.h"
#include "model/config_reader.h"
#include "model/vit.h"
#include "model/weights.h"
#include "tessera/error.h"

namespace tessera {
namespace {

ComputeType choose_compute(const EncoderOptions& options) {
  if (options.compute) return *options.compute;
  return cpu_has_fast_bf16() ? ComputeType::kBF16 : ComputeType::kF32;
}

Error argument_error(const std::string& message) { return Error(ErrorCode::kInvalidArgument, message); }

constexpr int kMaxSide = 16384;  // pixels; keeps every index of a forward pass far from overflow

GridSize patch_grid(int height, int width, int patch) {
  if (height < patch || width < patch || height % patch != 0 || width % patch != 0 || height > kMaxSide ||
      width > kMaxSide) {
    throw argument_error("the encoder takes sides that are multiples of " + std::to_string(patch) + " up to " +
                         std::to_string(kMaxSide) + " pixels, not " + std::to_string(width) + " x " +
                         std::to_string(height));
  }
  return {height / patch, width / patch};
}

void check_tokens(int tokens) {
  if (tokens < 0 && tokens != kAllTokens) {
    throw argument_error("the number of tokens cannot be negative: " + std::to_string(tokens));
  }
}

}  // namespace

const char* compute_type_name(ComputeType type) noexcept { return type == ComputeType::kF32 ? "f32" : "bf16"; }

struct Encoder::Impl {
  std::unique_ptr<Backend> backend;  // outlives the graph's buffers
  std::unique_ptr<VisionTransformer> graph;
  EncoderInfo info;
};

Encoder::Encoder(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Encoder::~Encoder() = default;

std::unique_ptr<Encoder> Encoder::load(const std::filesystem::path& model_dir, const EncoderOptions& options) {
  if (options.device != "auto" && options.device != "cpu") {
    throw argument_error("there is no device \"" + options.device + "\"; this build has \"cpu\"");
  }
  if (options.threads < 0) throw argument_error("the number of threads cannot be negative");
  const Checkpoint checkpoint(model_dir);
  ModelConfig config = read_model_config(checkpoint);
  if (options.progressive_reduction) config.progressive_reduction = *options.progressive_reduction;
  if (options.load_decoder && !config.decoder) {
    throw Error(ErrorCode::kBadModel, model_dir.string() + " has no decoder");
  }
  auto impl = std::make_unique<Impl>();
  const DType wanted = choose_compute(options) == ComputeType::kF32 ? DType::kF32 : DType::kBF16;
  impl->backend = make_cpu_backend(wanted, options.threads);
  ModelWeights weights = load_weights(checkpoint, config, *impl->backend, options.load_decoder);

  EncoderInfo& info = impl->info;
  info.model_name = config.name;
  info.model_dir = model_dir;
  info.weights_hash = weights.hash;
  info.device = impl->backend->name();
  info.device_detail = impl->backend->detail();
  info.compute = impl->backend->activation_type() == DType::kF32 ? ComputeType::kF32 : ComputeType::kBF16;
  info.trained = config.trained;
  info.token_width = config.token_width();
  impl->graph = std::make_unique<VisionTransformer>(*impl->backend, std::move(config), std::move(weights));
  return std::unique_ptr<Encoder>(new Encoder(std::move(impl)));
}

const ModelConfig& Encoder::config() const { return impl_->graph->config(); }
const EncoderInfo& Encoder::info() const { return impl_->info; }

EncodedBatch Encoder::encode(std::span<const Image> images, int tokens) {
  check_tokens(tokens);
  if (images.empty()) throw argument_error("there are no images to encode");
  const GridSize grid = patch_grid(images[0].height, images[0].width, config().patch);
  for (const Image& image : images) {
    if (image.width != images[0].width || image.height != images[0].height) {
      throw argument_error("all images of a batch must have one size");
    }
    if (image.rgb.size() !=
        std::size_t{3} * static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height)) {
      throw argument_error("an image's pixel data does not match its size");
    }
  }
  return impl_->graph->encode({images, {}, static_cast<int>(images.size()), grid}, tokens);
}

EncodedBatch Encoder::encode_pixels(std::span<const float> pixels, int batch, int height, int width, int tokens) {
  check_tokens(tokens);
  const GridSize grid = patch_grid(height, width, config().patch);
  if (batch < 1) throw argument_error("there are no images to encode");
  if (pixels.size() != std::size_t{3} * static_cast<std::size_t>(batch) * static_cast<std::size_t>(height) *
                           static_cast<std::size_t>(width)) {
    throw argument_error("the pixel data does not match batch and size");
  }
  return impl_->graph->encode({{}, pixels, batch, grid}, tokens);
}

DecodedBatch Encoder::decode(const EncodedBatch& encoded) {
  if (!impl_->graph->weights().decoder) throw argument_error("the decoder was not loaded");
  const GridSize grid{encoded.grid_height, encoded.grid_width};
  const std::size_t values = static_cast<std::size_t>(std::max(encoded.batch, 0)) *
                             static_cast<std::size_t>(std::max(encoded.token_count, 0)) *
                             static_cast<std::size_t>(config().token_width());
  if (encoded.batch < 1 || grid.height < 1 || grid.width < 1 || encoded.width != config().token_width() ||
      encoded.token_count < 0 || encoded.token_count > merged_grid(grid).count() || encoded.tokens.size() != values) {
    throw argument_error("the tokens to decode do not fit this model and grid");
  }
  patch_grid(grid.height * config().patch, grid.width * config().patch, config().patch);
  return impl_->graph->decode(encoded);
}

std::vector<float> Encoder::summary(const EncodedBatch& encoded) const {
  const ModelConfig& model = config();
  if (encoded.prefix_count != model.prefix_tokens || encoded.width != model.token_width()) {
    throw argument_error("the tokens to summarise do not fit this model");
  }
  std::vector<float> result;
  for (int image = 0; image < encoded.batch; ++image) {
    const std::span<const float> prefix = encoded.image_prefix(image);
    for (const int slot : model.summary_slots) {
      const auto token = prefix.subspan(static_cast<std::size_t>(slot) * static_cast<std::size_t>(encoded.width),
                                        static_cast<std::size_t>(encoded.width));
      result.insert(result.end(), token.begin(), token.end());
    }
  }
  return result;
}

}  // namespace tessera
