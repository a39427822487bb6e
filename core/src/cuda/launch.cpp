// Errors of launches and streams.
#include "cuda/launch.h"

#include <algorithm>

namespace tessera::cuda {

void throw_error(cudaError_t error, const std::string& action) {
  const ErrorCode code = error == cudaErrorMemoryAllocation ? ErrorCode::kLimit : ErrorCode::kInternal;
  throw Error(code, action + ": " + cudaGetErrorString(error));
}

std::string Launched::text() const {
  std::string result = std::string(kernel) + " [";
  for (std::size_t i = 0; i < extents; ++i) result += (i ? ", " : "") + std::to_string(shape[i]);
  return result + "]";
}

Stream::Stream(int device) : device_(device) {
  select_device();
  check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cannot make a CUDA stream");
}

void Stream::note(const char* name, std::initializer_list<std::int64_t> shape) {
  select_device();
  last_.kernel = name;
  last_.extents = std::min(shape.size(), last_.shape.size());
  std::copy_n(shape.begin(), last_.extents, last_.shape.begin());
}

void Stream::after_launch() {
  const cudaError_t error = cudaGetLastError();
  if (error != cudaSuccess) throw_error(error, "CUDA kernel " + last_.text() + " failed");
}

void Stream::synchronize() {
  const cudaError_t error = cudaStreamSynchronize(stream_);
  if (error != cudaSuccess) throw_error(error, "CUDA device failed at or before kernel " + last_.text());
}

}  // namespace tessera::cuda
