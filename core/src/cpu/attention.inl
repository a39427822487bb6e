// Fused softmax attention of one head: key blocks with a running maximum and sum, so that no T x T matrix exists.
//
// Per block of kKeys keys and kRows queries: scores S = q * k^T (k transposed once per head), running maximum m and sum
// l, O <- O * exp(m_old - m) + exp(S - m) * v; the result is O / l. Register tiles of kRows x kColumns vectors: with 32
// registers 6 x 4 accumulators, with 16 registers 4 x 2.

constexpr int kRows = TESSERA_LANES == 16 ? 6 : 4;
constexpr int kColumns = TESSERA_LANES == 16 ? 4 : 2;
constexpr int kKeys = 128;  // keys per softmax step, a multiple of kColumns * kLanes

TESSERA_INLINE std::size_t round_up(std::size_t value, std::size_t step) { return (value + step - 1) / step * step; }

struct AttentionLayout {
  std::size_t keys;   // tokens rounded up to whole vectors
  std::size_t width;  // head_dim rounded up to whole vectors
};
TESSERA_INLINE AttentionLayout attention_layout(int tokens, int head_dim) {
  return {round_up(static_cast<std::size_t>(tokens), kLanes), round_up(static_cast<std::size_t>(head_dim), kLanes)};
}

// Floats: k^T [head_dim, keys], v [keys, width], q tile [head_dim, kRows], scores [kRows, kKeys], O [kRows, width].
static std::size_t attention_workspace(int tokens, int head_dim) {
  const AttentionLayout layout = attention_layout(tokens, head_dim);
  const auto dim = static_cast<std::size_t>(head_dim);
  return sizeof(float) * (dim * layout.keys + layout.keys * layout.width + round_up(dim * kRows, 16) + kRows * kKeys +
                          kRows * layout.width);
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

template <typename T>
TESSERA_INLINE void pack_keys_values(const AttentionJob& job, const AttentionLayout& layout, float* kt, float* v) {
  const auto dim = static_cast<std::size_t>(job.head_dim);
  const auto tokens = static_cast<std::size_t>(job.tokens);
  const auto stride = static_cast<std::size_t>(job.stride);
  const T* keys = static_cast<const T*>(job.k);
  const T* values = static_cast<const T*>(job.v);
  for (std::size_t j = 0; j < layout.keys; ++j) {
    for (std::size_t d = 0; d < dim; ++d) kt[d * layout.keys + j] = j < tokens ? load_one(keys + j * stride + d) : 0.0f;
    float* row = v + j * layout.width;
    for (std::size_t d = 0; d < layout.width; ++d) {
      row[d] = j < tokens && d < dim ? load_one(values + j * stride + d) : 0.0f;
    }
  }
}

// scores[r * kKeys + c] = q row r * key c for Columns vectors of keys.
template <int Columns>
TESSERA_INLINE void score_tile(const float* q, const float* kt, std::size_t keys, std::size_t dim, float* scores) {
  Vec acc[kRows][Columns] = {};
  multiply_tile<Columns>(acc, q, 1, kRows, kt, keys, dim);
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
    score_tile<kColumns>(q, kt + first + j, layout.keys, dim, scores + j);
  }
  for (; j < count; j += kLanes) score_tile<1>(q, kt + first + j, layout.keys, dim, scores + j);
}

// Turns one row of scores into exp(score - maximum); updates maximum and sum; returns exp(old maximum - new maximum).
TESSERA_INLINE float softmax_step(float* scores, std::size_t valid, std::size_t count, float& maximum_so_far,
                                  float& sum) {
  for (std::size_t j = valid; j < count; ++j) scores[j] = -1e30f;
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
  const float correction = sum_lanes(exp_negative(splat(maximum_so_far - next))) / static_cast<float>(kLanes);
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
  float* v = kt + dim * layout.keys;
  float* q = v + layout.keys * layout.width;
  float* scores = q + round_up(dim * kRows, 16);
  float* output = scores + kRows * kKeys;
  pack_keys_values<T>(job, layout, kt, v);

  for (int first = job.query_begin; first < job.query_end; first += kRows) {
    for (int r = 0; r < kRows; ++r) {  // rows past the end repeat the last one and are not written
      const int row = first + r < job.query_end ? first + r : job.query_end - 1;
      const T* source = static_cast<const T*>(job.q) + row * job.stride;
      for (std::size_t d = 0; d < dim; ++d)
        q[d * kRows + static_cast<std::size_t>(r)] = load_one(source + d) * job.scale;
    }
    float maxima[kRows], sums[kRows], corrections[kRows];
    for (int r = 0; r < kRows; ++r) {
      maxima[r] = -1e30f;
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
      for (std::size_t d = 0; d < dim; ++d) store_one(target + d, row[d] * inverse);
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
