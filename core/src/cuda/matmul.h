// The one place where matrix products are made: cuBLASLt on a device, plain loops of the same meaning in the emulator.
#pragma once

#include <cstdint>
#include <memory>

#include "backend.h"

namespace tessera::cuda {

class Arena;
class Stream;

// d [rows, out] = in [rows, in] * w [out, in]^T + bias [out] + addend [rows, out], accumulated in f32 (never TF32) and
// rounded once. `in` and `w` have `source`, the others `destination`; bias and addend may be null, addend may be d.
struct Product {
  std::int64_t rows = 0;
  int in = 0;
  int out = 0;
  DType source = DType::kF32;
  DType destination = DType::kF32;
  const void* x = nullptr;
  const void* w = nullptr;
  const void* bias = nullptr;
  const void* addend = nullptr;
  void* d = nullptr;
};

// Keeps the chosen algorithm of every shape. Thread rule: one thread at a time.
class Matmul {
 public:
  Matmul(Stream& stream, Arena& arena);
  ~Matmul();

  void run(const Product& product);
  static std::string version();  // "cuBLASLt 13.0.2"

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tessera::cuda
