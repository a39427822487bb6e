// Fused softmax attention of one head: key blocks with a running maximum and sum, so that no T x T matrix exists.
//
// Per block of kKeys keys and kRows queries: scores S = q * k^T (k transposed once per head), running maximum m and sum
// l, O <- O * exp(m_old - m) + exp(S - m) * v; the result is O / l. Register tiles of kRows x kColumns vectors: with 32
// registers 6 x 4 accumulators, with 16 registers 6 x 2.

constexpr int kRows = 6;
constexpr int kColumns = TESSERA_LANES == 16 ? 4 : 2;
constexpr float kNoMaximum = -1e30f;
constexpr int kKeys = 128;  // keys per softmax step, a multiple of kColumns * kLanes

TESSERA_INLINE std::size_t round_up(std::size_t value, std::size_t step) { return (value + step - 1) / step * step; }

struct AttentionLayout {
  std::size_t keys;   // tokens rounded up to whole vectors
  std::size_t width;  // head_dim rounded up to whole vectors
};
TESSERA_INLINE AttentionLayout attention_layout(int tokens, int head_dim) {
  return {round_up(static_cast<std::size_t>(tokens), kLanes), round_up(static_cast<std::size_t>(head_dim), kLanes)};
}

// Floats: k^T [width, keys], v [keys, width], q tile [kRows, width], scores [kRows, kKeys], O [kRows, width].
static std::size_t attention_workspace(int tokens, int head_dim) {
  const AttentionLayout layout = attention_layout(tokens, head_dim);
  return sizeof(float) * (2 * layout.keys * layout.width + 2 * kRows * layout.width + kRows * kKeys);
}

// acc[r][c] += sum_i a[r * row_step + i * step] * b[i * b_stride + c * kLanes]
template <int Columns>
TESSERA_INLINE void multiply_tile(Vec (&acc)[kRows][Columns], const float* a, std::size_t row_step, std::size_t step,
                                  const float* b, std::size_t b_stride, std::size_t depth) {
  for (std::size_t i = 0; i < depth; ++i) {
    Vec column[Columns];
#pragma GCC unroll 8
    for (int c = 0; c < Columns; ++c) column[c] = load(b + i * b_stride + static_cast<std::size_t>(c) * kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const Vec value = splat(a[static_cast<std::size_t>(r) * row_step + i * step]);
#pragma GCC unroll 8
      for (int c = 0; c < Columns; ++c) acc[r][c] += value * column[c];
    }
  }
}

// `dim` values as f32, scaled, zeros up to `width`.
template <typename T>
TESSERA_INLINE void load_row(const T* in, std::size_t dim, std::size_t width, float scale, float* out) {
  std::size_t d = 0;
  for (; d + kLanes <= dim; d += kLanes) store(out + d, load(in + d) * scale);
  for (; d < dim; ++d) out[d] = load_one(in + d) * scale;
  for (; d < width; ++d) out[d] = 0.0f;
}

// Transposes kLanes x kLanes floats in log2(kLanes) rounds of exchanging the off-diagonal halves of ever larger
// squares.
TESSERA_INLINE void transpose_square(const float* in, std::size_t in_stride, float* out, std::size_t out_stride) {
  Vec rows[kLanes];
#pragma GCC unroll 16
  for (int i = 0; i < kLanes; ++i) rows[i] = load(in + static_cast<std::size_t>(i) * in_stride);
#pragma GCC unroll 4
  for (int step = 1; step < kLanes; step *= 2) {
    IntVec low, high;  // sources of the two results, second operand counted from kLanes
#pragma GCC unroll 16
    for (int lane = 0; lane < kLanes; ++lane) {
      low[lane] = (lane & step) == 0 ? lane : kLanes + lane - step;
      high[lane] = (lane & step) == 0 ? lane + step : kLanes + lane;
    }
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; ++i) {
      if ((i & step) == 0) {
        const Vec a = rows[i], b = rows[i + step];
        rows[i] = __builtin_shuffle(a, b, low);
        rows[i + step] = __builtin_shuffle(a, b, high);
      }
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kLanes; ++i) store(out + static_cast<std::size_t>(i) * out_stride, rows[i]);
}

template <typename T>
TESSERA_INLINE void pack_keys_values(const AttentionJob& job, const AttentionLayout& layout, float* kt, float* v) {
  const auto dim = static_cast<std::size_t>(job.head_dim);
  const auto tokens = static_cast<std::size_t>(job.tokens);
  const auto stride = static_cast<std::size_t>(job.stride);
  const T* keys = static_cast<const T*>(job.k);
  const T* values = static_cast<const T*>(job.v);
  for (std::size_t first = 0; first < layout.keys; first += kLanes) {
    float* rows = v + first * layout.width;  // k passes through the place of these rows of v
    for (std::size_t j = 0; j < kLanes; ++j) {
      const std::size_t row = first + j;
      load_row(keys + row * stride * (row < tokens), row < tokens ? dim : 0, layout.width, 1.0f,
               rows + j * layout.width);
    }
    for (std::size_t d = 0; d < layout.width; d += kLanes) {
      transpose_square(rows + d, layout.width, kt + d * layout.keys + first, layout.keys);
    }
    for (std::size_t j = 0; j < kLanes; ++j) {
      const std::size_t row = first + j;
      load_row(values + row * stride * (row < tokens), row < tokens ? dim : 0, layout.width, 1.0f,
               rows + j * layout.width);
    }
  }
}

// scores[r * kKeys + c] = q row r * key c for Columns vectors of keys.
template <int Columns>
TESSERA_INLINE void score_tile(const float* q, std::size_t q_stride, const float* kt, std::size_t keys, std::size_t dim,
                               float* scores) {
  Vec acc[kRows][Columns] = {};
  multiply_tile<Columns>(acc, q, q_stride, 1, kt, keys, dim);
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (int c = 0; c < Columns; ++c) store(scores + r * kKeys + c * kLanes, acc[r][c]);
  }
}

