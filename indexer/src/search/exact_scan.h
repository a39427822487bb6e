// Exact top-K of coarse vectors over many segments: an int8 pass that excludes, an f16 pass that decides.
//
// The answer is that of a scan of every f16 vector, not an approximation of it. With c the stored codes of a row, e its
// error and q' the query in fixed point, | <q, v> - <q', scale * c> | <= |q| e + |q - q'| |scale * c| =: b, so the
// row's score lies within b of its int8 score. T = K-th largest (int8 score - b); every row with int8 score + b >= T is
// rescored in f16. At least K rows score >= T, so no other row can be among the K best.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "search/kernels.h"
#include "store/segment.h"
#include "tessera/indexer/types.h"

namespace tessera {

// One bit per row of a segment, row 0 lowest; set = may be returned.
using RowMask = std::vector<std::uint64_t>;
RowMask make_row_mask(std::uint32_t rows, bool value);
inline bool row_in_mask(const RowMask& mask, std::uint32_t row) noexcept { return mask[row / 64] >> (row % 64) & 1; }
inline void set_row(RowMask& mask, std::uint32_t row) noexcept { mask[row / 64] |= std::uint64_t{1} << (row % 64); }
inline void clear_row(RowMask& mask, std::uint32_t row) noexcept {
  mask[row / 64] &= ~(std::uint64_t{1} << (row % 64));
}
std::int64_t count_rows(const RowMask& mask) noexcept;

struct ScanSource {
  const Segment* segment = nullptr;
  std::span<const ImageId> ids;   // per row
  const RowMask* mask = nullptr;  // rows to look at; must not be null
};

struct ScanHit {
  ImageId id = 0;
  std::uint32_t source = 0;  // index into the sources
  std::uint32_t row = 0;
  float score = 0;  // <query, f16 coarse vector>

  // Best first: score descending, ties by id.
  friend bool operator<(const ScanHit& a, const ScanHit& b) noexcept {
    return a.score != b.score ? a.score > b.score : a.id < b.id;
  }
};

struct ScanOptions {
  int k = 10;
  int threads = 0;  // 0 = usable_threads()
  SimdLevel simd = best_simd_level();
};

struct ScanStats {
  std::int64_t scanned = 0;   // rows in the int8 pass
  std::int64_t rescored = 0;  // of them in the f16 pass
};

// Best min(k, rows in masks) rows per query, best first; the same on every machine and with any number of threads.
// `queries` are vectors of the segments' width with norm near 1, float32 [count, D]. Several queries share one pass
// over memory. Throws kInvalidArgument if widths differ or k < 1.
std::vector<std::vector<ScanHit>> exact_scan(std::span<const ScanSource> sources, std::span<const float> queries,
                                             int width, const ScanOptions& options, ScanStats* stats = nullptr);

// Scores given rows in f16 (hits' source and row are read, score is written) and sorts them, best first.
void rescore(std::span<const ScanSource> sources, std::span<const float> query, const ScanOptions& options,
             std::vector<ScanHit>& hits);

}  // namespace tessera
