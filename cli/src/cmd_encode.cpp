// tessera encode: the tokens of pictures as a safetensors file.
#include <CLI/CLI.hpp>
#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <set>

#include "checked_by.h"
#include "commands.h"
#include "interrupt.h"
#include "progress.h"
#include "resolve.h"
#include "tessera/image.h"
#include "tessera/resize.h"
#include "tessera/safetensors.h"
#include "tessera/text.h"
#include "text.h"

namespace tessera::cli {
namespace {

struct EncodeOptions {
  std::vector<std::string> images;
  std::string output;
  std::string resize;
  int tokens = 0;
  bool dense = false;
  ComputeOptions compute;
};

struct NamedTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};

// File stems name the tensors, so they must differ and be text.
std::vector<std::string> tensor_stems(const std::vector<std::string>& images) {
  std::map<std::string, std::string> seen;
  std::vector<std::string> stems;
  for (const std::string& image : images) {
    const std::string stem = std::filesystem::path(image).stem().string();
    if (!is_valid_utf8(stem)) {
      throw UsageError("the name of " + image + " is no UTF-8 text, and tensors are named after it");
    }
    const auto [before, added] = seen.emplace(stem, image);
    if (!added) {
      throw UsageError(before->second + " and " + image + " would both be called '" + stem +
                       "'; encode them into separate files");
    }
    stems.push_back(stem);
  }
  return stems;
}

Image prepared(const std::string& path, const ResizeSpec& resize) {
  const std::vector<std::uint8_t> bytes = read_file(path, ImageLimits{}.max_file_bytes);
  try {
    return decode_prepared(bytes, path, resize);
  } catch (const Error& error) {  // that a size does not fit is said without the picture's name
    if (error.code() != ErrorCode::kInvalidArgument) throw;
    throw Error(ErrorCode::kUnsupported, path + ": " + error.what());
  }
}

void encode_one(Encoder& encoder, const std::string& path, const std::string& stem, const ResizeSpec& resize,
                const EncodeOptions& options, std::vector<NamedTensor>& tensors) {
  const std::array<Image, 1> batch = {prepared(path, resize)};
  EncodedBatch encoded = encoder.encode(batch, options.tokens > 0 ? options.tokens : kAllTokens);
  NamedTensor dense;
  if (options.dense) {
    DecodedBatch decoded = encoder.decode(encoded);
    dense = {stem + ".dense",
             {std::int64_t{decoded.grid_height} * decoded.grid_width, decoded.width},
             std::move(decoded.dense)};
  }
  tensors.push_back({stem + ".prefix", {encoded.prefix_count, encoded.width}, std::move(encoded.prefix)});
  tensors.push_back({stem + ".tokens", {encoded.token_count, encoded.width}, std::move(encoded.tokens)});
  if (options.dense) tensors.push_back(std::move(dense));
}

void write_tensors(const EncodeOptions& options, const Encoder& encoder, const ResizeSpec& resize,
                   const std::vector<NamedTensor>& tensors) {
  std::vector<TensorToWrite> list;
  for (const NamedTensor& tensor : tensors) {
    list.push_back({tensor.name, TensorType::kF32, tensor.shape, std::as_bytes(std::span(tensor.values))});
  }
  write_safetensors(options.output, list,
                    {{"model", encoder.info().model_name},
                     {"weights_hash", encoder.info().weights_hash},
                     {"resize", to_string(resize)},
                     {"device", encoder.info().device},
                     {"compute", compute_type_name(encoder.info().compute)}});
}

ExitCode run(const EncodeOptions& options, Context& context) {
  const std::vector<std::string> stems = tensor_stems(options.images);
  const Interrupt interrupt;
  EncoderOptions load = options.compute.encoder_options();
  load.load_decoder = options.dense;
  const auto encoder = load_encoder(context, load);
  ResizeSpec resize{ResizeSpec::Mode::kShort, encoder->config().preferred_size, 32};
  if (!options.resize.empty()) resize = parse_resize_spec(options.resize);

  const std::string device_note = encoder->info().device_note;
  const auto start = std::chrono::steady_clock::now();
  std::vector<NamedTensor> tensors;
  Progress progress(context.console);
  ProgressState state;
  state.total = static_cast<std::int64_t>(options.images.size());
  for (std::size_t i = 0; i < options.images.size() && !interrupt.requested(); ++i) {
    try {
      encode_one(*encoder, options.images[i], stems[i], resize, options, tensors);
    } catch (const Error& error) {
      ++state.failed;
      context.console.error(error.what());
    }
    ++state.done;
    state.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    progress.update(state);
  }
  progress.finish();
  warn_if_device_changed(context.console, encoder->info(), device_note);
  if (tensors.empty()) return interrupt.requested() ? ExitCode::kInterrupted : ExitCode::kError;
  write_tensors(options, *encoder, resize, tensors);
  context.console.note(options.output + ": " + plural(state.done - state.failed, "picture") + " in " +
                       human_seconds(state.seconds));
  if (interrupt.requested()) return ExitCode::kInterrupted;
  return state.failed == 0 ? ExitCode::kOk : ExitCode::kSomeFailed;
}

}  // namespace

Command make_encode(CLI::App& root) {
  auto options = std::make_shared<EncodeOptions>();
  CLI::App* app = root.add_subcommand("encode", "write the tokens of pictures to a safetensors file")->group("Vectors");
  app->add_option("IMAGE", options->images, "pictures to encode; their file names without ending must differ")
      ->required();
  app->add_option("-o,--output", options->output, "the file to write")->type_name("FILE.safetensors")->required();
  app->add_option("--tokens", options->tokens, "1D tokens per picture (default: all the picture has)")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000).description(""));
  app->add_flag("--dense", options->dense, "also decode the tokens to dense features, one vector per patch");
  app->add_option("--resize", options->resize,
                  "how pictures are prepared: short:N, square:N, fit:N, or none for their own size, which must be a "
                  "multiple of the patch (default short:N/32 with the model's size)")
      ->type_name("SPEC")
      ->check(checked_by([](const std::string& text) { parse_resize_spec(text); }));
  add_compute_options(*app, options->compute);
  return {app,
          "Writes for each picture, as float32 and named after the file without its ending:\n\n"
          "  NAME.prefix  [P, D]          class and register tokens\n"
          "  NAME.tokens  [N, D]          the ordered 1D tokens, coarse to fine\n"
          "  NAME.dense   [patches, C]    with --dense: one vector per patch, row by row\n\n"
          "No library is needed. Pictures that cannot be read are reported and left out; the exit code is then 3, or 1 "
          "if none is left.",
          {{"tessera encode beach.jpg -o beach.safetensors --tokens 16", "The first 16 tokens of a picture."},
           {"tessera encode a.png b.png -o ab.safetensors --dense --resize none --dtype f32",
            "Dense features at the pictures' own size, in full precision."}},
          [options](Context& context) { return run(*options, context); }};
}

}  // namespace tessera::cli
