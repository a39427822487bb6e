// Kernels for processors with AMX: those of AVX-512, and bf16 attention on matrix tiles.
#include "cpu/kernels.h"

#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"  // the compiler's own headers start some intrinsics from nothing
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC push_options
#pragma GCC target("amx-tile,amx-bf16,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma,bmi,bmi2")

namespace tessera::cpu {
namespace {

// Tiles hold 16 rows of 64 bytes. Per head, k^T and v are packed once into tiles of 32 x 16 bf16 (pairs of rows
// interleaved, as TDPBF16PS wants its second factor). Then per 32 queries and kKeys keys: scores in f32, running
// maximum and sum, probabilities in bf16, O += P * v in f32. Everything of a step fits the second-level cache.
constexpr std::size_t kTile = 16;                      // rows, and f32 columns
constexpr std::size_t kDepth = 32;                     // bf16 columns
constexpr std::size_t kTileElements = kTile * kDepth;  // bf16 elements of 1 KiB
constexpr std::size_t kQueries = 32;
constexpr std::size_t kKeys = 256;
constexpr float kLog2E = 1.44269504f;

std::size_t round_up(std::size_t value, std::size_t step) { return (value + step - 1) / step * step; }

struct Layout {
  std::size_t keys;   // tokens rounded up to kDepth
  std::size_t depth;  // head_dim rounded up to kDepth: q and k
  std::size_t width;  // head_dim rounded up to kTile: v and O

  Layout(int tokens, int head_dim)
      : keys(round_up(static_cast<std::size_t>(tokens), kDepth)),
        depth(round_up(static_cast<std::size_t>(head_dim), kDepth)),
        width(round_up(static_cast<std::size_t>(head_dim), kTile)) {}
  std::size_t packed_keys() const { return keys * depth; }
  std::size_t packed_values() const { return keys * width; }
};

struct Workspace {
  std::uint16_t* keys;           // [keys / 16][depth / 32] tiles
  std::uint16_t* values;         // [keys / 32][width / 16] tiles
  std::uint16_t* queries;        // [kQueries, depth]
  std::uint16_t* probabilities;  // [kQueries, kKeys]
  float* scores;                 // [kQueries, kKeys]
  float* output;                 // [kQueries, width]

