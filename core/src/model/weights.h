// The weights of a RADIO1D model inside a backend, under the names of the specification's section 1.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backend.h"
#include "model/checkpoint.h"
#include "model/stem.h"
#include "tessera/model_config.h"

namespace tessera {

struct BlockWeights {
  int width = 0;
  int heads = 0;
  int mlp_width = 0;
  NormWeights norm1;
  std::unique_ptr<LinearWeights> qkv;
  std::optional<NormWeights> q_norm;
  std::optional<NormWeights> k_norm;
  std::unique_ptr<LinearWeights> proj;  // LayerScale is folded into proj and fc2
  NormWeights norm2;
  std::unique_ptr<LinearWeights> fc1;
  std::unique_ptr<LinearWeights> fc2;
};

struct DecoderWeights {
  Buffer filler;         // [r*r, 2C]
  Buffer prefix_tokens;  // [P, 2C]
  std::vector<BlockWeights> blocks;
  std::unique_ptr<LinearWeights> expansion;  // 2C -> 4C
  NormWeights split_norm;                    // [C]
  std::unique_ptr<LinearWeights> prefix_proj;
  NormWeights norm;
};

struct ModelWeights {
  Conditioning conditioning;
  std::optional<StemWeights> stem;
  std::unique_ptr<LinearWeights> embedder;  // 3*p*p or the stem's features -> C
  Buffer positions;                         // [R*R, C]
  Buffer prefix_tokens;                     // [P, C]
  std::optional<NormWeights> pre_norm;
  std::vector<BlockWeights> blocks;
  NormWeights merge_norm;                    // [4C]
  std::unique_ptr<LinearWeights> reduction;  // 4C -> 2C
  std::unique_ptr<LinearWeights> prefix_proj;
  std::optional<NormWeights> final_norm;
  std::optional<DecoderWeights> decoder;
  std::string hash;  // XXH3-128 of the encoder: every tensor used and the config values that change its numbers
};

// Packs tensor by tensor, giving each one's pages back afterwards, so that memory holds the packed model and one
// tensor. The decoder's tensors are checked even if they are not loaded; they are no part of the hash. Throws kBadModel
// naming the tensor that is missing, unknown, of another shape or of another type.
ModelWeights load_weights(const Checkpoint& checkpoint, const ModelConfig& config, Backend& backend, bool load_decoder,
                          bool hash = true);

}  // namespace tessera
