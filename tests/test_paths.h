// Folders that tests read. Kept out of the command lines of the tests, which are then the same in every clone.
#pragma once

#include <filesystem>

namespace tessera::test {

std::filesystem::path source_dir();
std::filesystem::path build_dir();
inline std::filesystem::path data_dir() { return source_dir() / "tests" / "data"; }
inline std::filesystem::path program() { return build_dir() / "bin" / "tessera"; }

}  // namespace tessera::test
