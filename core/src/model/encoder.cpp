// Encoder: loads a checkpoint into a backend and checks what callers hand to the graph.
#include "tessera/encoder.h"

#include <algorithm>
#include <array>
#include <functional>
#include <limits>

#include "backend.h"
#include "device/choose_backend.h"
#include "model/config_reader.h"
#include "model/vit.h"
#include "model/weights.h"
#include "tessera/device.h"
#include "tessera/error.h"
#include "tessera/memory_plan.h"

namespace tessera {
namespace {

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

// `auto` means that the CPU does what no GPU can; an f16 encoder has no place there.
bool may_move_to_cpu(const Backend& backend, const EncoderOptions& options, const Error& error) {
  return options.device == "auto" && backend.name() != "cpu" && options.compute != ComputeType::kF16 &&
         (error.code() == ErrorCode::kLimit || error.code() == ErrorCode::kInternal);
}

template <typename T>
void extend(std::vector<T>& whole, const std::vector<T>& part) {
  whole.insert(whole.end(), part.begin(), part.end());
}
void extend(EncodedBatch& whole, const EncodedBatch& part) {
  extend(whole.prefix, part.prefix);
  extend(whole.tokens, part.tokens);
}
void extend(CodedBatch& whole, const CodedBatch& part) {
  extend(whole.codes, part.codes);
  extend(whole.scales, part.scales);
  extend(whole.first, part.first);
}

// Adds the pictures of `part`, of the same size, behind those of `whole`.
template <typename Batch>
void append(Batch& whole, Batch&& part) {
  if (whole.batch == 0) {
    whole = std::move(part);
    return;
  }
  whole.batch += part.batch;
  extend(whole, part);
}

template <typename Batch>
using Pass = std::function<Batch(VisionTransformer&, const PixelInput&)>;

PixelInput pixel_input(std::span<const Image> images, int patch) {
  if (images.empty()) throw argument_error("there are no images to encode");
  const GridSize grid = patch_grid(images[0].height, images[0].width, patch);
  for (const Image& image : images) {
    if (image.width != images[0].width || image.height != images[0].height) {
      throw argument_error("all images of a batch must have one size");
    }
    if (image.rgb.size() !=
        std::size_t{3} * static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height)) {
      throw argument_error("an image's pixel data does not match its size");
    }
  }
  return {images, {}, static_cast<int>(images.size()), grid};
}

}  // namespace

const char* compute_type_name(ComputeType type) noexcept {
  switch (type) {
    case ComputeType::kF32: return "f32";
    case ComputeType::kBF16: return "bf16";
    case ComputeType::kF16: return "f16";
  }
  return "";
}

struct Encoder::Impl {
  std::filesystem::path model_dir;
  EncoderOptions options;
  std::unique_ptr<Backend> backend;  // outlives the graph's buffers
  std::unique_ptr<VisionTransformer> graph;
  EncoderInfo info;
  std::int64_t most_patches = std::numeric_limits<std::int64_t>::max();  // of a pass: more did not fit

  void load();
  void load_on(ChosenBackend chosen, const Checkpoint& checkpoint, ModelConfig config);
  void make_room(const ModelConfig& config);
  template <typename Batch>
  Batch encode(const PixelInput& input, const Pass<Batch>& pass);
  void recover(const Error& error, int batch, GridSize grid);
};

Encoder::Encoder(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Encoder::~Encoder() = default;

std::unique_ptr<Encoder> Encoder::load(const std::filesystem::path& model_dir, const EncoderOptions& options) {
  check_device_name(options.device);
  if (options.threads < 0) throw argument_error("the number of threads cannot be negative");
  auto impl = std::make_unique<Impl>();
  impl->model_dir = model_dir;
  impl->options = options;
  impl->load();
  return std::unique_ptr<Encoder>(new Encoder(std::move(impl)));
}

void Encoder::Impl::load() {
  const Checkpoint checkpoint(model_dir);
  ModelConfig config = read_model_config(checkpoint);
  if (options.progressive_reduction) config.progressive_reduction = *options.progressive_reduction;
  if (options.load_decoder && !config.decoder) {
    throw Error(ErrorCode::kBadModel, model_dir.string() + " has no decoder");
  }
  try {
    load_on(choose_backend(options), checkpoint, config);
  } catch (const Error& error) {
    if (!backend || !may_move_to_cpu(*backend, options, error)) throw;
    const std::string note = "the GPU is not used: " + std::string(error.what());
    load_on(choose_cpu(options), checkpoint, config);
    info.device_note = note;
  }
}

void Encoder::Impl::load_on(ChosenBackend chosen, const Checkpoint& checkpoint, ModelConfig config) {
  graph.reset();
  backend = std::move(chosen.backend);
  if (backend->name() != "cpu") make_room(config);
  ModelWeights weights = load_weights(checkpoint, config, *backend, options.load_decoder);
  info.model_name = config.name;
  info.model_dir = model_dir;
  info.weights_hash = weights.hash;
  info.device = backend->name();
  info.device_detail = backend->detail();
  info.device_note = std::move(chosen.note);
  info.compute = compute_type_of(backend->activation_type());
  info.trained = config.trained;
  info.token_width = config.token_width();
  graph = std::make_unique<VisionTransformer>(*backend, std::move(config), std::move(weights));
}

// One block of device memory for the weights and the passes to come, or at least for the weights.
void Encoder::Impl::make_room(const ModelConfig& config) {
  const std::array<EncoderPass, 1> pass = {standard_pass(config)};
  const MemoryPlan plan =
      plan_memory(model_dir, compute_type_of(backend->activation_type()), pass, options.load_decoder).front();
  try {
    backend->reserve(plan.total());
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kLimit) throw;
    backend->reserve(plan.weights);
  }
}

