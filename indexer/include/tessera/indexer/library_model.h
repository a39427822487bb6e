// Finding and loading the model that a library was made with.
#pragma once

#include <filesystem>
#include <memory>

#include "tessera/encoder.h"
#include "tessera/indexer/library.h"

namespace tessera {

// The encoder whose weights the library was made with: from `asked` if that is not empty, else from where the library
// remembers it, else the default model. Throws kNotFound if no model is there, kModelMismatch if what is there has
// other weights, and what Encoder::load() throws. Thread rule: any thread.
std::unique_ptr<Encoder> load_library_model(const LibraryEncoder& wanted, const std::filesystem::path& asked = {},
                                            const EncoderOptions& options = {});

}  // namespace tessera
