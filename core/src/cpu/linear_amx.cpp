// bf16 matrix products on AMX tiles: blocks for the caches, prefetches the weights, and finishes each block in
// registers.
#include "cpu/linear_amx.h"

#include <immintrin.h>
#include <omp.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "model/float_convert.h"
#include "tessera/error.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"  // the compiler's own headers start some intrinsics from nothing
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC push_options
#pragma GCC target("amx-tile,amx-bf16,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma,bmi,bmi2")

namespace tessera::cpu {
namespace {

constexpr int kTile = 16;              // rows, and f32 columns, of a tile
constexpr int kPanel = 2 * kTile;      // outputs of a panel
constexpr int kDepth = 32;             // inputs of a tile
constexpr int kTileElements = 512;     // bf16 elements of 1 KiB
constexpr int kBlockRows = 2 * kTile;  // rows of a register block: 2 x 2 tiles of sums
// A weight block of kPanel x kBlockDepth (40 KiB) stays in the first-level cache while all rows pass it; the rows come
// from the second-level cache by loads that do not displace it. kCachedBytes of rows leave room there for the weights
// to come.
constexpr int kBlockDepth = 640;
constexpr std::int64_t kCachedBytes = 1 << 20;
constexpr std::int64_t kMaxRows = 512;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

struct alignas(64) TileConfig {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t column_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};

