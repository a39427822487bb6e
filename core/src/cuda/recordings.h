// CUDA graphs of whole passes: what a pass launches is recorded once and launched again as one.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <functional>
#include <list>
#include <span>
#include <vector>

#include "cuda/launch.h"

namespace tessera::cuda {

// Keeps the recordings used last. Thread rule: one thread at a time.
class Recordings {
 public:
  static constexpr std::size_t kMost = 16;

  Recordings() = default;
  ~Recordings() { clear(); }
  Recordings(const Recordings&) = delete;
  Recordings& operator=(const Recordings&) = delete;

  // The first time, `pass` runs as it is, so that it may choose algorithms; the second time it is recorded. The key
  // must name everything that the pass depends on: sizes and places.
  void run(Stream& stream, std::span<const std::uint64_t> key, const std::function<void()>& pass);

  std::size_t size() const { return entries_.size(); }
  std::uint64_t replays() const { return replays_; }
  void clear() noexcept;

 private:
  struct Entry {
    std::vector<std::uint64_t> key;
    cudaGraphExec_t exec = nullptr;
  };
  static cudaGraphExec_t record(Stream& stream, const std::function<void()>& pass);

  std::list<Entry> entries_;  // used last first
  std::uint64_t replays_ = 0;
};

}  // namespace tessera::cuda