// Runs `pass` over as many pictures at a time as fit into memory.
template <typename Batch>
Batch Encoder::Impl::encode(const PixelInput& input, const Pass<Batch>& pass) {
  Batch result;
  const auto picture = static_cast<std::size_t>(input.grid.count()) * 3 *
                       static_cast<std::size_t>(graph->config().patch) *
                       static_cast<std::size_t>(graph->config().patch);
  for (int first = 0; first < input.batch;) {
    PixelInput part = input;
    part.batch = static_cast<int>(
        std::clamp<std::int64_t>(most_patches / input.grid.count(), 1, std::int64_t{input.batch} - first));
    const auto begin = static_cast<std::size_t>(first), count = static_cast<std::size_t>(part.batch);
    if (!input.images.empty()) {
      part.images = input.images.subspan(begin, count);
    } else {
      part.pixels = input.pixels.subspan(begin * picture, count * picture);
    }
    try {
      append(result, pass(*graph, part));
      first += part.batch;
    } catch (const Error& error) {
      recover(error, part.batch, part.grid);
    }
  }
  return result;
}

// Makes the next try another one than the one that failed with `error`, or throws it again.
void Encoder::Impl::recover(const Error& error, int batch, GridSize grid) {
  if (error.code() == ErrorCode::kLimit && batch > 1) {
    graph->release_scratch();
    most_patches = std::int64_t{batch / 2} * grid.count();
    return;
  }
  if (!may_move_to_cpu(*backend, options, error)) throw;
  const std::string note = backend->name() + " failed, the CPU goes on: " + error.what();
  const std::string hash = info.weights_hash;
  const Checkpoint checkpoint(model_dir);
  ModelConfig config = graph->config();
  load_on(choose_cpu(options), checkpoint, std::move(config));
  if (info.weights_hash != hash) throw Error(ErrorCode::kModelMismatch, model_dir.string() + " has changed meanwhile");
  info.device_note = note;
  most_patches = std::numeric_limits<std::int64_t>::max();
}

const ModelConfig& Encoder::config() const { return impl_->graph->config(); }
const EncoderInfo& Encoder::info() const { return impl_->info; }

EncodedBatch Encoder::encode(std::span<const Image> images, int tokens) {
  check_tokens(tokens);
  return impl_->encode<EncodedBatch>(
      pixel_input(images, config().patch),
      [=](VisionTransformer& graph, const PixelInput& part) { return graph.encode(part, tokens); });
}

CodedBatch Encoder::encode_codes(std::span<const Image> images, int tokens) {
  check_tokens(tokens);
  return impl_->encode<CodedBatch>(
      pixel_input(images, config().patch),
      [=](VisionTransformer& graph, const PixelInput& part) { return graph.encode_codes(part, tokens); });
}

EncodedBatch Encoder::encode_pixels(std::span<const float> pixels, int batch, int height, int width, int tokens) {
  check_tokens(tokens);
  const GridSize grid = patch_grid(height, width, config().patch);
  if (batch < 1) throw argument_error("there are no images to encode");
  if (pixels.size() != std::size_t{3} * static_cast<std::size_t>(batch) * static_cast<std::size_t>(height) *
                           static_cast<std::size_t>(width)) {
    throw argument_error("the pixel data does not match batch and size");
  }
  return impl_->encode<EncodedBatch>({{}, pixels, batch, grid}, [=](VisionTransformer& graph, const PixelInput& part) {
    return graph.encode(part, tokens);
  });
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
