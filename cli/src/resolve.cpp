// Which library, which model and which picture the command line means.
#include "resolve.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <system_error>

#include "checked_by.h"
#include "tessera/device.h"
#include "tessera/image.h"
#include "tessera/indexer/library_model.h"

namespace tessera::cli {
namespace {

bool only_digits(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

ImageId parse_id(const std::string& text) {
  ImageId id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc{} || end != text.data() + text.size()) {
    throw Error(ErrorCode::kNotFound, "no picture has the id " + text);
  }
  return id;
}

bool has_config(const std::filesystem::path& dir) {
  std::error_code ignored;
  return !dir.empty() && std::filesystem::exists(dir / "config.json", ignored);
}

}  // namespace

std::filesystem::path absolute_path(const std::string& text) {
  if (text.empty()) throw UsageError("a path is empty");
  std::filesystem::path path = std::filesystem::absolute(text);
  if (std::find(path.begin(), path.end(), "..") != path.end()) {  // what is before it may be a link
    std::error_code ignored;
    std::filesystem::path resolved = std::filesystem::weakly_canonical(path, ignored);
    if (!resolved.empty()) path = std::move(resolved);
  }
  path = path.lexically_normal();
  if (!path.has_filename() && path != path.root_path()) path = path.parent_path();
  return path;
}

std::filesystem::path current_folder() {
  std::error_code ignored;
  return std::filesystem::current_path(ignored);
}

std::vector<std::filesystem::path> absolute_paths(const std::vector<std::string>& texts) {
  std::vector<std::filesystem::path> paths;
  paths.reserve(texts.size());
  for (const std::string& text : texts) paths.push_back(absolute_path(text));
  return paths;
}

bool is_library(const std::filesystem::path& dir) {
  std::error_code ignored;
  return std::filesystem::exists(dir / "catalog.sqlite", ignored);
}

Library open_library(const Context& context, OpenMode mode) {
  const std::filesystem::path dir = resolve_library_dir(context.globals.library);
  if (mode != OpenMode::kCreate && !is_library(dir)) {
    throw Error(ErrorCode::kNotFound, "no library at " + dir.string() + "; 'tessera index FOLDER' makes one");
  }
  return Library::open(dir, mode);
}

ImageId find_image(const Library& library, const std::string& path_or_id) {
  if (only_digits(path_or_id)) return library.image(parse_id(path_or_id)).id;
  const std::filesystem::path path = absolute_path(path_or_id);
  if (const auto id = library.find_path(path)) return *id;
  std::error_code ignored;
  if (std::filesystem::is_regular_file(path, ignored)) {
    if (const auto id = library.find_hash(hash_content(read_file(path)))) return *id;
    throw Error(ErrorCode::kNotFound, path.string() + " is not in the library " + library.dir().string() +
                                          "; 'tessera index' its folder, or use 'tessera search'");
  }
  throw Error(ErrorCode::kNotFound,
              path.string() + " is neither in the library " + library.dir().string() + " nor a file");
}

std::filesystem::path asked_model_dir(const GlobalOptions& globals) {
  if (!globals.model.empty()) return globals.model;
  const char* variable = std::getenv("TESSERA_MODEL");
  return variable == nullptr ? std::filesystem::path() : std::filesystem::path(variable);
}

EncoderOptions ComputeOptions::encoder_options() const {
  EncoderOptions options;
  options.device = device;
  options.threads = threads;
  options.memory_limit = vram_limit;
  if (dtype == "f32") options.compute = ComputeType::kF32;
  if (dtype == "bf16") options.compute = ComputeType::kBF16;
  if (dtype == "f16") options.compute = ComputeType::kF16;
  return options;
}

void add_compute_options(CLI::App& app, ComputeOptions& options, bool several) {
  const auto one_of = [](std::vector<std::string> names) {
    return [names = std::move(names)](const std::string& text) {
      if (std::find(names.begin(), names.end(), text) != names.end()) return std::string();
      std::string message = "'" + text + "' is none of ";
      for (std::size_t i = 0; i < names.size(); ++i) message += (i > 0 ? ", " : "") + names[i];
      return message;
    };
  };
  app.add_option(
         "--device", options.device,
         std::string("where the encoder runs: auto (an NVIDIA GPU if one can be used, else the CPU, also if the GPU "
                     "fails on the way), cpu, cuda or cuda:N") +
             (several ? "; cuda:0,cuda:1 shares the work between GPUs" : ""))
      ->type_name("NAME")
      ->check(checked_by([several](const std::string& text) {
        if (several) {
          parse_device_list(text);
        } else {
          check_device_name(text);
        }
      }))
      ->capture_default_str();
  app.add_option("--dtype", options.dtype,
                 "numbers the encoder computes with: auto (bf16 where the device has it), f32, bf16, or f16 on a GPU")
      ->type_name("TYPE")
      ->check(one_of({"auto", "f32", "bf16", "f16"}))
      ->capture_default_str();
  app.add_option("--vram-limit", options.vram_limit, "GPU memory to use at most, e.g. 6G (default: what is free)")
      ->type_name("SIZE")
      ->transform(CLI::AsSizeValue(false).description(""));
  app.add_option("--threads", options.threads, "threads to use (default: one per core)")
      ->type_name("N")
      ->check(CLI::Range(1, 1024).description(""));
}

LibraryEncoder filled_library_encoder(const Library& library) {
  if (auto encoder = library.encoder()) return *encoder;
  throw Error(ErrorCode::kNotFound,
              "the library " + library.dir().string() + " is empty; 'tessera index FOLDER' fills it");
}

std::unique_ptr<Encoder> load_library_encoder(const Context& context, const Library& library,
                                              const ComputeOptions& options) {
  const LibraryEncoder wanted = filled_library_encoder(library);
  const std::filesystem::path asked = asked_model_dir(context.globals);
  try {
    auto encoder = load_library_model(wanted, asked, options.encoder_options());
    warn_about(context.console, encoder->info());
    return encoder;
  } catch (const Error& error) {
    const bool gone = error.code() == ErrorCode::kNotFound && asked.empty() && !has_config(wanted.model_dir);
    if (!gone && error.code() != ErrorCode::kModelMismatch) throw;
    throw Error(error.code(),
                "library " + library.dir().string() + ": " + error.what() + "; say where it is with --model DIR");
  }
}

std::unique_ptr<Encoder> load_encoder(const Context& context, const EncoderOptions& options) {
  const std::filesystem::path asked = asked_model_dir(context.globals);
  auto encoder = Encoder::load(asked.empty() ? default_model_dir() : asked, options);
  warn_about(context.console, encoder->info());
  return encoder;
}

void warn_if_untrained(Console& console, const std::string& model_name, bool trained) {
  if (!trained) console.warning("the model " + model_name + " is untrained; what it calls similar means little");
}

void warn_about(Console& console, const EncoderInfo& encoder) {
  warn_if_untrained(console, encoder.model_name, encoder.trained);
  warn_if_device_changed(console, encoder, "");
}

void warn_if_device_changed(Console& console, const EncoderInfo& encoder, const std::string& note) {
  if (encoder.device_note != note) console.warning(encoder.device_note);
}

}  // namespace tessera::cli
