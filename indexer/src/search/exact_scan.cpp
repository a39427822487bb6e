// Exact top-K of coarse vectors over many segments: an int8 pass that excludes, an f16 pass that decides.
#include "search/exact_scan.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <limits>
#include <memory>
#include <string>

#include "search/parallel.h"
#include "tessera/error.h"

namespace tessera {
namespace {

constexpr std::uint32_t kTileRows = 256;     // a multiple of 64; 192 KB of codes at D = 768, inside L2
constexpr std::size_t kQueriesPerPass = 16;  // bounds the memory for upper bounds: 64 bytes a row
constexpr double kLargestNorm = 1.001;       // of an L2-normalised vector after rounding to f16
constexpr double kRounding = 2e-6;           // of scores near 1 kept in float32, both passes
constexpr std::size_t kRescoreGrain = 256;   // rows per piece of work
constexpr float kNever = -std::numeric_limits<float>::infinity();

struct Tile {
  std::uint32_t source;
  std::uint32_t row;  // first
  std::uint32_t rows;
  std::size_t position;  // of the first row in the upper bounds
};

std::vector<Tile> make_tiles(std::span<const ScanSource> sources) {
  std::vector<Tile> tiles;
  std::size_t position = 0;
  for (std::uint32_t s = 0; s < sources.size(); ++s) {
    const std::uint32_t rows = sources[s].segment->rows();
    for (std::uint32_t row = 0; row < rows; row += kTileRows) {
      tiles.push_back({s, row, std::min(kTileRows, rows - row), position + row});
    }
    position += rows;
  }
  return tiles;
}

// The k largest values offered so far.
class LargestK {
 public:
  explicit LargestK(std::size_t k) : k_(k) {}
  void offer(float value) {
    if (values_.size() < k_) {
      values_.push_back(value);
      std::push_heap(values_.begin(), values_.end(), std::greater<>());
    } else if (value > values_.front()) {
      std::pop_heap(values_.begin(), values_.end(), std::greater<>());
      values_.back() = value;
      std::push_heap(values_.begin(), values_.end(), std::greater<>());
    }
  }
  // The k-th largest, or -infinity if fewer were offered.
  float threshold() const { return values_.size() < k_ ? kNever : values_.front(); }
  const std::vector<float>& values() const { return values_; }

 private:
  std::size_t k_;
  std::vector<float> values_;
};

// One pass over the codes for a few queries.
class Pass {
 public:
  Pass(std::span<const ScanSource> sources, std::span<const float> queries, int width, const ScanOptions& options)
      : sources_(sources), options_(options), kernels_(kernels(options.simd)), tiles_(make_tiles(sources)) {
    for (std::size_t at = 0; at < queries.size(); at += std::size_t(width)) {
      queries_.emplace_back(queries.subspan(at, std::size_t(width)));
    }
    std::size_t rows = 0;
    for (const ScanSource& source : sources) rows += source.segment->rows();
    for (std::size_t q = 0; q < queries_.size(); ++q) {
      upper_.push_back(std::make_unique_for_overwrite<float[]>(rows));
    }
    lower_.assign(std::size_t(options.threads),
                  std::vector<LargestK>(queries_.size(), LargestK(std::size_t(options.k))));
  }

  void bound_scores() {
    parallel_for(tiles_.size(), options_.threads,
                 [&](std::size_t t, int worker) { bound_tile(tiles_[t], lower_[std::size_t(worker)]); });
  }

  // Rows that may be among the best k of a query.
  std::vector<ScanHit> candidates(std::size_t query) const {
    LargestK all(static_cast<std::size_t>(options_.k));
    for (const auto& worker : lower_) {
      for (const float value : worker[query].values()) all.offer(value);
    }
    const float threshold = all.threshold();
    std::vector<ScanHit> result;
    for (const Tile& tile : tiles_) {
      const ScanSource& source = sources_[tile.source];
      for (std::uint32_t i = 0; i < tile.rows; ++i) {
        const float bound = upper_[query][tile.position + i];
        if (bound < threshold || bound == kNever) continue;
        const std::uint32_t row = tile.row + i;
        result.push_back({source.ids[row], tile.source, row, 0.0f});
      }
    }
    return result;
  }

 private:
  void bound_tile(const Tile& tile, std::vector<LargestK>& lower) {
    const ScanSource& source = sources_[tile.source];
    for (std::size_t q = 0; q < queries_.size(); ++q) {
      for (std::uint32_t i = 0; i < tile.rows; i += 64) {
        const std::uint64_t mask = (*source.mask)[(tile.row + i) / 64];
        bound_rows(queries_[q], source, tile.row + i, std::min(64u, tile.rows - i), mask,
                   upper_[q].get() + tile.position + i, lower[q]);
      }
    }
  }

