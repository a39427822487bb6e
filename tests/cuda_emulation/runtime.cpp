// Emulated CUDA runtime: memory with a limit, streams that work when waited for, events, and captured graphs.
#include <cuda_runtime.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "emulator_state.h"

using tessera::emulation::FaultKind;
using tessera::emulation::Guard;
using tessera::emulation::LaunchFault;

struct EmulatedGraph {
  std::vector<std::function<void()>> work;
};

struct EmulatedStream {
  int device = 0;
  std::deque<std::function<void()>> work;
  EmulatedGraph* capture = nullptr;
};

struct EmulatedEvent {
  EmulatedStream* stream = nullptr;
  bool done = true;
};

namespace {

struct Device {
  int count = 1, major = 8, minor = 0;
  std::size_t limit = std::size_t{2} << 30;
  std::size_t used = 0;
  std::map<void*, std::size_t> blocks;
  std::vector<EmulatedStream*> streams;
  cudaError_t sticky = cudaSuccess;  // a failed kernel: stays
  std::string fault;
  std::uint64_t kernels = 0;
  std::uint64_t failing = 0;  // the kernel of this number
};

Device& device() {
  static Device instance;
  return instance;
}

// Of every thread, as in CUDA.
thread_local int t_current = 0;                    // device
thread_local cudaError_t t_pending = cudaSuccess;  // a refused call: cudaGetLastError forgets it

cudaError_t refuse(cudaError_t error) { return t_pending = error; }

// Runs what waits in the stream until `until` is done, or everything.
cudaError_t drain(EmulatedStream& stream, const EmulatedEvent* until = nullptr) {
  Device& d = device();
  while (!stream.work.empty() && d.sticky == cudaSuccess && (until == nullptr || !until->done)) {
    const auto work = std::move(stream.work.front());
    stream.work.pop_front();
    try {
      work();
    } catch (const LaunchFault& failure) {
      d.fault = failure.reason;
      d.sticky = failure.kind == FaultKind::kAddress ? cudaErrorIllegalAddress : cudaErrorLaunchFailure;
    }
  }
  return d.sticky;
}

cudaError_t drain_all() {
  for (EmulatedStream* stream : device().streams) drain(*stream);
  return device().sticky;
}

}  // namespace

namespace tessera::emulation {

const std::string& fault() { return device().fault; }

void reset_device() {
  device().sticky = t_pending = cudaSuccess;
  device().fault.clear();
  for (EmulatedStream* stream : device().streams) stream->work.clear();
}

std::size_t set_memory_limit(std::size_t bytes) { return std::exchange(device().limit, bytes); }
std::size_t memory_in_use() { return device().used; }

void set_devices(int count, int major, int minor) {
  device().count = count;
  device().major = major;
  device().minor = minor;
}

void fail_after(std::uint64_t count) { device().failing = count == 0 ? 0 : device().kernels + count; }
std::uint64_t kernels_run() { return device().kernels; }

cudaError_t enqueue(cudaStream_t stream, std::function<void()> work) {
  const Guard guard;
  if (device().sticky != cudaSuccess) return device().sticky;
  if (stream->device != t_current) return refuse(cudaErrorInvalidResourceHandle);
  if (stream->capture != nullptr) {
    stream->capture->work.push_back(std::move(work));
  } else {
    stream->work.push_back(std::move(work));
  }
  return cudaSuccess;
}

cudaError_t enqueue_kernel(cudaStream_t stream, Dim3 grid, Dim3 block, std::function<void()> body) {
  const unsigned threads = block.x * block.y * block.z;
  constexpr unsigned kMostX = 0x7fffffffu, kMostYZ = 65535;
  if (grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.x > kMostX || grid.y > kMostYZ || grid.z > kMostYZ ||
      threads == 0 || threads > 1024) {
    return refuse(cudaErrorInvalidConfiguration);
  }
  return enqueue(stream, [grid, block, body = std::move(body)] {
    if (++device().kernels == device().failing) raise(FaultKind::kOther, "a failure that a test asked for");
    run_kernel(grid, block, body);
  });
}

}  // namespace tessera::emulation

