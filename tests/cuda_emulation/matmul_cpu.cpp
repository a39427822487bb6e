// Matrix products of the emulator: the meaning of cuda/matmul.h in plain loops, run when the stream does its work.
#include <algorithm>
#include <vector>

#include "cuda/arena.h"
#include "cuda/launch.h"
#include "cuda/matmul.h"
#include "device/memory_layout.h"
#include "model/float_convert.h"

namespace tessera::cuda {
namespace {

float load(const void* data, DType type, std::size_t index) {
  switch (type) {
    case DType::kF32: return static_cast<const float*>(data)[index];
    case DType::kBF16: return bf16_to_float(static_cast<const std::uint16_t*>(data)[index]);
    case DType::kF16: return f16_to_float(static_cast<const std::uint16_t*>(data)[index]);
    case DType::kI8: break;
  }
  return 0.0f;
}

void store(void* data, DType type, std::size_t index, float value) {
  switch (type) {
    case DType::kF32: static_cast<float*>(data)[index] = value; break;
    case DType::kBF16: static_cast<std::uint16_t*>(data)[index] = float_to_bf16(value); break;
    case DType::kF16: static_cast<std::uint16_t*>(data)[index] = float_to_f16(value); break;
    case DType::kI8: break;
  }
}

std::vector<float> floats_of(const void* data, DType type, std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = load(data, type, i);
  return values;
}

// Eight running sums, so that the compiler may use vector registers; f32, as the device accumulates.
float dot(const float* a, const float* b, std::size_t count) {
  float sums[8] = {};
  std::size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    for (std::size_t j = 0; j < 8; ++j) sums[j] += a[i + j] * b[i + j];
  }
  float sum = 0.0f;
  for (; i < count; ++i) sum += a[i] * b[i];
  for (const float part : sums) sum += part;
  return sum;
}

void multiply(const Product& p) {
  const auto rows = static_cast<std::size_t>(p.rows), in = static_cast<std::size_t>(p.in),
             out = static_cast<std::size_t>(p.out);
  emulation::require_range(p.x, rows * in * dtype_size(p.source), "a product's input");
  emulation::require_range(p.w, out * in * dtype_size(p.source), "a product's weights");
  emulation::require_range(p.d, rows * out * dtype_size(p.destination), "a product's result");
  if (p.bias != nullptr) emulation::require_range(p.bias, out * dtype_size(p.destination), "a product's bias");
  if (p.addend != nullptr) {
    emulation::require_range(p.addend, rows * out * dtype_size(p.destination), "a product's addend");
  }
  const std::vector<float> x = floats_of(p.x, p.source, rows * in), w = floats_of(p.w, p.source, out * in);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t o = 0; o < out; ++o) {
      float sum = dot(x.data() + r * in, w.data() + o * in, in);
      if (p.addend != nullptr) sum += load(p.addend, p.destination, r * out + o);
      if (p.bias != nullptr) sum += load(p.bias, p.destination, o);
      store(p.d, p.destination, r * out + o, sum);
    }
  }
}

}  // namespace

struct Matmul::Impl {
  Stream& stream;
  Arena& arena;
  void* workspace;  // as the real products take it, unused
};

Matmul::Matmul(Stream& stream, Arena& arena) {
  arena.reserve(kProductWorkspace);
  impl_.reset(new Impl{stream, arena, arena.allocate(kProductWorkspace)});
}
Matmul::~Matmul() { impl_->arena.deallocate(impl_->workspace); }

std::string Matmul::version() { return "emulated products"; }

void Matmul::run(const Product& product) {
  if (product.rows == 0) return;
  impl_->stream.note("matmul", {product.rows, product.in, product.out});
  check(emulation::enqueue(impl_->stream.get(), [product] { multiply(product); }), "cannot multiply");
}

}  // namespace tessera::cuda
