// Which library, which model and which picture the command line means.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "command.h"
#include "tessera/encoder.h"
#include "tessera/indexer/library.h"

namespace tessera::cli {

// Absolute, without "." and "..", without a slash at the end; symbolic links are kept, except before a "..". The same
// form as the catalog's.
// Throws UsageError for an empty path.
std::filesystem::path absolute_path(const std::string& text);
std::vector<std::filesystem::path> absolute_paths(const std::vector<std::string>& texts);

// What paths are shown relative to; empty if the current folder has been removed.
std::filesystem::path current_folder();

// Does this folder hold a library?
bool is_library(const std::filesystem::path& dir);

// The library of this command line. Throws kNotFound with a hint how to make one.
Library open_library(const Context& context, OpenMode mode);

// The picture with this path (or, if the file has been moved, this content) or, for digits only, this id. Throws
// kNotFound saying what it was looked for as, and kInvalidArgument.
ImageId find_image(const Library& library, const std::string& path_or_id);

// --model, else $TESSERA_MODEL; empty if neither is given.
std::filesystem::path asked_model_dir(const GlobalOptions& globals);

// Options that choose how the encoder runs; the same in every command that encodes.
struct ComputeOptions {
  std::string device = "auto";
  std::string dtype = "auto";
  int threads = 0;
  std::uint64_t vram_limit = 0;  // bytes, 0 = all

  EncoderOptions encoder_options() const;
};
// `several`: --device may name several GPUs (parse_device_list).
void add_compute_options(CLI::App& app, ComputeOptions& options, bool several = false);

// What the library's vectors were made with. Throws kNotFound if it is empty.
LibraryEncoder filled_library_encoder(const Library& library);

// The encoder that made this library: the model asked for, else where the library remembers it, else the default model.
// Throws kModelMismatch if no model found there is the library's.
std::unique_ptr<Encoder> load_library_encoder(const Context& context, const Library& library,
                                              const ComputeOptions& options);

// The model asked for, or the default one.
std::unique_ptr<Encoder> load_encoder(const Context& context, const EncoderOptions& options);

// Warns that results of an untrained model mean little.
void warn_if_untrained(Console& console, const std::string& model_name, bool trained);
// The same, and what there is to say about a GPU that is not used.
void warn_about(Console& console, const EncoderInfo& encoder);
// What has changed since `note`: a GPU that failed while it encoded.
void warn_if_device_changed(Console& console, const EncoderInfo& encoder, const std::string& note);

}  // namespace tessera::cli
