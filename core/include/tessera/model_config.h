// The shape of a RADIO1D checkpoint: what config.json says and what the tensors show (spec sections 9 and 10).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tessera {

struct DecoderConfig {
  int depth = 0;
  int split_block = 0;          // u: blocks before it have width 2C, from it on C
  int filler_grid = 0;          // r: filler_tokens is r*r x 2C
  int heads = 0;                // before the split; half of it after
  std::vector<int> mlp_widths;  // per block, rows of fc1
};

// One layer of a convolutional stem (docs/MODEL_FORMAT.md); padding is always "same", activations ReLU6 or none.
struct StemLayer {
  enum class Kind { kConv, kDepthwise, kPointwise };
  std::string name;
  Kind kind = Kind::kConv;
  int kernel = 1;
  int stride = 1;
  int in = 0;   // channels
  int out = 0;  // channels
  bool relu6 = false;
  int from = -1;  // index of the earlier layer whose output it reads, or -1: the image
  int add = -1;   // index of the earlier layer whose output is added, or -1
};

// A part of the picture, edges in twelfths of its height and width.
struct StemRegion {
  int top = 0;
  int bottom = 12;
  int left = 0;
  int right = 12;
};

// The stem of a hybrid model: patch features and a global feature instead of raw patches. Indices are into `layers`.
struct StemConfig {
  std::string name;
  std::vector<StemLayer> layers;
  std::vector<int> patch_maps;
  int global_map = 0;
  bool token0_skip = false;  // the global feature also reaches token 0 past the blocks
  // The patch features of region r reach token 1 + r past the blocks, through a layer of region_hidden values.
  std::vector<StemRegion> regions;
  int region_hidden = 0;

  int region_features() const { return 2 * features() + static_cast<int>(regions.size()); }
  int features() const {  // F
    int sum = 0;
    for (const int map : patch_maps) sum += layers[static_cast<std::size_t>(map)].out;
    return sum;
  }
};

// Notation of the specification: C base width, D = 2C, P prefix tokens, M first block after the merge.
struct ModelConfig {
  std::string name;  // config "version", or the folder's name
  int patch = 16;
  int width = 0;  // C
  int heads = 0;  // before the merge; twice as many after
  int depth = 0;
  int merge_block = 0;             // M
  int prefix_tokens = 0;           // P, class tokens first, then registers
  int position_grid = 0;           // R: pos_embed is R*R x C
  std::vector<int> mlp_widths;     // per encoder block, rows of fc1
  std::vector<int> summary_slots;  // summary_idxs: prefix positions whose concatenation is the summary
  bool final_norm = false;
  bool qk_norm = false;
  bool layer_scale = false;
  bool pre_norm = false;
  bool qkv_bias = true;
  bool progressive_reduction = false;    // changes the numbers; from the config only (spec section 6)
  bool trained = true;                   // false only for a model whose config says "tessera": {"trained": false}
  std::optional<StemConfig> stem;        // absent in a released checkpoint
  std::optional<DecoderConfig> decoder;  // absent = encoder-only checkpoint
  int preferred_size = 512;              // preferred_resolution of the config

  int token_width() const { return 2 * width; }  // D
};

}  // namespace tessera