  // Tiles 0, 1, 4: the upper rows of sums and inputs; 2, 3, 5: the lower ones; 6, 7: weights.
  explicit TileConfig(int count) {
    const auto upper = static_cast<std::uint8_t>(std::min(count, kTile));
    const auto lower = static_cast<std::uint8_t>(count > kTile ? count - kTile : kTile);
    for (const int tile : {0, 1, 4}) rows[tile] = upper;
    for (const int tile : {2, 3, 5}) rows[tile] = lower;
  }
};

// One weight block applied to the rows of a task.
struct Block {
  const std::uint16_t* in = nullptr;  // first row, first input of the block
  std::int64_t stride = 0;            // elements between rows
  const std::uint16_t* weights = nullptr;
  int chunks = 0;               // of kDepth inputs
  float* sums = nullptr;        // [rows, kPanel], or [kBlockRows, kPanel] if the block is all there is
  bool first = true;            // sums start at zero
  const char* ahead = nullptr;  // weights to fetch meanwhile
  std::int64_t ahead_lines = 0;
};

// sums [RowTiles * 16, kPanel] += in * weights; fetches `lines` cache lines from `ahead` on.
template <int RowTiles>
inline __attribute__((always_inline)) void multiply(const Block& block, const std::uint16_t* in, float* sums,
                                                    const char* ahead, std::int64_t lines) {
  constexpr long kSumBytes = kPanel * sizeof(float);
  const auto in_bytes = static_cast<long>(block.stride * 2);
  if (block.first) {
    _tile_zero(0);
    _tile_zero(1);
    if constexpr (RowTiles == 2) {
      _tile_zero(2);
      _tile_zero(3);
    }
  } else {
    _tile_loadd(0, sums, kSumBytes);
    _tile_loadd(1, sums + kTile, kSumBytes);
    if constexpr (RowTiles == 2) {
      _tile_loadd(2, sums + kTile * kPanel, kSumBytes);
      _tile_loadd(3, sums + kTile * kPanel + kTile, kSumBytes);
    }
  }
  const std::uint16_t* weights = block.weights;
  const std::int64_t per_chunk = (lines + block.chunks - 1) / block.chunks;
  const char* end = ahead + lines * 64;
  for (int c = 0; c < block.chunks; ++c) {
    _tile_stream_loadd(4, in + c * kDepth, in_bytes);
    _tile_loadd(6, weights, 64);
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(7, weights + kTileElements, 64);
    _tile_dpbf16ps(1, 4, 7);
    if constexpr (RowTiles == 2) {
      _tile_stream_loadd(5, in + kTile * block.stride + c * kDepth, in_bytes);
      _tile_dpbf16ps(2, 5, 6);
      _tile_dpbf16ps(3, 5, 7);
    }
    weights += 2 * kTileElements;
    for (std::int64_t i = 0; i < per_chunk && ahead < end; ++i, ahead += 64) _mm_prefetch(ahead, _MM_HINT_T1);
  }
  _tile_stored(0, sums, kSumBytes);
  _tile_stored(1, sums + kTile, kSumBytes);
  if constexpr (RowTiles == 2) {
    _tile_stored(2, sums + kTile * kPanel, kSumBytes);
    _tile_stored(3, sums + kTile * kPanel + kTile, kSumBytes);
  }
}

// x * (1 + erf(x / sqrt 2)) / 2; rational minimax approximation of erf on [-4, 4], constant outside.
inline __attribute__((always_inline)) __m512 gelu(__m512 x) {
  const __m512 limit = _mm512_set1_ps(4.0f);
  const __m512 scaled = _mm512_mul_ps(x, _mm512_set1_ps(0.70710678f));
  const __m512 z = _mm512_min_ps(_mm512_max_ps(scaled, _mm512_sub_ps(_mm512_setzero_ps(), limit)), limit);
  const __m512 s = _mm512_mul_ps(z, z);
  __m512 p = _mm512_set1_ps(-2.72614225801306e-10f);
  for (const float c : {2.77068142495902e-08f, -2.10102402082508e-06f, -5.69250639462346e-05f, -7.34990630326855e-04f,
                        -2.95459980854025e-03f, -1.60960333262415e-02f}) {
    p = _mm512_fmadd_ps(p, s, _mm512_set1_ps(c));
  }
  __m512 q = _mm512_set1_ps(-1.45660718464996e-05f);
  for (const float c :
       {-2.13374055278905e-04f, -1.68282697438203e-03f, -7.37332916720468e-03f, -1.42647390514189e-02f}) {
    q = _mm512_fmadd_ps(q, s, _mm512_set1_ps(c));
  }
  __m512 inverse = _mm512_rcp14_ps(q);  // one Newton step brings it to f32 accuracy
  inverse = _mm512_mul_ps(inverse, _mm512_fnmadd_ps(q, inverse, _mm512_set1_ps(2.0f)));
  const __m512 erf = _mm512_mul_ps(_mm512_mul_ps(z, p), inverse);
  const __m512 half = _mm512_mul_ps(x, _mm512_set1_ps(0.5f));
  return _mm512_fmadd_ps(half, erf, half);
}

// Where a finished panel goes.
struct Target {
  Tensor out;               // first row, first output of the panel
  std::int64_t stride = 0;  // elements between rows
  const float* bias = nullptr;
  LinearOptions options;
  int columns = kPanel;
};

void finish(const Target& target, const float* sums, std::int64_t first, int rows) {
  const __m512 zero = _mm512_setzero_ps();
  const __m512 bias[2] = {target.bias != nullptr ? _mm512_loadu_ps(target.bias) : zero,
                          target.bias != nullptr ? _mm512_loadu_ps(target.bias + kTile) : zero};
  const __mmask32 inside = target.columns == kPanel ? ~__mmask32{0} : (__mmask32{1} << target.columns) - 1;
  for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 2
    for (int part = 0; part < 2; ++part) {
      const auto mask = static_cast<__mmask16>(inside >> (part * kTile));
      const std::int64_t place = (first + r) * target.stride + part * kTile;
      __m512 value = _mm512_add_ps(_mm512_loadu_ps(sums + r * kPanel + part * kTile), bias[part]);
      if (target.options.gelu) value = gelu(value);
      if (target.out.type == DType::kF32) {
        float* to = static_cast<float*>(target.out.data) + place;
        if (target.options.accumulate) value = _mm512_add_ps(value, _mm512_maskz_loadu_ps(mask, to));
        _mm512_mask_storeu_ps(to, mask, value);
      } else {
        const __m256bh narrow = _mm512_cvtneps_pbh(value);
        __m256i bits;
        std::memcpy(&bits, &narrow, sizeof bits);
        _mm256_mask_storeu_epi16(static_cast<std::uint16_t*>(target.out.data) + place, mask, bits);
      }
    }
  }
}

// Passes all rows by one weight block; with `target` the sums are complete and leave.
void pass_rows(const Block& block, std::int64_t rows, bool keep_sums, const Target* target) {
  const std::int64_t steps = (rows + kBlockRows - 1) / kBlockRows;
  const std::int64_t lines = (block.ahead_lines + steps - 1) / steps;
  for (std::int64_t step = 0; step < steps; ++step) {
    const std::int64_t row = step * kBlockRows;
    const auto count = static_cast<int>(std::min<std::int64_t>(rows - row, kBlockRows));
    float* sums = block.sums + (keep_sums ? row * kPanel : 0);
    const std::uint16_t* in = block.in + row * block.stride;
    const std::int64_t begin = std::min(step * lines, block.ahead_lines);
    const std::int64_t fetched = std::min(lines, block.ahead_lines - begin);
    const bool partial = count < kBlockRows;
    if (partial) {
      const TileConfig config(count);
      _tile_loadconfig(&config);
    }
    if (count > kTile) {
      multiply<2>(block, in, sums, block.ahead + begin * 64, fetched);
    } else {
      multiply<1>(block, in, sums, block.ahead + begin * 64, fetched);
    }
    if (partial) {
      const TileConfig config(kBlockRows);
      _tile_loadconfig(&config);
    }
    if (target != nullptr) finish(*target, sums, row, count);
  }
}

