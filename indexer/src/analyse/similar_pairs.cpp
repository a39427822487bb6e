// All pairs above a similarity: short vectors in panels exclude, full vectors decide.
#include "tessera/indexer/similar_pairs.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <mutex>

#include "analyse/prefix_bound.h"
#include "analyse/row_scan.h"

namespace tessera {
namespace {

constexpr std::size_t kPairRows = 64;    // rows of a piece of work; a multiple of kPanelQueries
constexpr std::size_t kPairPanels = 64;  // panels that stay in the cache while those rows pass

// Rows side by side for panel_hits(), padded with zero rows.
class Panels {
 public:
  Panels(const std::int16_t* rows, std::size_t stride, std::size_t count, std::size_t width)
      : width_(width), values_((count + kPanelRows - 1) / kPanelRows * kPanelRows * width) {
    for (std::size_t row = 0; row < count; ++row) {
      std::int16_t* panel = values_.data() + row / kPanelRows * kPanelRows * width;
      for (std::size_t i = 0; i < width; ++i) {
        panel[i / 2 * 2 * kPanelRows + 2 * (row % kPanelRows) + i % 2] = rows[row * stride + i];
      }
    }
  }
  const std::int16_t* panel(std::size_t p) const noexcept { return values_.data() + p * kPanelRows * width_; }
  std::size_t count() const noexcept { return values_.size() / (kPanelRows * width_); }

 private:
  std::size_t width_;
  std::vector<std::int16_t> values_;
};

class PairScan {
 public:
  PairScan(const VectorSet& vectors, const SimilarPairsOptions& options)
      : vectors_(vectors),
        options_(options),
        threads_(threads_or_all(options.threads)),
        least_(static_cast<Dot>(std::ceil(std::clamp(options.least, -1.01, 1.01) * kDotOne))),
        short_(make_prefix_vectors(vectors, options.least, threads_, options.stop)),
        panels_(short_.width > 0 ? Panels(short_.values.data(), short_.width, vectors.size(), short_.width)
                                 : Panels(vectors.row(0), vectors.stride(), vectors.size(), vectors.stride())) {}

  std::vector<SimilarPair> run() {
    const std::size_t pieces = (vectors_.size() + kPairRows - 1) / kPairRows;
    std::vector<std::vector<SimilarPair>> found(pieces);
    // The first pieces are the longest.
    parallel_for(pieces, threads_, [&](std::size_t piece, int) {
      stop_if_asked(options_.stop);
      found[piece] = scan_piece(piece * kPairRows);
      report(std::min(vectors_.size(), (piece + 1) * kPairRows) - piece * kPairRows, piece * kPairRows);
    });
    std::vector<SimilarPair> pairs;
    for (const std::vector<SimilarPair>& some : found) pairs.insert(pairs.end(), some.begin(), some.end());
    return pairs;
  }

 private:
  std::vector<SimilarPair> scan_piece(std::size_t first) const {
    const std::size_t end = std::min(vectors_.size(), first + kPairRows);
    const std::size_t width = short_.width > 0 ? short_.width : vectors_.stride();
    const std::int16_t* rows = short_.width > 0 ? short_.values.data() : vectors_.row(0);
    const Dot least = short_.width > 0 ? short_.least : least_;
    // Rows beyond the last one are copies of nothing.
    std::vector<std::int16_t> queries(kPairRows * width, 0);
    std::copy(rows + first * width, rows + end * width, queries.begin());
    std::vector<std::vector<SimilarPair>> of_row(end - first);
    for (std::size_t begin = first / kPanelRows; begin < panels_.count(); begin += kPairPanels) {
      const std::size_t stop = std::min(panels_.count(), begin + kPairPanels);
      for (std::size_t q = 0; q < end - first; q += kPanelQueries) {
        for (std::size_t p = begin; p < stop; ++p) {
          std::uint32_t hits =
              dot_kernels_.panel_hits(queries.data() + q * width, width, panels_.panel(p), width, least);
          for (; hits != 0; hits &= hits - 1) {
            const auto bit = static_cast<std::size_t>(std::countr_zero(hits));
            const std::size_t a = first + q + bit / kPanelRows;
            const std::size_t b = p * kPanelRows + bit % kPanelRows;
            if (b <= a || a >= end || b >= vectors_.size()) continue;
            Dot dot = 0;
            dot_kernels_.dot_rows(vectors_.row(a), vectors_.row(b), vectors_.stride(), 1, &dot);
            if (dot >= least_) of_row[a - first].push_back({a, b, similarity_of(dot)});
          }
        }
      }
    }
    std::vector<SimilarPair> pairs;
    for (std::vector<SimilarPair>& row : of_row) {
      keep_most_similar(row);
      pairs.insert(pairs.end(), row.begin(), row.end());
    }
    return pairs;
  }

  void keep_most_similar(std::vector<SimilarPair>& row) const {
    if (options_.most_per_row == 0 || row.size() <= options_.most_per_row) return;
    std::sort(row.begin(), row.end(), [](const SimilarPair& x, const SimilarPair& y) {
      return x.similarity != y.similarity ? x.similarity > y.similarity : x.b < y.b;
    });
    row.resize(options_.most_per_row);
    std::sort(row.begin(), row.end(), [](const SimilarPair& x, const SimilarPair& y) { return x.b < y.b; });
  }

  // Of n (n - 1) / 2 pairs, those of rows [first, first + count) with later ones are done.
  void report(std::size_t count, std::size_t first) {
    if (!options_.progress) return;
    const std::lock_guard lock(progress_mutex_);
    pairs_done_ += double(count) * (double(vectors_.size() - first) - double(count) / 2);
    options_.progress(std::min(1.0, pairs_done_ / (double(vectors_.size()) * double(vectors_.size()) / 2)));
  }

  const VectorSet& vectors_;
  const SimilarPairsOptions& options_;
  int threads_;
  Dot least_;
  PrefixVectors short_;
  Panels panels_;
  const DotKernels& dot_kernels_ = dot_kernels();
  std::mutex progress_mutex_;
  double pairs_done_ = 0;
};

}  // namespace

std::vector<SimilarPair> find_similar_pairs(const VectorSet& vectors, const SimilarPairsOptions& options) {
  if (vectors.size() < 2) return {};
  return PairScan(vectors, options).run();
}

}  // namespace tessera
