// Double-buffered pinned memory.
#include "cuda/staging.h"

namespace tessera::cuda {

Staging::~Staging() {
  for (const Slot& slot : slots_) {
    if (slot.sent != nullptr) {
      cudaEventSynchronize(slot.sent);
      cudaEventDestroy(slot.sent);
    }
    cudaFreeHost(slot.data);
  }
}

void* Staging::begin(std::size_t bytes) {
  current_ = 1 - current_;
  Slot& slot = slots_[current_];
  if (slot.sent == nullptr) {
    check(cudaEventCreateWithFlags(&slot.sent, cudaEventDisableTiming), "cannot make a CUDA event");
  } else {
    check(cudaEventSynchronize(slot.sent), "cannot wait for pictures on their way to the CUDA device");
  }
  if (slot.bytes < bytes) {
    check(cudaFreeHost(slot.data), "cannot free pinned memory");
    slot.data = nullptr;
    slot.bytes = 0;
    check(cudaHostAlloc(&slot.data, bytes, cudaHostAllocDefault), "cannot allocate pinned memory");
    slot.bytes = bytes;
  }
  return slot.data;
}

void Staging::send(Stream& stream, void* device, std::size_t bytes) {
  Slot& slot = slots_[current_];
  check(cudaMemcpyAsync(device, slot.data, bytes, cudaMemcpyHostToDevice, stream.get()),
        "cannot send pictures to the CUDA device");
  check(cudaEventRecord(slot.sent, stream.get()), "cannot record a CUDA event");
}

}  // namespace tessera::cuda
