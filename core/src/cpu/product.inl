// Matrix products in f32 on packed weights: register tiles of kTileRows rows by two vectors, the depth cut into blocks.
//
// A panel is kPanel columns of the weights. The part of a panel in one depth block stays in the first-level cache while
// all rows of the job pass it; partial sums wait in `out`. Every element is summed in an order that depends on the depth
// alone: a row's result does not depend on the rows beside it, nor on how a product is split into jobs.

constexpr int kTileRows = 6;  // 6 x 2 sums, 2 weights and 1 value fill 16 registers
constexpr int kVectors = 2;
constexpr int kPanel = kVectors * kLanes;
constexpr std::int64_t kMaxDepthBlock = 320;  // x kPanel floats and the rows of a tile fit the first-level cache

// Depth of a block; the last may have less.
static std::int64_t depth_block(std::int64_t depth) {
  const std::int64_t blocks = (depth + kMaxDepthBlock - 1) / kMaxDepthBlock;
  return ((depth + blocks - 1) / blocks + 7) / 8 * 8;
}

static std::int64_t product_panels(std::int64_t columns) { return (columns + kPanel - 1) / kPanel; }

// Weights lie in the order [depth block][panel][depth][column].
static std::int64_t product_weights(std::int64_t depth, std::int64_t columns) {
  return depth * product_panels(columns) * kPanel;
}

static void pack_product(const float* rows, std::int64_t depth, std::int64_t columns, std::int64_t panel, float* out) {
  const std::int64_t padded = product_panels(columns) * kPanel, block = depth_block(depth);
  for (std::int64_t begin = 0; begin < depth; begin += block) {
    const std::int64_t count = depth - begin < block ? depth - begin : block;
    float* target = out + begin * padded + panel * kPanel * count;
    for (std::int64_t c = 0; c < kPanel; ++c) {
      const bool exists = panel * kPanel + c < columns;
      const float* source = exists ? rows + c * depth + begin : nullptr;
      for (std::int64_t k = 0; k < count; ++k) target[k * kPanel + c] = exists ? source[k] : 0.0f;
    }
  }
}

// Part of a job: one depth block of one panel.
struct PanelPart {
  const float* a;        // of the job's first row
  const float* weights;  // [depth, kPanel]
  std::int64_t depth;
  std::int64_t column;  // first of the panel
  int valid;            // columns that exist
  bool first, last;     // depth block
};

template <bool Whole>
TESSERA_INLINE Vec load_columns(const float* p, int valid) {
  if constexpr (Whole) return load(p);
  float values[kLanes] = {};
  for (int i = 0; i < valid && i < kLanes; ++i) values[i] = p[i];
  return load(values);
}
template <bool Whole>
TESSERA_INLINE void store_columns(float* p, Vec v, int valid) {
  if constexpr (Whole) return store(p, v);
  float values[kLanes];
  store(values, v);
  for (int i = 0; i < valid && i < kLanes; ++i) p[i] = values[i];
}

// Rows [row, row + Rows) of the job.
template <int Rows, bool Whole>
TESSERA_INLINE void product_tile(const ProductJob& job, const PanelPart& part, std::int64_t row) {
  const std::int64_t place = row * job.columns + part.column;  // in `out` and in `addend`
  Vec sums[Rows][kVectors];
#pragma GCC unroll 6
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      sums[r][v] = part.first ? load(job.bias + part.column + v * kLanes) : splat(0.0f);
    }
  }
  const float* before = part.first ? job.addend : job.out;
  if (before != nullptr) {
#pragma GCC unroll 6
    for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        sums[r][v] += load_columns<Whole>(before + place + r * job.columns + v * kLanes, part.valid - v * kLanes);
      }
    }
  }
  const float* a = part.a + row * job.depth;
  const float* b = part.weights;
  for (std::int64_t k = 0; k < part.depth; ++k, b += kPanel) {
    Vec column[kVectors];
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) column[v] = load(b + v * kLanes);
#pragma GCC unroll 6
    for (int r = 0; r < Rows; ++r) {
      const Vec value = splat(a[r * job.depth + k]);
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) sums[r][v] += value * column[v];
    }
  }
#pragma GCC unroll 6
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      store_columns<Whole>(job.out + place + r * job.columns + v * kLanes, sums[r][v], part.valid - v * kLanes);
    }
  }
  if (!part.last || !job.gelu) return;
  for (int r = 0; r < Rows; ++r) {
    for (int v = 0; v < kVectors; ++v) {
      float* at = job.out + place + r * job.columns + v * kLanes;
      const int valid = part.valid - v * kLanes;
      store_columns<Whole>(at, gelu_vec(load_columns<Whole>(at, valid)), valid);
    }
  }
}

template <int Rows, bool Whole>
static void product_rows(const ProductJob& job, const PanelPart& part, std::int64_t& row) {
  for (; row + Rows <= job.rows; row += Rows) product_tile<Rows, Whole>(job, part, row);
}

template <bool Whole>
static void product_panel(const ProductJob& job, const PanelPart& part) {
  std::int64_t row = 0;
  product_rows<kTileRows, Whole>(job, part, row);
  product_rows<4, Whole>(job, part, row);
  product_rows<2, Whole>(job, part, row);
  product_rows<1, Whole>(job, part, row);
}

static void product(const ProductJob& job) {
  const std::int64_t padded = product_panels(job.columns) * kPanel, block = depth_block(job.depth);
  for (std::int64_t begin = 0; begin < job.depth; begin += block) {
    PanelPart part;
    part.depth = job.depth - begin < block ? job.depth - begin : block;
    part.a = job.a + begin;
    part.first = begin == 0;
    part.last = begin + part.depth == job.depth;
    for (std::int64_t panel = job.panel_begin; panel < job.panel_end; ++panel) {
      const std::int64_t left = job.columns - panel * kPanel;
      part.column = panel * kPanel;
      part.weights = job.weights + begin * padded + part.column * part.depth;
      part.valid = left < kPanel ? static_cast<int>(left) : kPanel;
      part.valid == kPanel ? product_panel<true>(job, part) : product_panel<false>(job, part);
    }
  }
}
