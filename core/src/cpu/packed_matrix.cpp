// Packs matrices panel by panel and cuts products into jobs that fit the second-level cache.
#include "cpu/packed_matrix.h"

#include <algorithm>

namespace tessera::cpu {
namespace {

constexpr std::int64_t kMaxRows = 192;      // x a depth block of 320 floats: half of a 512 KiB cache
constexpr std::int64_t kMaxColumns = 256;   // of a job
constexpr double kMinJob = 2e6;             // multiplications that repay taking a piece
constexpr std::int64_t kJobsPerThread = 8;  // where the product is large enough
constexpr std::int64_t kTile = 6;           // rows of a register tile

std::int64_t divide_up(std::int64_t value, std::int64_t step) { return (value + step - 1) / step; }

// The rows [first, first + count) of a matrix as a view of its own.
TensorView some_rows(const TensorView& weight, std::int64_t first, std::int64_t count) {
  const std::size_t row_bytes = weight.data.size() / static_cast<std::size_t>(weight.shape[0]);
  const auto skipped = static_cast<std::size_t>(first) * row_bytes;
  return {
      weight.type, {count, weight.shape[1]}, weight.data.subspan(skipped, static_cast<std::size_t>(count) * row_bytes)};
}

}  // namespace

PackedMatrix::PackedMatrix(const TensorView& weight, std::span<const float> bias, std::span<const float> row_scale,
                           const Kernels& kernels, ThreadPool& pool)
    : in_(weight.shape.at(1)),
      out_(weight.shape[0]),
      panels_(divide_up(out_, kernels.product_panel)),
      weights_(static_cast<std::size_t>(kernels.product_weights(in_, out_))),
      bias_(static_cast<std::size_t>(panels_ * kernels.product_panel)) {
  std::fill_n(bias_.data(), bias_.size(), 0.0f);
  std::copy(bias.begin(), bias.end(), bias_.data());
  pool.run_ranges(panels_, 1, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t panel = begin; panel < end; ++panel) {
      const std::int64_t first = panel * kernels.product_panel;
      const std::int64_t count = std::min<std::int64_t>(kernels.product_panel, out_ - first);
      std::vector<float> rows = to_float(some_rows(weight, first, count));
      for (std::int64_t row = 0; row < count && !row_scale.empty(); ++row) {
        float* values = rows.data() + row * in_;
        const float scale = row_scale[static_cast<std::size_t>(first + row)];
        for (std::int64_t i = 0; i < in_; ++i) values[i] *= scale;
      }
      kernels.pack_product(rows.data(), in_, out_, panel, weights_.data());
    }
  });
}

void PackedMatrix::multiply(const float* a, std::int64_t rows, bool gelu, const float* addend, float* out,
                            const Kernels& kernels, ThreadPool& pool) const {
  if (rows <= 0) return;
  const std::int64_t row_blocks = divide_up(rows, kMaxRows);
  const std::int64_t block = divide_up(divide_up(rows, row_blocks), kTile) * kTile;
  const double work = static_cast<double>(rows) * static_cast<double>(in_) * static_cast<double>(out_);
  const auto jobs = std::clamp(static_cast<std::int64_t>(work / kMinJob), std::int64_t{1},
                               pool.threads() == 1 ? 1 : pool.threads() * kJobsPerThread);
  const std::int64_t widest = std::max<std::int64_t>(1, kMaxColumns / kernels.product_panel);
  const std::int64_t columns = std::min(widest, divide_up(panels_, divide_up(jobs, row_blocks)));
  const std::int64_t column_blocks = divide_up(panels_, columns);
  const std::int64_t used_row_blocks = divide_up(rows, block);
  // Neighbouring pieces share panels, so that threads read the same weights at about the same time.
  pool.run(used_row_blocks * column_blocks, [&](std::int64_t piece, int) {
    const std::int64_t first = piece % used_row_blocks * block;
    ProductJob job;
    job.weights = weights_.data();
    job.bias = bias_.data();
    job.depth = in_;
    job.columns = out_;
    job.a = a + first * in_;
    job.rows = std::min(block, rows - first);
    job.out = out + first * out_;
    job.addend = addend == nullptr ? nullptr : addend + first * out_;
    job.panel_begin = piece / used_row_blocks * columns;
    job.panel_end = std::min(job.panel_begin + columns, panels_);
    job.gelu = gelu;
    kernels.product(job);
  });
}

}  // namespace tessera::cpu
