// RADIO1D encoder graph: embedding, blocks, 2x2 merge, blocks, token selection (specification, sections 3 to 6).
#include "model/vit.h"

#include <algorithm>

#include "tessera/error.h"

namespace tessera {

VisionTransformer::VisionTransformer(Backend& backend, ModelConfig config, ModelWeights weights)
    : backend_(backend), config_(std::move(config)), weights_(std::move(weights)) {
  if (config_.stem) stem_.emplace(backend_, *config_.stem);
}

void VisionTransformer::reserve(int batch, GridSize grid) {
  const auto B = static_cast<std::size_t>(batch);
  const auto P = static_cast<std::size_t>(config_.prefix_tokens);
  const auto C = static_cast<std::size_t>(config_.width);
  const auto N = static_cast<std::size_t>(grid.count());
  const auto cells = static_cast<std::size_t>(merged_grid(grid).count());
  const std::size_t decoded = weights_.decoder ? 4 * cells : N;
  const std::size_t stream = B * std::max((P + std::max(N, decoded)) * C, (P + cells) * 2 * C);
  std::size_t mlp = 0;
  const auto widen = [&](const std::vector<BlockWeights>& blocks) {
    for (const BlockWeights& block : blocks) {
      const std::size_t tokens = P + (block.width == config_.width ? std::max(N, decoded) : cells);
      mlp = std::max(mlp, B * tokens * static_cast<std::size_t>(block.mlp_width));
    }
  };
  widen(weights_.blocks);
  if (weights_.decoder) widen(weights_.decoder->blocks);

  const auto grow = [&](Buffer& buffer, std::size_t elements, DType type) {
    if (buffer.elements() >= elements) return;
    buffer = Buffer();  // give the old memory back first
    buffer = Buffer(backend_, elements, type);
  };
  const DType act = backend_.activation_type();
  const auto patch = static_cast<std::size_t>(stem_ ? stem_->features() : 3 * config_.patch * config_.patch);
  grow(scratch_.x, stream, DType::kF32);
  grow(scratch_.y, stream, DType::kF32);
  grow(scratch_.prefix, B * P * 2 * C, DType::kF32);
  if (stem_) grow(scratch_.global, B * static_cast<std::size_t>(stem_->global_width()), DType::kF32);
  if (stem_ && !config_.stem->regions.empty()) {
    const std::size_t rows = B * config_.stem->regions.size();
    grow(scratch_.regions, rows * static_cast<std::size_t>(config_.stem->region_features()), act);
    grow(scratch_.region_hidden, rows * static_cast<std::size_t>(config_.stem->region_hidden), act);
  }
  grow(scratch_.patches, B * std::max(N * patch, cells * 4 * C), act);
  grow(scratch_.normed, stream, act);
  grow(scratch_.qkv, 3 * stream, act);
  grow(scratch_.attended, stream, act);
  grow(scratch_.hidden, mlp, act);
}

void VisionTransformer::release_scratch() {
  scratch_ = {};
  if (stem_) stem_->release();
}

void VisionTransformer::report(const TensorTap& tap, std::string_view name, Tensor tensor,
                               std::vector<std::int64_t> shape) {
  if (!tap) return;
  std::size_t count = 1;
  for (const std::int64_t extent : shape) count *= static_cast<std::size_t>(extent);
  std::vector<float> values(count);
  backend_.download(tensor, values);
  tap(name, values, shape);
}

// Section 3, steps 2 and 3: patches [B, N, 3pp]; or the stem's features [B, N, F].
void VisionTransformer::make_patches(const PixelInput& input, const TensorTap& tap) {
  const Tensor patches = scratch_.patches.tensor();
  const int N = input.grid.count();
  if (stem_) {
    stem_->run(*weights_.stem, weights_.conditioning, input, patches, scratch_.global.tensor(), tap);
    report(tap, "global", scratch_.global.tensor(), {input.batch, stem_->global_width()});
    report(tap, "patches", patches, {input.batch, N, stem_->features()});
    if (const StemConfig& stem = *config_.stem; !stem.regions.empty()) {
      const std::vector<CellRange> ranges = region_cells(stem, input.grid);
      backend_.pool_ranges(patches, input.batch, input.grid, stem.features(), ranges, scratch_.regions.tensor());
      report(tap, "regions", scratch_.regions.tensor(),
             {input.batch, static_cast<std::int64_t>(ranges.size()), stem.region_features()});
    }
    return;
  }
  if (!input.images.empty()) {
    backend_.patchify(input.images, config_.patch, weights_.conditioning, patches);
  } else {
    backend_.patchify(input.pixels, input.batch, input.grid, config_.patch, weights_.conditioning, patches);
  }
  report(tap, "patches", patches, {input.batch, N, 3 * config_.patch * config_.patch});
}

// Section 3, step 5: the square of the longer side, then its top-left window.
void VisionTransformer::make_positions(GridSize grid) {
  if (scratch_.positions_grid == grid) return;
  const int R = config_.position_grid, C = config_.width;
  const int m = std::max(grid.height, grid.width);
  const GridSize full = grid == GridSize{R, R} ? grid : GridSize{m, m};
  scratch_.positions_grid = {};
  scratch_.positions = Buffer(backend_, static_cast<std::size_t>(grid.count()) * C, DType::kF32);
  backend_.resize_grid(weights_.positions.tensor(), {R, R}, full, grid, C, scratch_.positions.tensor());
  scratch_.positions_grid = grid;
}

// Section 3, steps 4 to 6. projection [B, N, C] + positions [N, C]; x = prefix tokens, then patches.
void VisionTransformer::embed(int batch, GridSize grid, const TensorTap& tap) {
  const int B = batch, P = config_.prefix_tokens, C = config_.width, N = grid.count();
  const int T = P + N;
  const Tensor patches = scratch_.patches.tensor();
  const Tensor projected = scratch_.y.tensor();
  backend_.linear(*weights_.embedder, patches, std::int64_t{B} * N, {}, projected);
  report(tap, "patch_proj", projected, {B, N, C});
  report(tap, "pos_enc", scratch_.positions.tensor(), {1, N, C});

  const Tensor x = scratch_.x.tensor();
  backend_.copy_tokens({weights_.prefix_tokens.tensor(), 0, 0}, {x, T, 0}, B, P, C);
  backend_.copy_tokens({projected, N, 0}, {x, T, P}, B, N, C, scratch_.positions.tensor());
  if (stem_) {  // the global feature joins the first prefix token
    backend_.add_projection(weights_.stem->global_weight.tensor(), weights_.stem->global_bias.tensor(),
                            scratch_.global.tensor(), B, stem_->global_width(), C, {x, T, 0});
  }
  if (weights_.pre_norm) backend_.layer_norm(*weights_.pre_norm, x, std::int64_t{B} * T, C, x);
  report(tap, "embed", x, {B, T, C});
}

// Section 4. x += proj(attention(norm1(x))); x += fc2(gelu(fc1(norm2(x)))).
void VisionTransformer::block(const BlockWeights& w, int batch, int tokens) {
  const std::int64_t rows = std::int64_t{batch} * tokens;
  const Tensor x = scratch_.x.tensor();
  const Tensor normed = scratch_.normed.tensor();
  const Tensor qkv = scratch_.qkv.tensor();
  const Tensor attended = scratch_.attended.tensor();
  const Tensor hidden = scratch_.hidden.tensor();
  const int head_dim = w.width / w.heads;

  backend_.layer_norm(w.norm1, x, rows, w.width, normed);
  backend_.linear(*w.qkv, normed, rows, {}, qkv);
  if (w.q_norm) backend_.qk_norm(*w.q_norm, *w.k_norm, qkv, rows, w.heads, head_dim);
  backend_.attention(qkv, batch, tokens, w.heads, head_dim, attended);
  backend_.linear(*w.proj, attended, rows, {.accumulate = true}, x);

  backend_.layer_norm(w.norm2, x, rows, w.width, normed);
  backend_.linear(*w.fc1, normed, rows, {.gelu = true}, hidden);
  backend_.linear(*w.fc2, hidden, rows, {.accumulate = true}, x);
}

// Section 5. Cells [B, mh*mw, 4C], normalised and reduced to 2C; prefix projected alone; x = prefix, then cells.
void VisionTransformer::merge(int batch, GridSize grid, const TensorTap& tap) {
  const int P = config_.prefix_tokens, C = config_.width, D = config_.token_width();
  const int T = P + grid.count(), cells = merged_grid(grid).count();
  const Tensor x = scratch_.x.tensor();
  const Tensor joined = scratch_.patches.tensor();
  const Tensor narrow_prefix = scratch_.normed.tensor();
  const Tensor wide_prefix = scratch_.prefix.tensor();
  const Tensor reduced = scratch_.y.tensor();

  backend_.merge_norm(weights_.merge_norm, {x, T, P}, batch, grid, C, joined);
  backend_.linear(*weights_.reduction, joined, std::int64_t{batch} * cells, {}, reduced);
  backend_.copy_tokens({x, T, 0}, {narrow_prefix, P, 0}, batch, P, C);
  backend_.linear(*weights_.prefix_proj, narrow_prefix, std::int64_t{batch} * P, {}, wide_prefix);
  backend_.copy_tokens({wide_prefix, P, 0}, {x, P + cells, 0}, batch, P, D);
  backend_.copy_tokens({reduced, cells, 0}, {x, P + cells, P}, batch, cells, D);
  report(tap, "merge0", x, {batch, P + cells, D});
}

// Section 6, progressive_reduction: drops the last `drop` spatial tokens of every image; returns the tokens left.
int VisionTransformer::truncate(int batch, int tokens, int drop) {
  if (drop <= 0) return tokens;
  const int left = tokens - drop;
  backend_.copy_tokens({scratch_.x.tensor(), tokens, 0}, {scratch_.y.tensor(), left, 0}, batch, left,
                       config_.token_width());
  std::swap(scratch_.x, scratch_.y);
  return left;
}

// All blocks and the final norm; the tokens of an image that are left.
int VisionTransformer::run_blocks(int batch, GridSize grid, int kept, const TensorTap& tap) {
  const int P = config_.prefix_tokens;
  int T = P + grid.count();
  for (int i = 0; i < config_.depth; ++i) {
    if (i == config_.merge_block) {
      merge(batch, grid, tap);
      T = P + merged_grid(grid).count();
    } else if (i > config_.merge_block && config_.progressive_reduction) {
      T = truncate(batch, T, (T - P - kept) / (config_.depth - i));
    }
    block(weights_.blocks[static_cast<std::size_t>(i)], batch, T);
    report(tap, "block" + std::to_string(i), scratch_.x.tensor(),
           {batch, T, weights_.blocks[static_cast<std::size_t>(i)].width});
  }
  const Tensor x = scratch_.x.tensor();
  if (weights_.final_norm)
    backend_.layer_norm(*weights_.final_norm, x, std::int64_t{batch} * T, config_.token_width(), x);
  return T;
}

// What a pass without truncation depends on: its size, and where its tensors lie.
std::vector<std::uint64_t> VisionTransformer::pass_key(int batch, GridSize grid) const {
  std::vector<std::uint64_t> key;
  for (const int value : {batch, grid.height, grid.width}) key.push_back(static_cast<std::uint64_t>(value));
  for (const Buffer* buffer :
       {&scratch_.x, &scratch_.y, &scratch_.prefix, &scratch_.global, &scratch_.patches, &scratch_.normed,
        &scratch_.qkv, &scratch_.attended, &scratch_.hidden, &scratch_.positions}) {
    key.push_back(reinterpret_cast<std::uintptr_t>(buffer->tensor().data));
  }
  return key;
}

// What the stem sees in its regions, added to the tokens after token 0: tokens += fc2(gelu(fc1(regions))).
void VisionTransformer::add_regions(int batch, int sequence, int tokens) {
  const StemConfig& stem = *config_.stem;
  const auto regions = static_cast<int>(stem.regions.size());
  const int count = std::min(regions, tokens - 1);
  if (count < 1) return;
  const Tensor hidden = scratch_.region_hidden.tensor();
  backend_.linear(*weights_.stem->region_fc1, scratch_.regions.tensor(), std::int64_t{batch} * regions, {.gelu = true},
                  hidden);
  const auto width = static_cast<std::size_t>(config_.token_width());
  for (int image = 0; image < batch; ++image) {
    const auto first = static_cast<std::size_t>(image) * static_cast<std::size_t>(sequence) +
                       static_cast<std::size_t>(config_.prefix_tokens) + 1;
    const auto row = static_cast<std::size_t>(image) * static_cast<std::size_t>(regions * stem.region_hidden);
    backend_.linear(*weights_.stem->region_fc2, hidden.offset(row), count, {.accumulate = true},
                    scratch_.x.tensor().offset(first * width));
  }
}

VisionTransformer::Passed VisionTransformer::run(const PixelInput& input, int tokens, const TensorTap& tap) {
  const int B = input.batch, P = config_.prefix_tokens, D = config_.token_width();
  const int limit = token_limit(input.grid);
  const int n = tokens == kAllTokens ? limit : std::min(tokens, limit);
  reserve(B, input.grid);
  make_patches(input, tap);
  make_positions(input.grid);

  int T = P + merged_grid(input.grid).count();
  if (tap || config_.progressive_reduction) {  // downloads, or tensors that change places
    embed(B, input.grid, tap);
    T = run_blocks(B, input.grid, n, tap);
  } else {
    backend_.repeatable(pass_key(B, input.grid), [&] {
      embed(B, input.grid, {});
      run_blocks(B, input.grid, n, {});
    });
  }
  if (stem_ && config_.stem->token0_skip && n > 0) {  // and token 0, past the blocks
    backend_.add_projection(weights_.stem->token0_weight.tensor(), weights_.stem->token0_bias.tensor(),
                            scratch_.global.tensor(), B, stem_->global_width(), D, {scratch_.x.tensor(), T, P});
  }
  if (stem_) add_regions(B, T, n);
  return {T, n};
}

EncodedBatch VisionTransformer::encode(const PixelInput& input, int tokens, const TensorTap& tap) {
  const auto [T, n] = run(input, tokens, tap);
  const int B = input.batch, P = config_.prefix_tokens, D = config_.token_width();
  EncodedBatch result;
  result.batch = B;
  result.prefix_count = P;
  result.token_count = n;
  result.width = D;
  result.grid_height = input.grid.height;
  result.grid_width = input.grid.width;
  const Tensor x = scratch_.x.tensor();
  const Tensor packed = scratch_.y.tensor();  // selected tokens of all images without gaps
  backend_.copy_tokens({x, T, 0}, {packed, P, 0}, B, P, D);
  result.prefix.resize(static_cast<std::size_t>(B) * P * D);
  backend_.download(packed, result.prefix);
  backend_.copy_tokens({x, T, P}, {packed, n, 0}, B, n, D);
  result.tokens.resize(static_cast<std::size_t>(B) * n * D);
  backend_.download(packed, result.tokens);
  return result;
}

// In `y`: token 0 of every image, the scales, the codes. That is less than the stream, which holds P + n tokens.
CodedBatch VisionTransformer::encode_codes(const PixelInput& input, int tokens) {
  const auto [T, n] = run(input, tokens, {});
  const int B = input.batch, P = config_.prefix_tokens, D = config_.token_width();
  CodedBatch result;
  result.batch = B;
  result.token_count = n;
  result.width = D;
  if (n == 0) return result;
  result.first.resize(static_cast<std::size_t>(B) * D);
  result.scales.resize(static_cast<std::size_t>(B) * n);
  result.codes.resize(static_cast<std::size_t>(B) * n * D);
  const Tensor x = scratch_.x.tensor();
  const Tensor first = scratch_.y.tensor();
  const Tensor scales = first.offset(result.first.size());
  const Tensor codes{scales.offset(result.scales.size()).data, DType::kI8};
  backend_.copy_tokens({x, T, P}, {first, 1, 0}, B, 1, D);
  backend_.code_tokens({x, T, P}, B, n, D, codes, scales);
  backend_.download(first, result.first);
  backend_.download(scales, result.scales);
  backend_.download_codes(codes, result.codes);
  return result;
}

}  // namespace tessera