  Workspace(void* memory, const Layout& layout) {
    keys = static_cast<std::uint16_t*>(memory);
    values = keys + layout.packed_keys();
    queries = values + layout.packed_values();
    probabilities = queries + kQueries * layout.depth;
    scores = reinterpret_cast<float*>(probabilities + kQueries * kKeys);
    output = scores + kQueries * kKeys;
  }
};

std::size_t tile_workspace(int tokens, int head_dim) {
  const Layout layout(tokens, head_dim);
  return 2 * (layout.packed_keys() + layout.packed_values() + kQueries * (layout.depth + kKeys)) +
         4 * kQueries * (kKeys + layout.width);
}

struct alignas(64) TileConfig {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t column_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

__mmask32 mask_of(std::size_t count) { return count >= 32 ? ~__mmask32{0} : (__mmask32{1} << count) - 1; }

// Tile (j, c): row r holds elements 32c + 2r and 32c + 2r + 1 of keys 16j .. 16j + 15, that is dword r of each key.
void pack_keys(const AttentionJob& job, const Layout& layout, std::uint16_t* packed) {
  const auto* source = static_cast<const std::uint16_t*>(job.k);
  const auto dim = static_cast<std::size_t>(job.head_dim);
  const auto tokens = static_cast<std::size_t>(job.tokens);
  for (std::size_t j = 0; j < layout.keys; j += kTile) {
    for (std::size_t c = 0; c < layout.depth; c += kDepth, packed += kTileElements) {
      __m512i rows[kTile];
      const __mmask32 columns = c < dim ? mask_of(dim - c) : 0;
#pragma GCC unroll 16
      for (std::size_t i = 0; i < kTile; ++i) {
        const bool inside = j + i < tokens;
        const std::uint16_t* row = inside ? source + static_cast<std::int64_t>(j + i) * job.stride + c : source;
        rows[i] = _mm512_maskz_loadu_epi16(inside ? columns : 0, row);
      }
      // 16 x 16 dword transpose: four rounds that exchange the off-diagonal halves of ever larger squares.
#pragma GCC unroll 4
      for (int step = 1; step < 16; step *= 2) {
        alignas(64) std::int32_t low[16], high[16];
        for (int lane = 0; lane < 16; ++lane) {
          low[lane] = (lane & step) == 0 ? lane : 16 + lane - step;
          high[lane] = (lane & step) == 0 ? lane + step : 16 + lane;
        }
        const __m512i low_index = _mm512_load_si512(low), high_index = _mm512_load_si512(high);
#pragma GCC unroll 16
        for (int i = 0; i < 16; ++i) {
          if ((i & step) == 0) {
            const __m512i a = rows[i], b = rows[i + step];
            rows[i] = _mm512_permutex2var_epi32(a, low_index, b);
            rows[i + step] = _mm512_permutex2var_epi32(a, high_index, b);
          }
        }
      }
#pragma GCC unroll 16
      for (std::size_t i = 0; i < kTile; ++i) _mm512_storeu_si512(packed + i * kDepth, rows[i]);
    }
  }
}

// Tile (j, d): row r holds elements 16d .. 16d + 15 of keys 32j + 2r and 32j + 2r + 1, interleaved.
void pack_values(const AttentionJob& job, const Layout& layout, std::uint16_t* packed) {
  const auto* source = static_cast<const std::uint16_t*>(job.v);
  const auto dim = static_cast<std::size_t>(job.head_dim);
  const auto tokens = static_cast<std::size_t>(job.tokens);
  const auto row_at = [&](std::size_t key, std::size_t column) {
    const __mmask16 columns = static_cast<__mmask16>(mask_of(dim - column));
    const bool inside = key < tokens;
    const std::uint16_t* row = inside ? source + static_cast<std::int64_t>(key) * job.stride + column : source;
    return _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(inside ? columns : __mmask16{0}, row));
  };
  for (std::size_t j = 0; j < layout.keys; j += kDepth) {
    for (std::size_t d = 0; d < layout.width; d += kTile, packed += kTileElements) {
      for (std::size_t r = 0; r < kTile; ++r) {
        const __m512i even = row_at(j + 2 * r, d), odd = row_at(j + 2 * r + 1, d);
        _mm512_storeu_si512(packed + r * kDepth, _mm512_or_si512(even, _mm512_slli_epi32(odd, 16)));
      }
    }
  }
}

// Scores of `row_tiles` x 16 queries and keys [first, first + count), count a multiple of 32.
template <int RowTiles>
void score_block(const Workspace& space, const Layout& layout, std::size_t first, std::size_t count) {
  const std::size_t chunks = layout.depth / kDepth;
  const auto query_bytes = static_cast<long>(2 * layout.depth);
  const long score_bytes = 4 * kKeys;
  for (std::size_t j = 0; j < count; j += 2 * kTile) {
    const std::uint16_t* left = space.keys + (first + j) / kTile * chunks * kTileElements;
    const std::uint16_t* right = left + chunks * kTileElements;
    _tile_zero(0);
    _tile_zero(1);
    if constexpr (RowTiles == 2) {
      _tile_zero(2);
      _tile_zero(3);
    }
    for (std::size_t c = 0; c < chunks; ++c) {
      _tile_loadd(4, space.queries + c * kDepth, query_bytes);
      _tile_loadd(6, left + c * kTileElements, 64);
      _tile_loadd(7, right + c * kTileElements, 64);
      _tile_dpbf16ps(0, 4, 6);
      _tile_dpbf16ps(1, 4, 7);
      if constexpr (RowTiles == 2) {
        _tile_loadd(5, space.queries + kTile * layout.depth + c * kDepth, query_bytes);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
      }
    }
    _tile_stored(0, space.scores + j, score_bytes);
    _tile_stored(1, space.scores + j + kTile, score_bytes);
    if constexpr (RowTiles == 2) {
      _tile_stored(2, space.scores + kTile * kKeys + j, score_bytes);
      _tile_stored(3, space.scores + kTile * kKeys + j + kTile, score_bytes);
    }
  }
}

// 2^x for x <= 0: polynomial on [-1/2, 1/2], relative error below 3e-6 (the result is rounded to bf16).
inline __attribute__((always_inline)) __m512 exp2_negative(__m512 x) {
  x = _mm512_max_ps(x, _mm512_set1_ps(-126.0f));
  const __m512 whole = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const __m512 r = _mm512_sub_ps(x, whole);
  __m512 p = _mm512_set1_ps(1.33336e-3f);
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(9.61812e-3f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(5.55041e-2f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.2402265f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.6931472f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f));
  return _mm512_scalef_ps(p, whole);
}

// One row: probabilities 2^(factor * (score - maximum)); returns the correction of what came before.
float softmax_row(const float* scores, std::size_t valid, std::size_t count, float factor, float& maximum, float& sum,
                  std::uint16_t* probabilities) {
  const std::size_t whole = valid / kTile * kTile;
  const auto rest = static_cast<__mmask16>(mask_of(valid - whole));
  const __m512 lowest = _mm512_set1_ps(-1e30f);
  __m512 best = lowest;
  for (std::size_t j = 0; j < whole; j += kTile) best = _mm512_max_ps(best, _mm512_loadu_ps(scores + j));
  best = _mm512_max_ps(best, _mm512_mask_loadu_ps(lowest, rest, scores + whole));
  const float next = std::max(maximum, _mm512_reduce_max_ps(best));
  const __m512 slope = _mm512_set1_ps(factor);
  const __m512 offset = _mm512_set1_ps(-next * factor);
  __m512 total = _mm512_setzero_ps();
  std::size_t j = 0;
  for (; j < count; j += kTile) {
    const auto mask = static_cast<__mmask16>(j < valid ? mask_of(std::min(valid - j, kTile)) : 0);
    const __m512 e =
        _mm512_maskz_mov_ps(mask, exp2_negative(_mm512_fmadd_ps(_mm512_loadu_ps(scores + j), slope, offset)));
    total = _mm512_add_ps(total, e);
    const __m256bh narrow = _mm512_cvtneps_pbh(e);
    std::memcpy(probabilities + j, &narrow, sizeof narrow);
  }
  const float correction = _mm512_cvtss_f32(exp2_negative(_mm512_set1_ps((maximum - next) * factor)));
  sum = sum * correction + _mm512_reduce_add_ps(total);
  maximum = next;
  return correction;
}

// O [rows, width] += P [rows, count] * v of keys [first, first + count).
template <int RowTiles, int Columns>
void value_tiles(const Workspace& space, const Layout& layout, std::size_t first, std::size_t count, std::size_t d) {
  const auto output_bytes = static_cast<long>(4 * layout.width);
  const long probability_bytes = 2 * kKeys;
  const std::size_t columns = layout.width / kTile;
  float* upper = space.output + d;
  float* lower = upper + kTile * layout.width;
  _tile_loadd(0, upper, output_bytes);
  if constexpr (Columns == 2) _tile_loadd(1, upper + kTile, output_bytes);
  if constexpr (RowTiles == 2) _tile_loadd(2, lower, output_bytes);
  if constexpr (RowTiles == 2 && Columns == 2) _tile_loadd(3, lower + kTile, output_bytes);
  for (std::size_t j = 0; j < count; j += kDepth) {
    const std::uint16_t* v = space.values + ((first + j) / kDepth * columns + d / kTile) * kTileElements;
    _tile_loadd(4, space.probabilities + j, probability_bytes);
    _tile_loadd(6, v, 64);
    _tile_dpbf16ps(0, 4, 6);
    if constexpr (Columns == 2) {
      _tile_loadd(7, v + kTileElements, 64);
      _tile_dpbf16ps(1, 4, 7);
    }
    if constexpr (RowTiles == 2) {
      _tile_loadd(5, space.probabilities + kTile * kKeys + j, probability_bytes);
      _tile_dpbf16ps(2, 5, 6);
      if constexpr (Columns == 2) _tile_dpbf16ps(3, 5, 7);
    }
  }
  _tile_stored(0, upper, output_bytes);
  if constexpr (Columns == 2) _tile_stored(1, upper + kTile, output_bytes);
  if constexpr (RowTiles == 2) _tile_stored(2, lower, output_bytes);
  if constexpr (RowTiles == 2 && Columns == 2) _tile_stored(3, lower + kTile, output_bytes);
}

void scale_row(float* row, std::size_t width, float factor) {
  for (std::size_t d = 0; d < width; d += kTile) {
    _mm512_storeu_ps(row + d, _mm512_mul_ps(_mm512_loadu_ps(row + d), _mm512_set1_ps(factor)));
  }
}

void store_output(const AttentionJob& job, const Workspace& space, const Layout& layout, int first, std::size_t rows,
                  const float* sums) {
  const auto dim = static_cast<std::size_t>(job.head_dim);
  for (std::size_t r = 0; r < rows; ++r) {
    auto* target = static_cast<std::uint16_t*>(job.out) + (first + static_cast<std::int64_t>(r)) * job.out_stride;
    const __m512 inverse = _mm512_set1_ps(1.0f / sums[r]);
    for (std::size_t d = 0; d < dim; d += kTile) {
      const __m256bh narrow =
          _mm512_cvtneps_pbh(_mm512_mul_ps(_mm512_loadu_ps(space.output + r * layout.width + d), inverse));
      __m256i bits;
      std::memcpy(&bits, &narrow, sizeof bits);
      _mm256_mask_storeu_epi16(target + d, static_cast<__mmask16>(mask_of(dim - d)), bits);
    }
  }
}

// Up to RowTiles * 16 queries from `first` on.
template <int RowTiles>
void attend_queries(const AttentionJob& job, const Workspace& space, const Layout& layout, int first,
                    std::size_t rows) {
  const auto tokens = static_cast<std::size_t>(job.tokens);
  const auto dim = static_cast<std::size_t>(job.head_dim);
  const float factor = job.scale * kLog2E;
  std::memset(space.queries, 0, 2 * RowTiles * kTile * layout.depth);
  std::memset(space.output, 0, 4 * RowTiles * kTile * layout.width);
  for (std::size_t r = 0; r < rows; ++r) {
    const auto* source = static_cast<const std::uint16_t*>(job.q) + (first + static_cast<std::int64_t>(r)) * job.stride;
    std::memcpy(space.queries + r * layout.depth, source, 2 * dim);
  }
  float maxima[kQueries], sums[kQueries];
  std::fill_n(maxima, kQueries, -1e30f);
  std::fill_n(sums, kQueries, 0.0f);
  for (std::size_t key = 0; key < layout.keys; key += kKeys) {
    const std::size_t count = std::min(layout.keys - key, kKeys);
    const std::size_t valid = std::min(tokens - key, count);
    score_block<RowTiles>(space, layout, key, count);
    for (std::size_t r = 0; r < RowTiles * kTile; ++r) {
      const float correction = softmax_row(space.scores + r * kKeys, valid, count, factor, maxima[r], sums[r],
                                           space.probabilities + r * kKeys);
      if (key > 0 && correction != 1.0f) scale_row(space.output + r * layout.width, layout.width, correction);
    }
    std::size_t d = 0;
    for (; d + 2 * kTile <= layout.width; d += 2 * kTile) value_tiles<RowTiles, 2>(space, layout, key, count, d);
    if (d < layout.width) value_tiles<RowTiles, 1>(space, layout, key, count, d);
  }
  store_output(job, space, layout, first, rows, sums);
}

void attention_tiles(const AttentionJob& job) {
  const Layout layout(job.tokens, job.head_dim);
  const Workspace space(job.workspace, layout);
  pack_keys(job, layout, space.keys);
  pack_values(job, layout, space.values);
  const TileConfig config;
  _tile_loadconfig(&config);
  for (int first = job.query_begin; first < job.query_end; first += static_cast<int>(kQueries)) {
    const auto rows = std::min(static_cast<std::size_t>(job.query_end - first), kQueries);
    if (rows > kTile) {
      attend_queries<2>(job, space, layout, first, rows);
    } else {
      attend_queries<1>(job, space, layout, first, rows);
    }
  }
  _tile_release();
}

std::size_t attention_workspace(int tokens, int head_dim) {
  return std::max(tile_workspace(tokens, head_dim), kernels_avx512().attention_workspace(tokens, head_dim));
}

void attention(const AttentionJob& job) {
  if (job.bf16) {
    attention_tiles(job);
  } else {
    kernels_avx512().attention(job);
  }
}

}  // namespace

#pragma GCC pop_options
#pragma GCC diagnostic pop

const Kernels& kernels_amx() {
  static const Kernels table = [] {
    Kernels kernels = kernels_avx512();
    kernels.name = "amx";
    kernels.attention_workspace = attention_workspace;
    kernels.attention = attention;
    return kernels;
  }();
  return table;
}

bool enable_amx() {
  constexpr int kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr int kTileData = 18;               // XFEATURE_XTILEDATA
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512bf16") && ::syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

}  // namespace tessera::cpu