  void bound_rows(const QueryCodes& query, const ScanSource& source, std::uint32_t row, std::uint32_t rows,
                  std::uint64_t mask, float* upper, LargestK& lower) {
    if (mask == 0) {
      std::fill(upper, upper + rows, kNever);
      return;
    }
    std::int64_t dots[64];
    const Segment& segment = *source.segment;
    kernels_.dot_codes(query, segment.coarse_codes(row), segment.coarse_code_stride(), rows, dots);
    const CodeScale* scales = &segment.coarse_scale(row);
    const double query_scale = query.scale();
    const double query_norm = query.norm();
    const double query_error = query.error();
    float floor = lower.threshold();
    for (std::uint32_t i = 0; i < rows; ++i) {
      const double error = scales[i].error;
      const double score = double(dots[i]) * scales[i].scale * query_scale;
      const double bound = query_norm * error + query_error * (kLargestNorm + error) + kRounding;
      upper[i] = static_cast<float>(score + bound);
      if (!(mask >> i & 1)) {
        upper[i] = kNever;
      } else if (const auto least = static_cast<float>(score - bound); least > floor) {
        lower.offer(least);
        floor = lower.threshold();
      }
    }
  }

  std::span<const ScanSource> sources_;
  const ScanOptions& options_;
  const Kernels& kernels_;
  std::vector<Tile> tiles_;
  std::vector<QueryCodes> queries_;
  std::vector<std::unique_ptr<float[]>> upper_;  // per query, per row: score is at most this
  std::vector<std::vector<LargestK>> lower_;     // per thread, per query
};

void check_arguments(std::span<const ScanSource> sources, std::span<const float> queries, int width, int k) {
  if (k < 1) throw Error(ErrorCode::kInvalidArgument, "a search needs k >= 1");
  if (width < 1 || queries.size() % std::size_t(width) != 0) {
    throw Error(ErrorCode::kInvalidArgument, "query vectors are not whole");
  }
  for (const ScanSource& source : sources) {
    if (source.segment->width() != width) {
      throw Error(ErrorCode::kInvalidArgument, "the query has width " + std::to_string(width) + ", " +
                                                   source.segment->path().string() + " has " +
                                                   std::to_string(source.segment->width()));
    }
  }
}

}  // namespace

RowMask make_row_mask(std::uint32_t rows, bool value) {
  RowMask mask((rows + 63) / 64, value ? ~std::uint64_t{0} : 0);
  if (value && rows % 64 != 0) mask.back() >>= 64 - rows % 64;
  return mask;
}

std::int64_t count_rows(const RowMask& mask) noexcept {
  std::int64_t count = 0;
  for (const std::uint64_t word : mask) count += std::popcount(word);
  return count;
}

void rescore(std::span<const ScanSource> sources, std::span<const float> query, const ScanOptions& options,
             std::vector<ScanHit>& hits) {
  const Kernels& kernel = kernels(options.simd);
  const int threads = options.threads > 0 ? options.threads : usable_threads();
  const std::size_t pieces = (hits.size() + kRescoreGrain - 1) / kRescoreGrain;
  parallel_for(pieces, threads, [&](std::size_t piece, int) {
    const std::size_t end = std::min(hits.size(), (piece + 1) * kRescoreGrain);
    for (std::size_t i = piece * kRescoreGrain; i < end; ++i) {
      const Segment& segment = *sources[hits[i].source].segment;
      hits[i].score = static_cast<float>(
          kernel.dot_half(query.data(), segment.coarse_half(hits[i].row), static_cast<int>(query.size())));
    }
  });
  std::sort(hits.begin(), hits.end());
}

std::vector<std::vector<ScanHit>> exact_scan(std::span<const ScanSource> sources, std::span<const float> queries,
                                             int width, const ScanOptions& options, ScanStats* stats) {
  check_arguments(sources, queries, width, options.k);
  ScanOptions used = options;
  if (used.threads <= 0) used.threads = usable_threads();
  std::vector<std::vector<ScanHit>> results;
  const std::size_t pass_size = kQueriesPerPass * std::size_t(width);
  for (std::size_t at = 0; at < queries.size(); at += pass_size) {
    const std::span<const float> some = queries.subspan(at, std::min(pass_size, queries.size() - at));
    Pass pass(sources, some, width, used);
    pass.bound_scores();
    for (std::size_t q = 0; q * std::size_t(width) < some.size(); ++q) {
      std::vector<ScanHit> hits = pass.candidates(q);
      if (stats != nullptr) stats->rescored += static_cast<std::int64_t>(hits.size());
      rescore(sources, some.subspan(q * std::size_t(width), std::size_t(width)), used, hits);
      if (hits.size() > std::size_t(used.k)) hits.resize(std::size_t(used.k));
      results.push_back(std::move(hits));
    }
  }
  if (stats != nullptr) {
    for (const ScanSource& source : sources) {
      stats->scanned += count_rows(*source.mask) * static_cast<std::int64_t>(results.size());
    }
  }
  return results;
}

}  // namespace tessera
