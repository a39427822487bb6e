// Where the running program lies: what belongs to it is found relative to it.
#pragma once

#include <filesystem>

namespace tessera {

// Throws kIo.
std::filesystem::path program_path();

}  // namespace tessera
