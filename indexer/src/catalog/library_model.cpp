// Finding and loading the model that a library was made with.
#include "tessera/indexer/library_model.h"

#include <algorithm>
#include <vector>

#include "tessera/error.h"

namespace tessera {
namespace {

bool has_config(const std::filesystem::path& dir) {
  std::error_code ignored;
  return !dir.empty() && std::filesystem::is_regular_file(dir / "config.json", ignored);
}

std::vector<std::filesystem::path> candidates(const LibraryEncoder& wanted, const std::filesystem::path& asked) {
  if (!asked.empty()) return {asked};
  std::vector<std::filesystem::path> dirs;
  if (has_config(wanted.model_dir)) dirs.emplace_back(wanted.model_dir);
  try {
    const std::filesystem::path standard = default_model_dir();
    if (std::find(dirs.begin(), dirs.end(), standard) == dirs.end()) dirs.push_back(standard);
  } catch (const Error&) {
    if (dirs.empty()) {
      throw Error(ErrorCode::kNotFound,
                  "the model " + wanted.model_name + " of this library is no longer at " + wanted.model_dir);
    }
  }
  return dirs;
}

}  // namespace

std::unique_ptr<Encoder> load_library_model(const LibraryEncoder& wanted, const std::filesystem::path& asked,
                                            const EncoderOptions& options) {
  std::string found;
  for (const std::filesystem::path& dir : candidates(wanted, asked)) {
    auto encoder = Encoder::load(dir, options);
    if (encoder->info().weights_hash == wanted.weights_hash) return encoder;
    found +=
        (found.empty() ? "" : ", ") + dir.string() + " (weights " + encoder->info().weights_hash.substr(0, 8) + ")";
  }
  throw Error(ErrorCode::kModelMismatch, "the library was made with the model " + wanted.model_name + " (weights " +
                                             wanted.weights_hash.substr(0, 8) + "), which is not " + found);
}

}  // namespace tessera
