// Inner loops of the CPU backend; compiled once per instruction set (TESSERA_LANES and the target are the includer's).

static void to_bf16(const float* in, std::size_t count, std::uint16_t* out) {
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(out + i, load(in + i));
  for (; i < count; ++i) store_one(out + i, in[i]);
}

static void to_float(const std::uint16_t* in, std::size_t count, float* out) {
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(out + i, load(in + i));
  for (; i < count; ++i) out[i] = load_one(in + i);
}

static void add(const float* a, const float* b, std::size_t count, float* out) {
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(out + i, load(a + i) + load(b + i));
  for (; i < count; ++i) out[i] = a[i] + b[i];
}

template <typename T>
TESSERA_INLINE void gelu(T* values, std::size_t count) {
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(values + i, gelu_vec(load(values + i)));
  if (i < count) {
    float rest[kLanes] = {};
    for (std::size_t j = i; j < count; ++j) rest[j - i] = load_one(values + j);
    store(rest, gelu_vec(load(rest)));
    for (std::size_t j = i; j < count; ++j) store_one(values + j, rest[j - i]);
  }
}
static void gelu_f32(float* values, std::size_t count) { gelu(values, count); }
static void gelu_bf16(std::uint16_t* values, std::size_t count) { gelu(values, count); }

template <typename Out>
TESSERA_INLINE void layer_norm(const float* in, const float* weight, const float* bias, float eps, int width,
                               Out* out) {
  const int whole = width / kLanes * kLanes;
  Vec total = splat(0.0f);
  for (int i = 0; i < whole; i += kLanes) total += load(in + i);
  float sum = sum_lanes(total);
  for (int i = whole; i < width; ++i) sum += in[i];
  const float mean = sum / static_cast<float>(width);
  Vec squares = splat(0.0f);
  for (int i = 0; i < whole; i += kLanes) {
    const Vec d = load(in + i) - mean;
    squares += d * d;
  }
  float variance = sum_lanes(squares);
  for (int i = whole; i < width; ++i) variance += (in[i] - mean) * (in[i] - mean);
  const float inverse = 1.0f / std::sqrt(variance / static_cast<float>(width) + eps);
  for (int i = 0; i < whole; i += kLanes) {
    store(out + i, (load(in + i) - mean) * inverse * load(weight + i) + load(bias + i));
  }
  for (int i = whole; i < width; ++i) store_one(out + i, (in[i] - mean) * inverse * weight[i] + bias[i]);
}
static void layer_norm_f32(const float* in, const float* weight, const float* bias, float eps, int width, float* out) {
  layer_norm(in, weight, bias, eps, width, out);
}
static void layer_norm_bf16(const float* in, const float* weight, const float* bias, float eps, int width,
                            std::uint16_t* out) {
  layer_norm(in, weight, bias, eps, width, out);
}
