// Streams and checked kernel launches: every refusal and every later failure becomes an Error naming kernel and shape.
#pragma once

#include <cuda_runtime.h>

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <type_traits>

#include "tessera/error.h"

namespace tessera::cuda {

// Throws kLimit for lack of memory, else kInternal: "<action>: <the runtime's words>".
[[noreturn]] void throw_error(cudaError_t error, const std::string& action);
inline void check(cudaError_t error, const char* action) {
  if (error != cudaSuccess) throw_error(error, action);
}

// Name and shape of what was launched last, kept without allocating.
struct Launched {
  const char* kernel = "";
  std::array<std::int64_t, 6> shape{};
  std::size_t extents = 0;
  std::string text() const;  // "attention [2, 266, 16, 80]"
};

// Owns a CUDA stream of a device. Thread rule: one thread at a time, any thread: the runtime keeps a current device for
// every thread, so each use selects this stream's.
class Stream {
 public:
  explicit Stream(int device);
  ~Stream() { cudaStreamDestroy(stream_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  cudaStream_t get() const { return stream_; }

  // Runs kernel<<<blocks, threads>>>(arguments...); `shape` is for messages.
  template <typename... Parameters>
  void launch(const char* name, std::initializer_list<std::int64_t> shape, void (*kernel)(Parameters...),
              std::int64_t blocks, unsigned threads, std::type_identity_t<Parameters>... arguments) {
    note(name, shape);
    if (blocks <= 0) return;
    if (blocks > kMostBlocks) throw Error(ErrorCode::kLimit, last_.text() + " is too large for one launch");
    const auto grid = static_cast<unsigned>(blocks);
#if defined(TESSERA_CUDA_EMULATION)
    emulation::enqueue_kernel(stream_, dim3(grid), dim3(threads), [=] { kernel(arguments...); });
#else
    void* places[] = {&arguments...};
    cudaLaunchKernel(reinterpret_cast<const void*>(kernel), dim3(grid), dim3(threads), places, 0, stream_);
#endif
    after_launch();
  }

  void select_device() const { check(cudaSetDevice(device_), "cannot select the CUDA device"); }
  // For library calls in the stream; selects the device.
  void note(const char* name, std::initializer_list<std::int64_t> shape);
  const Launched& last() const { return last_; }

  // Waits for everything; a kernel's failure comes out here and names the last launch.
  void synchronize();

 private:
  static constexpr std::int64_t kMostBlocks = 0x7fffffff;
  void after_launch();

  int device_;
  cudaStream_t stream_ = nullptr;
  Launched last_;
};

// Blocks needed to give every one of `items` a thread or a warp, `per_block` of them in a block.
constexpr std::int64_t blocks_for(std::int64_t items, std::int64_t per_block) {
  return (items + per_block - 1) / per_block;
}

}  // namespace tessera::cuda
