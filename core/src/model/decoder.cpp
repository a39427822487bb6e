// RADIO1D decoder graph: tokens over a filler grid, blocks, split, blocks, crop (specification, section 7).
#include "model/vit.h"
#include "tessera/error.h"

namespace tessera {

// x = decoder prefix, then the filler grid resized to the merged grid with its first n tokens replaced.
void VisionTransformer::begin_decoding(const EncodedBatch& encoded, GridSize merged) {
  const DecoderWeights& decoder = *weights_.decoder;
  const int B = encoded.batch, P = config_.prefix_tokens, D = config_.token_width(), n = encoded.token_count;
  const int cells = merged.count(), T = P + cells;
  if (scratch_.filler_grid != merged) {
    const int r = config_.decoder->filler_grid;
    scratch_.filler_grid = {};
    scratch_.filler = Buffer(backend_, static_cast<std::size_t>(cells) * D, DType::kF32);
    backend_.resize_grid(decoder.filler.tensor(), {r, r}, merged, merged, D, scratch_.filler.tensor());
    scratch_.filler_grid = merged;
  }
  const Tensor x = scratch_.x.tensor();
  const Tensor uploaded = scratch_.y.tensor();
  backend_.upload(uploaded, encoded.tokens);
  backend_.copy_tokens({decoder.prefix_tokens.tensor(), 0, 0}, {x, T, 0}, B, P, D);
  backend_.copy_tokens({scratch_.filler.tensor(), 0, n}, {x, T, P + n}, B, cells - n, D);
  backend_.copy_tokens({uploaded, n, 0}, {x, T, P}, B, n, D);
}

// Expansion 2C -> 4C, each quarter normalised into its cell of the doubled grid; prefix projected alone.
void VisionTransformer::split(int batch, GridSize merged, const TensorTap& tap) {
  const DecoderWeights& decoder = *weights_.decoder;
  const int P = config_.prefix_tokens, C = config_.width, D = config_.token_width();
  const int cells = merged.count(), T = P + cells, wide_T = P + 4 * cells;
  const Tensor x = scratch_.x.tensor();
  const Tensor rows = scratch_.normed.tensor();    // prefix or cells as input of a matrix product
  const Tensor expanded = scratch_.y.tensor();     // [B, cells, 4C]
  const Tensor prefix = scratch_.prefix.tensor();  // [B, P, C]
  backend_.copy_tokens({x, T, 0}, {rows, P, 0}, batch, P, D);
  backend_.linear(*decoder.prefix_proj, rows, std::int64_t{batch} * P, {}, prefix);
  backend_.copy_tokens({x, T, P}, {rows, cells, 0}, batch, cells, D);
  backend_.linear(*decoder.expansion, rows, std::int64_t{batch} * cells, {}, expanded);
  backend_.copy_tokens({prefix, P, 0}, {x, wide_T, 0}, batch, P, C);
  backend_.split_norm(decoder.split_norm, expanded, batch, merged, C, {x, wide_T, P});
  report(tap, "decoder.split0", x, {batch, wide_T, C});
}

DecodedBatch VisionTransformer::decode(const EncodedBatch& encoded, const TensorTap& tap) {
  const GridSize grid{encoded.grid_height, encoded.grid_width};
  const GridSize merged = merged_grid(grid);
  const int B = encoded.batch, P = config_.prefix_tokens, C = config_.width;
  const DecoderWeights& decoder = *weights_.decoder;
  reserve(B, grid);
  begin_decoding(encoded, merged);
  int T = P + merged.count();
  for (std::size_t i = 0; i < decoder.blocks.size(); ++i) {
    if (static_cast<int>(i) == config_.decoder->split_block) {
      split(B, merged, tap);
      T = P + 4 * merged.count();
    }
    block(decoder.blocks[i], B, T);
    report(tap, "decoder.block" + std::to_string(i), scratch_.x.tensor(), {B, T, decoder.blocks[i].width});
  }
  const Tensor x = scratch_.x.tensor();
  backend_.layer_norm(decoder.norm, x, std::int64_t{B} * T, C, x);

  DecodedBatch result;
  result.batch = B;
  result.prefix_count = P;
  result.grid_height = grid.height;
  result.grid_width = grid.width;
  result.width = C;
  const Tensor packed = scratch_.y.tensor();
  backend_.copy_tokens({x, T, 0}, {packed, P, 0}, B, P, C);
  result.prefix.resize(static_cast<std::size_t>(B) * P * C);
  backend_.download(packed, result.prefix);
  for (int row = 0; row < grid.height; ++row) {  // crop the doubled grid to the patch grid
    backend_.copy_tokens({x, T, P + row * 2 * merged.width}, {packed, grid.count(), row * grid.width}, B, grid.width,
                         C);
  }
  result.dense.resize(static_cast<std::size_t>(B) * grid.count() * C);
  backend_.download(packed, result.dense);
  return result;
}

}  // namespace tessera
