// Emulated CUDA: what cuda/device.cuh and cuda/mma.cuh offer to kernels, on checked pointers and plain arithmetic.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <bit>

#include "checked_pointer.h"

namespace tessera::cuda {

template <typename T>
using Global = emulation::CheckedPointer<T>;
template <typename T>
using Shared = emulation::SharedPointer<T>;
template <typename T, int kCount>
using SharedArray = emulation::SharedArray<T, kCount>;

template <typename Wide, typename T>
Wide load_as(Global<const T> place) {
  return place.template load_as<Wide>();
}
template <typename Wide, typename T>
void store_as(Global<T> place, const Wide& value) {
  place.store_as(value);
}

// Deferred to the wait, the latest moment at which the hardware may do it.
template <typename T>
void copy_async(Shared<T> to, Global<const T> from, bool valid) {
  constexpr std::ptrdiff_t kElements = 16 / sizeof(T);
  if (!to.aligned(16)) emulation::raise(emulation::FaultKind::kAddress, "an asynchronous copy to an unaligned place");
  T* target = to.claim(kElements);
  struct alignas(16) Chunk {
    T values[kElements];
  };
  emulation::async_copy([=] {
    const Chunk chunk = valid ? from.template load_as<Chunk>() : Chunk{};
    std::memcpy(target, &chunk, sizeof chunk);
  });
}
inline void copy_async_commit() { emulation::async_commit(); }
template <int kGroupsLeft>
void copy_async_wait() {
  emulation::async_wait(kGroupsLeft);
}

template <typename T>
std::uint32_t pack_pair(float low, float high);
template <>
inline std::uint32_t pack_pair<__nv_bfloat16>(float low, float high) {
  return std::uint32_t{float_to_bf16(low)} | std::uint32_t{float_to_bf16(high)} << 16;
}
template <>
inline std::uint32_t pack_pair<__half>(float low, float high) {
  return std::uint32_t{float_to_f16(low)} | std::uint32_t{float_to_f16(high)} << 16;
}

namespace emulated {

inline float half_of(std::uint32_t pair, unsigned which, __nv_bfloat16) {
  return bf16_to_float(static_cast<std::uint16_t>(pair >> (16 * which)));
}
inline float half_of(std::uint32_t pair, unsigned which, __half) {
  return f16_to_float(static_cast<std::uint16_t>(pair >> (16 * which)));
}

struct MmaDeposit {
  std::uint32_t a[4];
  std::uint32_t b[2];
  float c[4];
};

// D = A B + C of one warp: A 16 x 16, B 16 x 8, C and D 16 x 8, fragments laid out as PTX describes mma.m16n8k16.
template <typename T>
void multiply(emulation::Deposits deposits) {
  float a[16][16], b[16][8];
  MmaDeposit lanes[32];
  for (unsigned lane = 0; lane < 32; ++lane) {
    std::memcpy(&lanes[lane], deposits[lane], sizeof(MmaDeposit));
    const unsigned group = lane / 4, column = lane % 4 * 2;
    for (unsigned half = 0; half < 2; ++half) {
      a[group][column + half] = half_of(lanes[lane].a[0], half, T{});
      a[group + 8][column + half] = half_of(lanes[lane].a[1], half, T{});
      a[group][column + 8 + half] = half_of(lanes[lane].a[2], half, T{});
      a[group + 8][column + 8 + half] = half_of(lanes[lane].a[3], half, T{});
      b[column + half][group] = half_of(lanes[lane].b[0], half, T{});
      b[column + 8 + half][group] = half_of(lanes[lane].b[1], half, T{});
    }
  }
  for (unsigned lane = 0; lane < 32; ++lane) {
    for (unsigned i = 0; i < 4; ++i) {
      const unsigned row = lane / 4 + (i / 2) * 8, column = lane % 4 * 2 + i % 2;
      float sum = lanes[lane].c[i];
      for (unsigned k = 0; k < 16; ++k) sum += a[row][k] * b[k][column];
      std::memcpy(deposits[lane] + i * sizeof(float), &sum, sizeof sum);
    }
  }
}

}  // namespace emulated

template <typename T>
void mma_16x8x16(float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2]) {
  emulated::MmaDeposit mine;
  std::memcpy(mine.a, a, sizeof a);
  std::memcpy(mine.b, b, sizeof b);
  std::memcpy(mine.c, d, sizeof d);
  const auto deposits = emulation::warp_exchange("mma", &mine, sizeof mine, &emulated::multiply<T>);
  std::memcpy(d, deposits[threadIdx.x % 32], sizeof d);
}

// ldmatrix.x4: lane 8 i + r gives the place of row r of matrix i; every lane gets two elements of each matrix.
template <bool kTransposed, typename T>
void load_matrices(std::uint32_t (&out)[4], Shared<T> row) {
  if (!row.aligned(16))
    emulation::raise(emulation::FaultKind::kAddress, "ldmatrix from a place not aligned to 16 bytes");
  const T* values = row.peek(8);
  const auto deposits =
      emulation::warp_exchange(kTransposed ? "ldmatrix.trans" : "ldmatrix", values, 8 * sizeof(T), {});
  const unsigned lane = threadIdx.x % 32, group = lane / 4, pair = lane % 4 * 2;
  for (unsigned matrix = 0; matrix < 4; ++matrix) {
    std::uint16_t element[2];
    for (unsigned half = 0; half < 2; ++half) {
      const unsigned from_row = kTransposed ? pair + half : group, from_column = kTransposed ? group : pair + half;
      std::memcpy(&element[half], deposits[8 * matrix + from_row] + from_column * sizeof(T), sizeof(T));
    }
    out[matrix] = std::uint32_t{element[0]} | std::uint32_t{element[1]} << 16;
  }
}

}  // namespace tessera::cuda
