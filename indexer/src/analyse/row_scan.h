// One pass over all rows of a vector set on several threads, in tiles that fit in the cache.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <stop_token>
#include <vector>

#include "analyse/dot16.h"
#include "search/parallel.h"
#include "tessera/error.h"

namespace tessera {

inline constexpr std::size_t kScanTile = 256;  // rows; 192 KB at width 384

inline void stop_if_asked(const std::stop_token& stop) {
  if (stop.stop_requested()) throw Error(ErrorCode::kCancelled, "stopped");
}

inline int threads_or_all(int threads) noexcept { return threads > 0 ? threads : usable_threads(); }

// One thread where starting others takes longer than the products themselves.
inline int threads_for(std::size_t products, int threads) noexcept {
  constexpr std::size_t kWorthAThread = std::size_t{1} << 22;
  return products < 2 * kWorthAThread ? 1 : threads;
}

// visit(first row, dots) for each tile; dots[i] = <query, row first + i>. From several threads at once.
template <typename Visit>
void scan_rows(const VectorSet& vectors, const std::int16_t* query, int threads, const Visit& visit) {
  const DotKernels& kernels = dot_kernels();
  const int workers = threads_for(vectors.size() * vectors.stride(), threads);
  parallel_for((vectors.size() + kScanTile - 1) / kScanTile, workers, [&](std::size_t tile, int) {
    std::array<Dot, kScanTile> dots;
    const std::size_t first = tile * kScanTile;
    const std::size_t count = std::min(kScanTile, vectors.size() - first);
    kernels.dot_rows(query, vectors.row(first), vectors.stride(), count, dots.data());
    visit(first, std::span<const Dot>(dots.data(), count));
  });
}

// `count` of the rows [0, total) at even distances, all if there are no more; ascending.
inline std::vector<std::size_t> even_sample(std::size_t total, std::size_t count) {
  count = std::min(count, total);
  std::vector<std::size_t> rows;
  rows.reserve(count);
  for (std::size_t i = 0; i < count; ++i) rows.push_back((2 * i + 1) * total / (2 * count));
  return rows;
}

// The direction of the sum of rows, as a row of a vector set; all zeros if they cancel out.
std::vector<std::int16_t> direction_of(std::span<const std::int64_t> sum, std::size_t stride);

// Adds a row to a sum.
inline void add_row(std::vector<std::int64_t>& sum, const std::int16_t* row) noexcept {
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += row[i];
}

}  // namespace tessera