// scores [kRows, kKeys] of keys [first, first + count) for the q tile; count is a whole number of vectors.
TESSERA_INLINE void score_block(const float* q, const float* kt, const AttentionLayout& layout, std::size_t dim,
                                std::size_t first, std::size_t count, float* scores) {
  std::size_t j = 0;
  for (; j + kColumns * kLanes <= count; j += kColumns * kLanes) {
    score_tile<kColumns>(q, layout.width, kt + first + j, layout.keys, dim, scores + j);
  }
  for (; j < count; j += kLanes) score_tile<1>(q, layout.width, kt + first + j, layout.keys, dim, scores + j);
}

// Turns one row of scores into exp(score - maximum); updates maximum and sum; returns exp(old maximum - new maximum).
TESSERA_INLINE float softmax_step(float* scores, std::size_t valid, std::size_t count, float& maximum_so_far,
                                  float& sum) {
  for (std::size_t j = valid; j < count; ++j) scores[j] = kNoMaximum;
  Vec best = splat(maximum_so_far);
  for (std::size_t j = 0; j < count; j += kLanes) best = maximum(best, load(scores + j));
  const float next = max_lanes(best);
  Vec total = splat(0.0f);
  for (std::size_t j = 0; j < count; j += kLanes) {
    const Vec e = exp_negative(load(scores + j) - next);
    total += e;
    store(scores + j, e);
  }
  for (std::size_t j = valid; j < count; ++j) scores[j] = 0.0f;
  // Of the first block nothing is there to be corrected.
  const float correction =
      maximum_so_far <= kNoMaximum ? 0.0f : sum_lanes(exp_negative(splat(maximum_so_far - next))) / kLanes;
  sum = sum * correction + sum_lanes(total);
  maximum_so_far = next;
  return correction;
}

template <int Columns>
TESSERA_INLINE void value_tile(const float* scores, const float* corrections, const float* v, std::size_t width,
                               std::size_t count, float* output) {
  Vec acc[kRows][Columns];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (int c = 0; c < Columns; ++c) {
      acc[r][c] = corrections[r] * load(output + static_cast<std::size_t>(r) * width + c * kLanes);
    }
  }
  multiply_tile<Columns>(acc, scores, kKeys, 1, v, width, count);
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (int c = 0; c < Columns; ++c) store(output + static_cast<std::size_t>(r) * width + c * kLanes, acc[r][c]);
  }
}

// output [kRows, width] = corrections * output + scores * v
TESSERA_INLINE void accumulate_values(const float* scores, const float* corrections, const float* v, std::size_t width,
                                      std::size_t count, float* output) {
  std::size_t d = 0;
  for (; d + kColumns * kLanes <= width; d += kColumns * kLanes) {
    value_tile<kColumns>(scores, corrections, v + d, width, count, output + d);
  }
  for (; d < width; d += kLanes) value_tile<1>(scores, corrections, v + d, width, count, output + d);
}

template <typename T>
TESSERA_INLINE void attend(const AttentionJob& job) {
  const AttentionLayout layout = attention_layout(job.tokens, job.head_dim);
  const auto dim = static_cast<std::size_t>(job.head_dim);
  const auto tokens = static_cast<std::size_t>(job.tokens);
  float* kt = static_cast<float*>(job.workspace);
  float* v = kt + layout.width * layout.keys;
  float* q = v + layout.keys * layout.width;
  float* scores = q + kRows * layout.width;
  float* output = scores + kRows * kKeys;
  pack_keys_values<T>(job, layout, kt, v);

  for (int first = job.query_begin; first < job.query_end; first += kRows) {
    for (int r = 0; r < kRows; ++r) {  // rows past the end repeat the last one and are not written
      const int row = first + r < job.query_end ? first + r : job.query_end - 1;
      const T* source = static_cast<const T*>(job.q) + row * job.stride;
      load_row(source, dim, layout.width, job.scale, q + static_cast<std::size_t>(r) * layout.width);
    }
    float maxima[kRows], sums[kRows], corrections[kRows];
    for (int r = 0; r < kRows; ++r) {
      maxima[r] = kNoMaximum;
      sums[r] = 0.0f;
    }
    for (std::size_t i = 0; i < kRows * layout.width; ++i) output[i] = 0.0f;
    for (std::size_t key = 0; key < layout.keys; key += kKeys) {
      const std::size_t count = layout.keys - key < kKeys ? layout.keys - key : kKeys;
      const std::size_t valid = tokens - key < count ? tokens - key : count;
      score_block(q, kt, layout, dim, key, count, scores);
      for (int r = 0; r < kRows; ++r) {
        corrections[r] = softmax_step(scores + static_cast<std::size_t>(r) * kKeys, valid, count, maxima[r], sums[r]);
      }
      accumulate_values(scores, corrections, v + key * layout.width, layout.width, count, output);
    }
    for (int r = 0; r < kRows && first + r < job.query_end; ++r) {
      T* target = static_cast<T*>(job.out) + (first + r) * job.out_stride;
      const float* row = output + static_cast<std::size_t>(r) * layout.width;
      const float inverse = 1.0f / sums[r];
      std::size_t d = 0;
      for (; d + kLanes <= dim; d += kLanes) store(target + d, load(row + d) * inverse);
      for (; d < dim; ++d) store_one(target + d, row[d] * inverse);
    }
  }
}

static void attention(const AttentionJob& job) {
  if (job.bf16) {
    attend<std::uint16_t>(job);
  } else {
    attend<float>(job);
  }
}
