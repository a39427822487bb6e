// Vector types and elementary functions for kernels.inl, written with compiler vector extensions of TESSERA_LANES
// floats.

constexpr int kLanes = TESSERA_LANES;
using Vec = float __attribute__((vector_size(4 * TESSERA_LANES)));
using VecLoose = float __attribute__((vector_size(4 * TESSERA_LANES), aligned(4), may_alias));
using IntVec = std::int32_t __attribute__((vector_size(4 * TESSERA_LANES)));
using BitVec = std::uint32_t __attribute__((vector_size(4 * TESSERA_LANES)));
using HalfVec = std::uint16_t __attribute__((vector_size(2 * TESSERA_LANES)));
using HalfLoose = std::uint16_t __attribute__((vector_size(2 * TESSERA_LANES), aligned(2), may_alias));

#define TESSERA_INLINE static inline __attribute__((always_inline))

// Subtracting zero changes nothing, not even -0, so the compiler makes this one broadcast; adding zero would stay.
TESSERA_INLINE Vec splat(float value) { return value - Vec{}; }
TESSERA_INLINE Vec load(const float* p) { return *reinterpret_cast<const VecLoose*>(p); }
TESSERA_INLINE void store(float* p, Vec v) { *reinterpret_cast<VecLoose*>(p) = v; }
TESSERA_INLINE Vec maximum(Vec a, Vec b) { return a > b ? a : b; }
TESSERA_INLINE Vec minimum(Vec a, Vec b) { return a < b ? a : b; }

TESSERA_INLINE Vec load(const std::uint16_t* p) {
  const HalfVec half = *reinterpret_cast<const HalfLoose*>(p);
  return reinterpret_cast<Vec>(__builtin_convertvector(half, BitVec) << 16);
}

// Round to nearest even; NaN stays NaN.
TESSERA_INLINE void store(std::uint16_t* p, Vec v) {
  const BitVec bits = reinterpret_cast<BitVec>(v);
  const BitVec rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  const BitVec quiet = (bits >> 16) | 0x40u;
  const BitVec chosen = v == v ? rounded : quiet;
  *reinterpret_cast<HalfLoose*>(p) = __builtin_convertvector(chosen, HalfVec);
}

TESSERA_INLINE float load_one(const float* p) { return *p; }
TESSERA_INLINE float load_one(const std::uint16_t* p) { return bf16_to_float(*p); }
TESSERA_INLINE void store_one(float* p, float v) { *p = v; }
TESSERA_INLINE void store_one(std::uint16_t* p, float v) { *p = float_to_bf16(v); }

TESSERA_INLINE float sum_lanes(Vec v) {
  float parts[kLanes];
  store(parts, v);
  for (int half = kLanes / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) parts[i] += parts[i + half];
  }
  return parts[0];
}

TESSERA_INLINE float max_lanes(Vec v) {
  float parts[kLanes];
  store(parts, v);
  float best = parts[0];
  for (int i = 1; i < kLanes; ++i) best = parts[i] > best ? parts[i] : best;
  return best;
}

// e^x for x <= 0 (clamped at -87): Cody-Waite reduction and a degree 6 polynomial, relative error below 2e-7.
TESSERA_INLINE Vec exp_negative(Vec x) {
  x = maximum(x, splat(-87.0f));
  const Vec shift = splat(12582912.0f);  // 1.5 * 2^23: adding and subtracting it rounds to the nearest integer
  const Vec n = (x * 1.44269504f + shift) - shift;
  const Vec r = (x - n * 0.693145751953125f) - n * 1.42860677e-6f;
  Vec p = splat(1.0f / 720.0f);
  p = p * r + 1.0f / 120.0f;
  p = p * r + 1.0f / 24.0f;
  p = p * r + 1.0f / 6.0f;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  const IntVec power = (__builtin_convertvector(n, IntVec) + 127) << 23;
  return p * reinterpret_cast<Vec>(power);
}

// Rational minimax approximation of erf on [-4, 4], constant outside.
TESSERA_INLINE Vec erf_vec(Vec x) {
  x = minimum(maximum(x, splat(-4.0f)), splat(4.0f));
  const Vec s = x * x;
  Vec p = splat(-2.72614225801306e-10f);
  p = p * s + 2.77068142495902e-08f;
  p = p * s + -2.10102402082508e-06f;
  p = p * s + -5.69250639462346e-05f;
  p = p * s + -7.34990630326855e-04f;
  p = p * s + -2.95459980854025e-03f;
  p = p * s + -1.60960333262415e-02f;
  Vec q = splat(-1.45660718464996e-05f);
  q = q * s + -2.13374055278905e-04f;
  q = q * s + -1.68282697438203e-03f;
  q = q * s + -7.37332916720468e-03f;
  q = q * s + -1.42647390514189e-02f;
  return x * p / q;
}

TESSERA_INLINE Vec gelu_vec(Vec x) {
  const Vec half = 0.5f * x;
  return half + half * erf_vec(x * 0.70710678f);
}
