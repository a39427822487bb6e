// Finds the embedded default model beside the running program.
#include <cstdlib>

#include "program_path.h"
#include "tessera/encoder.h"
#include "tessera/error.h"

namespace tessera {

std::filesystem::path default_model_dir() {
  namespace fs = std::filesystem;
  std::error_code error;
  if (const char* variable = std::getenv("TESSERA_MODEL"); variable != nullptr && *variable != '\0') {
    const fs::path directory = variable;
    if (fs::is_directory(directory, error)) return directory;
    throw Error(ErrorCode::kNotFound, "TESSERA_MODEL names " + directory.string() + ", which is not a folder");
  }
  const fs::path directory = program_path().parent_path().parent_path() / "share" / "tessera" / "models" / "default";
  if (fs::is_directory(directory, error)) return directory;
  throw Error(ErrorCode::kNotFound,
              "there is no default model: looked in " + directory.string() + " and TESSERA_MODEL is not set");
}

}  // namespace tessera
