// CUDA backend: device choice, memory, weights, and what it says about itself.
#include "cuda/cuda_backend.h"

#include <algorithm>
#include <vector>

#include "model/float_convert.h"
#include "tessera/error.h"

namespace tessera::cuda {
namespace {

int select_device(const DeviceChoice& choice) {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaSuccess) {  // the count is not written then
    cudaGetLastError();
    throw Error(ErrorCode::kNotFound, std::string("there is no CUDA device: ") + cudaGetErrorString(error));
  }
  if (choice.index < 0 || choice.index >= count) {
    throw Error(ErrorCode::kNotFound, "there is no device cuda:" + std::to_string(choice.index) +
                                          "; this machine has " + std::to_string(count));
  }
  check(cudaSetDevice(choice.index), "cannot select the CUDA device");
  return choice.index;
}

std::string describe(const DeviceChoice& choice) {
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, select_device(choice)), "cannot read the CUDA device's properties");
  const int level = properties.major * 10 + properties.minor;
  const std::string text = std::string(properties.name) + ", sm_" + std::to_string(level) + ", " +
                           std::to_string(properties.totalGlobalMem >> 20) + " MiB, " + Matmul::version();
  if (level < 75) throw Error(ErrorCode::kUnsupported, text + " is too old: CUDA encoding needs sm_75 or newer");
  if (level < 80 && choice.activation == DType::kBF16) {
    throw Error(ErrorCode::kUnsupported, text + " has no bf16; use f16 or f32");
  }
  return text;
}

std::vector<std::uint16_t> narrowed(std::span<const float> values, DType type) {
  std::vector<std::uint16_t> result(values.size());
  std::transform(values.begin(), values.end(), result.begin(), type == DType::kBF16 ? float_to_bf16 : float_to_f16);
  return result;
}

}  // namespace

CudaBackend::CudaBackend(const DeviceChoice& choice)
    : choice_(choice),
      activation_(choice.activation),
      description_(describe(choice)),
      arena_(choice.memory_limit),
      products_(stream_, arena_) {}

CudaBackend::~CudaBackend() { cudaStreamSynchronize(stream_.get()); }

std::string CudaBackend::name() const { return "cuda:" + std::to_string(choice_.index); }
std::string CudaBackend::detail() const { return description_; }

void* CudaBackend::allocate(std::size_t bytes) { return arena_.allocate(bytes); }
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
  check(cudaMemcpyAsync(target, source.data, bytes, cudaMemcpyDeviceToHost, stream_.get()),
        "cannot copy from the CUDA device");
  stream_.synchronize();
  std::transform(narrow.begin(), narrow.end(), values.begin(),
                 source.type == DType::kBF16 ? bf16_to_float : f16_to_float);
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
