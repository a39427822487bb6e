// The RADIO1D graph, encoder and decoder, written once over Backend; shapes and steps as in the specification.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "backend.h"
#include "model/stem.h"
#include "model/weights.h"
#include "tessera/encoder.h"

namespace tessera {

// Taps (TensorTap): patches, patch_proj, pos_enc, embed, block<i>, merge0, decoder.block<i>, decoder.split0; of a
// hybrid also global and the stem's layers by name. Thread rule: one thread at a time.
class VisionTransformer {
 public:
  VisionTransformer(Backend& backend, ModelConfig config, ModelWeights weights);

  const ModelConfig& config() const { return config_; }
  const ModelWeights& weights() const { return weights_; }

  // `tokens` as in ImageEncoder::encode; `tap` may be empty.
  EncodedBatch encode(const PixelInput& input, int tokens, const TensorTap& tap = {});
  CodedBatch encode_codes(const PixelInput& input, int tokens);
  DecodedBatch decode(const EncodedBatch& encoded, const TensorTap& tap = {});

  // Gives the memory of forward passes back, all of it or what a pass that failed half-way took.
  void release_scratch();

 private:
  // All memory of a forward pass, sized for the largest batch and picture met so far. `x` and `y` are residual streams
  // (f32); the rest are inputs of matrix products.
  struct Scratch {
    Buffer x;              // [B, T, w]
    Buffer y;              // [B, T, w] the stream being assembled: merge, truncation, split
    Buffer prefix;         // [B, P, 2C] f32 projected prefix
    Buffer global;         // [B, G] f32 the stem's global feature
    Buffer regions;        // [B, R, 2F + R] the stem's features in its regions
    Buffer region_hidden;  // [B, R, hidden]
    Buffer patches;        // [B, N, 3*p*p or F], later the joined cells [B, mh*mw, 4C]
    Buffer normed;         // [B, T, w]
    Buffer qkv;            // [B, T, 3w]
    Buffer attended;       // [B, T, w]
    Buffer hidden;         // [B, T, mlp width]
    Buffer positions;      // [N, C] resized positions of `positions_grid`
    Buffer filler;         // [mh*mw, 2C] resized filler of `filler_grid`
    GridSize positions_grid;
    GridSize filler_grid;
  };

  // What a pass leaves in `x`: of every image `sequence` tokens, first the prefix, of the others `count` are wanted.
  struct Passed {
    int sequence = 0;
    int count = 0;
  };

  Passed run(const PixelInput& input, int tokens, const TensorTap& tap);
  void reserve(int batch, GridSize grid);
  void make_patches(const PixelInput& input, const TensorTap& tap);
  void make_positions(GridSize grid);
  void embed(int batch, GridSize grid, const TensorTap& tap);
  int run_blocks(int batch, GridSize grid, int kept, const TensorTap& tap);
  void add_regions(int batch, int sequence, int tokens);
  std::vector<std::uint64_t> pass_key(int batch, GridSize grid) const;
  void block(const BlockWeights& weights, int batch, int tokens);
  void merge(int batch, GridSize grid, const TensorTap& tap);
  int truncate(int batch, int tokens, int drop);
  void split(int batch, GridSize merged, const TensorTap& tap);
  void begin_decoding(const EncodedBatch& encoded, GridSize merged);
  void report(const TensorTap& tap, std::string_view name, Tensor tensor, std::vector<std::int64_t> shape);

  Backend& backend_;
  ModelConfig config_;
  ModelWeights weights_;
  std::optional<Stem> stem_;
  Scratch scratch_;
};

// Merged grid of a patch grid: halves rounded up (section 5).
inline GridSize merged_grid(GridSize grid) { return {(grid.height + 1) / 2, (grid.width + 1) / 2}; }
// Number of 1D tokens of a patch grid (section 6).
inline int token_limit(GridSize grid) { return grid.height * grid.width / 4; }

}  // namespace tessera
