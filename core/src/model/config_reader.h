// Works out a checkpoint's ModelConfig from its tensors and config.json (radio1d specification, sections 9 and 10).
#pragma once

#include "model/checkpoint.h"
#include "tessera/model_config.h"

namespace tessera {

inline constexpr const char* kWrapperPrefix = "radio_model.";
inline constexpr const char* kModelPrefix = "radio_model.model.";

// Shapes come from the tensors; what no tensor shows (heads, progressive_reduction) from the config. Throws kBadModel
// if a tensor that everything hangs on is missing or of another rank, if the two contradict each other or a config
// value has the wrong type; kUnsupported for options that would change the numbers and are not read. All of it names
// the tensor or key.
ModelConfig read_model_config(const Checkpoint& checkpoint);

}  // namespace tessera