// Rows and panels of one thread.
struct Task {
  const TiledWeights& weights;
  Tensor in;
  Tensor out;
  LinearOptions options;
  std::int64_t first_row = 0, rows = 0;
  int first_panel = 0, last_panel = 0;
  float* sums = nullptr;
};

// All panels for inputs [begin, begin + depth) and rows [row, row + rows).
void multiply_panels(const Task& task, std::int64_t row, std::int64_t rows, int begin, int depth) {
  const TiledWeights& weights = task.weights;
  const int blocks = (depth + kBlockDepth - 1) / kBlockDepth;
  const int chunks = depth / kDepth;
  for (int panel = task.first_panel; panel < task.last_panel; ++panel) {
    const std::uint16_t* start = weights.packed.get() + (std::int64_t{panel} * weights.in + begin) * kPanel;
    Target target;
    target.stride = weights.out;
    target.out = task.out.offset(static_cast<std::size_t>(row * weights.out + panel * kPanel));
    target.bias = weights.bias.empty() || begin > 0 ? nullptr : weights.bias.data() + panel * kPanel;
    target.options = task.options;
    target.columns = std::min(kPanel, weights.out - panel * kPanel);
    for (int b = 0; b < blocks; ++b) {
      const int from = chunks * b / blocks, to = chunks * (b + 1) / blocks;
      Block block;
      block.in = static_cast<const std::uint16_t*>(task.in.data) + row * weights.in + begin + from * kDepth;
      block.stride = weights.in;
      block.weights = start + std::int64_t{from} * kDepth * kPanel;
      block.chunks = to - from;
      block.sums = task.sums;
      block.first = b == 0;
      const bool last = b + 1 == blocks;
      if (!last || panel + 1 < task.last_panel) {
        const std::uint16_t* next =
            last ? start + std::int64_t{weights.in} * kPanel : start + std::int64_t{to} * kDepth * kPanel;
        block.ahead = reinterpret_cast<const char*>(next);
        block.ahead_lines = std::int64_t{block.chunks} * kDepth * kPanel * 2 / 64;
      }
      pass_rows(block, rows, blocks > 1, last ? &target : nullptr);
    }
  }
}

// Rows come in groups that fit the second-level cache; where the result is added to `out` anyway, long inputs are cut
// instead, so that the weights are read once.
void run_task(const Task& task) {
  const TileConfig config(kBlockRows);
  _tile_loadconfig(&config);
  const std::int64_t in = task.weights.in;
  int cuts = 1;
  if (task.options.accumulate && !task.options.gelu && task.out.type == DType::kF32) {
    const std::int64_t bytes = std::min(task.rows, kMaxRows) * in * 2;
    cuts = static_cast<int>(std::min((bytes + kCachedBytes - 1) / kCachedBytes, std::max<std::int64_t>(1, in / 512)));
  }
  const std::int64_t chunks = in / kDepth;
  const std::int64_t depth = (chunks + cuts - 1) / cuts * kDepth;
  const std::int64_t fitting = std::clamp<std::int64_t>(kCachedBytes / (2 * depth), kBlockRows, kMaxRows);
  const std::int64_t groups = (task.rows + fitting - 1) / fitting;
  const std::int64_t group = ((task.rows + groups - 1) / groups + kBlockRows - 1) / kBlockRows * kBlockRows;
  for (std::int64_t row = 0; row < task.rows; row += group) {
    for (std::int64_t begin = 0; begin < in; begin += depth) {
      multiply_panels(task, task.first_row + row, std::min(group, task.rows - row), static_cast<int>(begin),
                      static_cast<int>(std::min(depth, in - begin)));
    }
  }
  _tile_release();
}

// Rows `first` .. of the matrix as bf16 [kPanel, in]; rows past the end are zero.
void panel_rows(const Kernels& kernels, const TensorView& weight, std::span<const float> converted,
                std::span<const float> row_scale, int first, std::size_t in, std::uint16_t* rows, float* line) {
  const int out = static_cast<int>(weight.shape[0]);
  for (int i = 0; i < kPanel; ++i) {
    const auto row = static_cast<std::size_t>(first + i);
    std::uint16_t* target = rows + static_cast<std::size_t>(i) * in;
    if (first + i >= out) {
      std::fill_n(target, in, std::uint16_t{0});
    } else if (weight.type == TensorType::kBF16 && row_scale.empty()) {
      std::memcpy(target, weight.data.data() + row * in * 2, in * 2);
    } else {
      const void* source = converted.empty() ? static_cast<const void*>(weight.data.data() + row * in * sizeof(float))
                                             : converted.data() + row * in;
      std::memcpy(line, source, in * sizeof(float));
      if (!row_scale.empty()) std::transform(line, line + in, line, [&](float v) { return v * row_scale[row]; });
      kernels.to_bf16(line, in, target);
    }
  }
}

