// Recording by stream capture, and the list of recordings.
#include "cuda/recordings.h"

#include <algorithm>
#include <iterator>

namespace tessera::cuda {

void Recordings::clear() noexcept {
  for (const Entry& entry : entries_) {
    if (entry.exec != nullptr) cudaGraphExecDestroy(entry.exec);
  }
  entries_.clear();
}

cudaGraphExec_t Recordings::record(Stream& stream, const std::function<void()>& pass) {
  cudaGraph_t graph = nullptr;
  check(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal), "cannot record a pass");
  try {
    pass();
  } catch (...) {
    cudaStreamEndCapture(stream.get(), &graph);
    if (graph != nullptr) cudaGraphDestroy(graph);
    throw;
  }
  check(cudaStreamEndCapture(stream.get(), &graph), "cannot end the recording of a pass");
  cudaGraphExec_t exec = nullptr;
  const cudaError_t error = cudaGraphInstantiate(&exec, graph, 0);
  cudaGraphDestroy(graph);
  check(error, "cannot make a CUDA graph");
  return exec;
}

void Recordings::run(Stream& stream, std::span<const std::uint64_t> key, const std::function<void()>& pass) {
  const auto known = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& entry) { return std::ranges::equal(entry.key, key); });
  if (known == entries_.end()) {
    pass();
    entries_.push_front({{key.begin(), key.end()}, nullptr});
    if (entries_.size() <= kMost) return;
    if (entries_.back().exec != nullptr) cudaGraphExecDestroy(entries_.back().exec);
    entries_.pop_back();
    return;
  }
  entries_.splice(entries_.begin(), entries_, known);
  Entry& entry = entries_.front();
  if (entry.exec == nullptr) entry.exec = record(stream, pass);
  stream.note("recorded pass", {static_cast<std::int64_t>(key[0]), static_cast<std::int64_t>(key[1]),
                                static_cast<std::int64_t>(key[2])});
  check(cudaGraphLaunch(entry.exec, stream.get()), "cannot launch a recorded pass");
  ++replays_;
}

}  // namespace tessera::cuda
