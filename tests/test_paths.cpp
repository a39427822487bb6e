// The folders that the build was configured with.
#include "test_paths.h"

namespace tessera::test {

std::filesystem::path source_dir() { return TESSERA_SOURCE_DIR; }
std::filesystem::path build_dir() { return TESSERA_BINARY_DIR; }

}  // namespace tessera::test