std::uint16_t* allocate(std::size_t bytes) {
  const std::size_t alignment = bytes >= 2 * kHugePage ? kHugePage : 64;
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void* data = std::aligned_alloc(alignment, rounded);
  if (data == nullptr)
    throw Error(ErrorCode::kLimit, "not enough memory for " + std::to_string(bytes) + " bytes of weights");
  if (alignment == kHugePage) ::madvise(data, rounded, MADV_HUGEPAGE);  // fewer address translations; only a hint
  return static_cast<std::uint16_t*>(data);
}

}  // namespace

std::unique_ptr<TiledWeights> TileProducts::pack(const Kernels& kernels, const TensorView& weight,
                                                 std::span<const float> bias, std::span<const float> row_scale,
                                                 int threads) {
  auto made = std::make_unique<TiledWeights>();
  made->out = static_cast<int>(weight.shape.at(0));
  made->in = static_cast<int>(weight.shape.at(1));
  const auto in = static_cast<std::size_t>(made->in);
  const int panels = made->panels();
  made->packed.reset(allocate(static_cast<std::size_t>(panels) * kPanel * in * 2));
  if (!bias.empty()) {
    made->bias.assign(bias.begin(), bias.end());
    made->bias.resize(static_cast<std::size_t>(panels) * kPanel, 0.0f);
  }
  std::vector<float> converted;
  const bool direct = weight.type == TensorType::kF32 || (weight.type == TensorType::kBF16 && row_scale.empty());
  if (!direct) converted = to_float(weight);
  const auto parts = static_cast<std::size_t>(threads);
  std::vector<std::uint16_t> rows(parts * kPanel * in);
  std::vector<float> lines(parts * in);
#pragma omp parallel for schedule(static) num_threads(threads)
  for (int panel = 0; panel < panels; ++panel) {
    const auto part = static_cast<std::size_t>(omp_get_thread_num());
    std::uint16_t* source = rows.data() + part * kPanel * in;
    panel_rows(kernels, weight, converted, row_scale, panel * kPanel, in, source, lines.data() + part * in);
    std::uint16_t* target = made->packed.get() + static_cast<std::size_t>(panel) * kPanel * in;
    for (std::size_t chunk = 0; chunk < in; chunk += kDepth) {
      for (std::size_t output = 0; output < kPanel; ++output) {
        std::uint16_t* tile = target + chunk * kPanel + output / kTile * kTileElements + output % kTile * 2;
        for (std::size_t pair = 0; pair < kTile; ++pair) {
          std::memcpy(tile + pair * kDepth, source + output * in + chunk + 2 * pair, 4);
        }
      }
    }
  }
  return made;
}

void TileProducts::run(const TiledWeights& weights, Tensor in, std::int64_t rows, LinearOptions options, Tensor out,
                       int threads) {
  constexpr std::int64_t kPart = kMaxRows * kPanel;
  const auto needed = static_cast<std::size_t>(threads * kPart);
  if (scratch_.size() < needed) scratch_.resize(needed);
  // Many rows and small weights: each thread takes its rows through the whole matrix; else each streams its panels.
  const bool by_rows = rows >= 2 * std::int64_t{std::max(weights.in, weights.out)} || weights.panels() < threads;
#pragma omp parallel num_threads(threads)
  {
    const int count = omp_get_num_threads(), self = omp_get_thread_num();
    Task task{weights, in, out, options, 0, rows, 0, weights.panels(), scratch_.data() + self * kPart};
    if (by_rows) {
      const std::int64_t blocks = (rows + kBlockRows - 1) / kBlockRows;
      task.first_row = blocks * self / count * kBlockRows;
      task.rows = std::min(rows, blocks * (self + 1) / count * kBlockRows) - task.first_row;
    } else {
      task.first_panel = weights.panels() * self / count;
      task.last_panel = weights.panels() * (self + 1) / count;
    }
    if (task.rows > 0 && task.first_panel < task.last_panel) run_task(task);
  }
}

}  // namespace tessera::cpu

#pragma GCC pop_options
#pragma GCC diagnostic pop
