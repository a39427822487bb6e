// Reads the description of a convolutional stem from config.json (docs/MODEL_FORMAT.md).
#pragma once

#include <optional>

#include "model/config_section.h"
#include "tessera/model_config.h"

namespace tessera {

inline constexpr int kStemPatch = 16;    // pixels per grid cell, whatever the stem
inline constexpr int kRegionParts = 12;  // of the picture's height and width, that regions are given in

// Nothing if model_kwargs has no stem. Throws kBadModel for keys, kinds, activations or paddings that are not known,
// layers that do not fit together and maps of a wrong stride.
std::optional<StemConfig> read_stem_config(const ConfigSection& model_kwargs);

// Pixels per cell of layer `index`'s output.
int stem_stride(const StemConfig& stem, int index);

}  // namespace tessera