const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaSuccess: return "no error";
    case cudaErrorInvalidValue: return "invalid argument";
    case cudaErrorMemoryAllocation: return "out of memory";
    case cudaErrorInvalidConfiguration: return "invalid configuration argument";
    case cudaErrorNoDevice: return "no CUDA-capable device is detected";
    case cudaErrorInvalidDevice: return "invalid device ordinal";
    case cudaErrorInvalidResourceHandle: return "invalid resource handle";
    case cudaErrorIllegalAddress: return "an illegal memory access was encountered";
    case cudaErrorLaunchFailure: return "unspecified launch failure";
    case cudaErrorStreamCaptureUnsupported: return "operation not permitted when stream is capturing";
  }
  return "unrecognized error code";
}

cudaError_t cudaGetLastError() {
  const Guard guard;
  const cudaError_t pending = std::exchange(t_pending, cudaSuccess);
  return device().sticky != cudaSuccess ? device().sticky : pending;
}

cudaError_t cudaGetDeviceCount(int* count) {
  const Guard guard;
  if (device().count == 0) return cudaErrorNoDevice;
  *count = device().count;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int index) {
  const Guard guard;
  if (index < 0 || index >= device().count) return refuse(cudaErrorInvalidDevice);
  t_current = index;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int index) {
  const Guard guard;
  if (index < 0 || index >= device().count) return refuse(cudaErrorInvalidDevice);
  *properties = {};
  std::strcpy(properties->name, "Emulated device");
  properties->major = device().major;
  properties->minor = device().minor;
  properties->multiProcessorCount = 1;
  properties->totalGlobalMem = device().limit;
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(std::size_t* available, std::size_t* total) {
  const Guard guard;
  *total = device().limit;
  *available = device().limit - std::min(device().limit, device().used);
  return cudaSuccess;
}

cudaError_t cudaMalloc(void** data, std::size_t bytes) {
  const Guard guard;
  Device& d = device();
  if (d.sticky != cudaSuccess) return d.sticky;
  if (bytes > d.limit - std::min(d.limit, d.used)) return refuse(cudaErrorMemoryAllocation);
  *data = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  d.blocks[*data] = bytes;
  d.used += bytes;
  return cudaSuccess;
}

cudaError_t cudaFree(void* data) {
  const Guard guard;
  Device& d = device();
  if (data == nullptr) return cudaSuccess;
  drain_all();
  const auto block = d.blocks.find(data);
  if (block == d.blocks.end()) return refuse(cudaErrorInvalidValue);
  d.used -= block->second;
  d.blocks.erase(block);
  std::free(data);
  return d.sticky;
}

cudaError_t cudaHostAlloc(void** data, std::size_t bytes, unsigned) {
  *data = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  return cudaSuccess;
}

cudaError_t cudaFreeHost(void* data) {
  const Guard guard;
  drain_all();
  std::free(data);
  return device().sticky;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  return tessera::emulation::enqueue(stream, [=] {
    if (bytes == 0) return;
    if (kind != cudaMemcpyHostToDevice) tessera::emulation::require_range(from, bytes, "the source of a copy");
    if (kind != cudaMemcpyDeviceToHost) tessera::emulation::require_range(to, bytes, "the target of a copy");
    std::memcpy(to, from, bytes);
  });
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  const Guard guard;
  *stream = new EmulatedStream{.device = t_current, .work = {}, .capture = nullptr};
  device().streams.push_back(*stream);
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const Guard guard;
  drain(*stream);
  std::erase(device().streams, stream);
  delete stream;
  return device().sticky;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  const Guard guard;
  if (stream->capture != nullptr) return refuse(cudaErrorStreamCaptureUnsupported);
  return drain(*stream);
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = new EmulatedEvent;
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  const Guard guard;
  drain_all();
  delete event;
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  const Guard guard;
  event->stream = stream;
  event->done = false;
  return tessera::emulation::enqueue(stream, [event] { event->done = true; });
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  const Guard guard;
  return event->done ? device().sticky : drain(*event->stream, event);
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  const Guard guard;
  stream->capture = new EmulatedGraph;
  return device().sticky;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  const Guard guard;
  *graph = std::exchange(stream->capture, nullptr);
  return device().sticky;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  *exec = new EmulatedGraph(*graph);
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  const Guard guard;
  for (const auto& work : exec->work) {
    const cudaError_t error = tessera::emulation::enqueue(stream, work);
    if (error != cudaSuccess) return error;
  }
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  const Guard guard;
  drain_all();
  delete exec;
  return cudaSuccess;
}
