// CPU backend: memory, threads, and what it says about itself.
#include "cpu/cpu_backend.h"

#include <sched.h>

#include <algorithm>
#include <cstring>
#include <dnnl.hpp>
#include <thread>

#include "cpu/aligned_memory.h"

namespace tessera {
namespace cpu {
namespace {

int available_threads() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

const char* isa_name(unsigned isa) {
  const auto covers = [isa](dnnl::cpu_isa wanted) {
    return (isa & static_cast<unsigned>(wanted)) == static_cast<unsigned>(wanted);
  };
  if (covers(dnnl::cpu_isa::avx512_core_amx)) return "avx512_core_amx";
  if (covers(dnnl::cpu_isa::avx512_core_bf16)) return "avx512_core_bf16";
  if (covers(dnnl::cpu_isa::avx512_core_vnni)) return "avx512_core_vnni";
  if (covers(dnnl::cpu_isa::avx512_core)) return "avx512_core";
  if (covers(dnnl::cpu_isa::avx2)) return "avx2";
  if (covers(dnnl::cpu_isa::avx)) return "avx";
  return "sse41";
}

DType usable_type(DType wanted) {
  return wanted == DType::kBF16 && OneDnnProducts::supports_bf16() ? wanted : DType::kF32;
}

}  // namespace

CpuBackend::CpuBackend(DType activation, int threads, int kernel_level)
    : activation_(usable_type(activation)),
      bf16_refused_(activation_ != activation),
      kernels_(select_kernels(kernel_level)),
      pool_(threads > 0 ? threads : available_threads()),
      products_(activation_, kernels_, pool_),
      convolutions_(activation_, pool_) {}

std::string CpuBackend::detail() const {
  const dnnl::version_t* version = dnnl::version();
  std::string text = "oneDNN " + std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
                     std::to_string(version->patch) + ", " +
                     isa_name(static_cast<unsigned>(dnnl::get_effective_cpu_isa())) + ", own kernels " + kernels_.name +
                     ", " + std::to_string(pool_.threads()) + (pool_.threads() == 1 ? " thread" : " threads");
  if (bf16_refused_) text += "; bf16 needs AVX-512, computing in f32";
  return text;
}

void* CpuBackend::allocate(std::size_t bytes) { return allocate_aligned(bytes); }

void CpuBackend::deallocate(void* data) noexcept { free_aligned(data); }

void CpuBackend::upload(Tensor destination, std::span<const float> values) {
  store_row(values.data(), values.size(), destination);
}

void CpuBackend::download(Tensor source, std::span<float> values) {
  if (source.type == DType::kBF16) {
    kernels_.to_float(static_cast<const std::uint16_t*>(source.data), values.size(), values.data());
  } else if (!values.empty()) {
    std::memcpy(values.data(), source.data, values.size_bytes());
  }
}

void CpuBackend::download_codes(Tensor source, std::span<std::int8_t> codes) {
  if (!codes.empty()) std::memcpy(codes.data(), source.data, codes.size());
}

void CpuBackend::store_row(const float* in, std::size_t count, Tensor out) const {
  if (out.type == DType::kBF16) {
    kernels_.to_bf16(in, count, static_cast<std::uint16_t*>(out.data));
  } else if (count > 0) {
    std::memcpy(out.data, in, count * sizeof(float));
  }
}

std::unique_ptr<LinearWeights> CpuBackend::pack_linear(const TensorView& weight, std::span<const float> bias,
                                                       std::span<const float> row_scale) {
  return products_.pack(weight, bias, row_scale);
}

void CpuBackend::linear(const LinearWeights& weights, Tensor in, std::int64_t rows, LinearOptions options, Tensor out) {
  products_.run(weights, in, rows, options, out);
}

std::unique_ptr<ConvWeights> CpuBackend::pack_convolution(const ConvShape& shape, const TensorView& weight,
                                                          std::span<const float> bias) {
  return convolutions_.pack(shape, weight, bias);
}

void CpuBackend::convolution(const ConvWeights& weights, FeatureMap in, int batch, Tensor addend, Tensor out) {
  convolutions_.run(weights, in, batch, addend, out);
}

}  // namespace cpu

std::unique_ptr<Backend> make_cpu_backend(DType activation, int threads) {
  return std::make_unique<cpu::CpuBackend>(activation, threads);
}

bool cpu_has_fast_bf16() {
  const auto isa = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
  const auto wanted = static_cast<unsigned>(dnnl::cpu_isa::avx512_core_bf16);
  return (isa & wanted) == wanted;
}

}  // namespace tessera
