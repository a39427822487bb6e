// CUDA backend: device choice, memory, weights, and what it says about itself.
#include "cuda/cuda_backend.h"

#include <algorithm>
#include <vector>

#include "model/float_convert.h"
#include "tessera/error.h"

namespace tessera::cuda {
namespace {

cudaDeviceProp properties_of(int index) {
  const int count = device_count();
  if (count == 0) throw Error(ErrorCode::kNotFound, "there is no CUDA device");
  if (index < 0 || index >= count) {
    throw Error(ErrorCode::kNotFound,
                "there is no device cuda:" + std::to_string(index) + "; this machine has " + std::to_string(count));
  }
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, index), "cannot read the CUDA device's properties");
  return properties;
}

int level_of(const cudaDeviceProp& properties) { return properties.major * 10 + properties.minor; }

std::string text_of(const cudaDeviceProp& properties) {
  return std::string(properties.name) + ", sm_" + std::to_string(level_of(properties)) + ", " +
         std::to_string(properties.totalGlobalMem >> 20) + " MiB, " + Matmul::version();
}

// Selects the device for this thread, so that what is made next belongs to it; its description.
std::string select_device(const DeviceChoice& choice) {
  const cudaDeviceProp properties = properties_of(choice.index);
  const int level = level_of(properties);
  const std::string text = text_of(properties);
  if (level < 75) throw Error(ErrorCode::kUnsupported, text + " is too old: CUDA encoding needs sm_75 or newer");
  if (level < 80 && choice.activation == DType::kBF16) {
    throw Error(ErrorCode::kUnsupported, text + " has no bf16; use f16 or f32");
  }
  check(cudaSetDevice(choice.index), "cannot select the CUDA device");
  return text;
}

std::vector<std::uint16_t> narrowed(std::span<const float> values, DType type) {
  std::vector<std::uint16_t> result(values.size());
  std::transform(values.begin(), values.end(), result.begin(), type == DType::kBF16 ? float_to_bf16 : float_to_f16);
  return result;
}

}  // namespace

int device_count() {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error == cudaSuccess) return count;
  cudaGetLastError();  // the refusal has been seen; the count is not written then
  if (error == cudaErrorNoDevice) return 0;
  throw Error(ErrorCode::kInternal, std::string("CUDA cannot be used: ") + cudaGetErrorString(error));
}

std::string describe_device(int index) { return text_of(properties_of(index)); }

DType fastest_type(int index) { return level_of(properties_of(index)) < 80 ? DType::kF16 : DType::kBF16; }

CudaBackend::CudaBackend(const DeviceChoice& choice)
    : choice_(choice),
      activation_(choice.activation),
      description_(select_device(choice)),
      arena_(choice.memory_limit),
      stream_(choice.index),
      products_(stream_, arena_) {}

CudaBackend::~CudaBackend() {
  cudaSetDevice(choice_.index);
  cudaStreamSynchronize(stream_.get());
}

std::string CudaBackend::name() const { return "cuda:" + std::to_string(choice_.index); }
std::string CudaBackend::detail() const { return description_; }

void CudaBackend::reserve(std::size_t bytes) {
  stream_.select_device();
  if (bytes > arena_.in_use()) arena_.reserve(bytes - arena_.in_use());
}

// Blocks of which nothing is used may be of the wrong size: they go back before the request is given up.
void* CudaBackend::allocate(std::size_t bytes) {
  stream_.select_device();
  try {
    return arena_.allocate(bytes);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kLimit) throw;
  }
  stream_.synchronize();
  arena_.trim();
  return arena_.allocate(bytes);
}
void CudaBackend::deallocate(void* data) noexcept { arena_.deallocate(data); }

void CudaBackend::upload(Tensor destination, std::span<const float> values) {
  std::vector<std::uint16_t> narrow;
  const void* source = values.data();
  if (destination.type != DType::kF32) {
    narrow = narrowed(values, destination.type);
    source = narrow.data();
  }
  stream_.note("upload", {static_cast<std::int64_t>(values.size())});
  check(cudaMemcpyAsync(destination.data, source, values.size() * dtype_size(destination.type), cudaMemcpyHostToDevice,
                        stream_.get()),
        "cannot copy to the CUDA device");
  stream_.synchronize();  // the source is the caller's
}

void CudaBackend::download(Tensor source, std::span<float> values) {
  const std::size_t bytes = values.size() * dtype_size(source.type);
  std::vector<std::uint16_t> narrow(source.type == DType::kF32 ? 0 : values.size());
  void* target = source.type == DType::kF32 ? static_cast<void*>(values.data()) : narrow.data();
  stream_.select_device();
  check(cudaMemcpyAsync(target, source.data, bytes, cudaMemcpyDeviceToHost, stream_.get()),
        "cannot copy from the CUDA device");
  stream_.synchronize();
  std::transform(narrow.begin(), narrow.end(), values.begin(),
                 source.type == DType::kBF16 ? bf16_to_float : f16_to_float);
}

void CudaBackend::download_codes(Tensor source, std::span<std::int8_t> codes) {
  stream_.select_device();
  check(cudaMemcpyAsync(codes.data(), source.data, codes.size(), cudaMemcpyDeviceToHost, stream_.get()),
        "cannot copy from the CUDA device");
  stream_.synchronize();
}

std::unique_ptr<LinearWeights> CudaBackend::pack_linear(const TensorView& weight, std::span<const float> bias,
                                                        std::span<const float> row_scale) {
  auto linear = std::make_unique<PackedLinear>();
  linear->out = static_cast<int>(weight.shape.at(0));
  linear->in = static_cast<int>(weight.shape.at(1));
  std::vector<float> values = to_float(weight);
  for (std::size_t row = 0; row < row_scale.size(); ++row) {
    float* begin = values.data() + row * static_cast<std::size_t>(linear->in);
    for (int i = 0; i < linear->in; ++i) begin[i] *= row_scale[row];
  }
  linear->weight = Buffer(*this, values.size(), activation_);
  upload(linear->weight.tensor(), values);
  if (bias.empty()) return linear;
  linear->bias = Buffer(*this, bias.size(), DType::kF32);
  upload(linear->bias.tensor(), bias);
  if (activation_ != DType::kF32) {
    linear->narrow_bias = Buffer(*this, bias.size(), activation_);
    upload(linear->narrow_bias.tensor(), bias);
  }
  return linear;
}

}  // namespace tessera::cuda
