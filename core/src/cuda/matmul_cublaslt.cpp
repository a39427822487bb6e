// Matrix products by cuBLASLt, one cached algorithm per shape, types and alignment.
#include <cublasLt.h>

#include <algorithm>
#include <map>
#include <string>
#include <tuple>

#include "cuda/arena.h"
#include "cuda/launch.h"
#include "cuda/matmul.h"
#include "device/memory_layout.h"

namespace tessera::cuda {
namespace {

constexpr std::size_t kMostPlans = 4096;  // a long run over many picture sizes must not grow without bound

cudaDataType data_type(DType type) {
  switch (type) {
    case DType::kF32: return CUDA_R_32F;
    case DType::kBF16: return CUDA_R_16BF;
    case DType::kF16: return CUDA_R_16F;
    case DType::kI8: break;
  }
  return CUDA_R_32F;
}

// Deleters of cuBLASLt's handles.
struct Destroy {
  void operator()(cublasLtMatmulDescOpaque_t* handle) const { cublasLtMatmulDescDestroy(handle); }
  void operator()(cublasLtMatrixLayoutOpaque_t* handle) const { cublasLtMatrixLayoutDestroy(handle); }
  void operator()(cublasLtMatmulPreferenceOpaque_t* handle) const { cublasLtMatmulPreferenceDestroy(handle); }
};
using Description = std::unique_ptr<cublasLtMatmulDescOpaque_t, Destroy>;
using Layout = std::unique_ptr<cublasLtMatrixLayoutOpaque_t, Destroy>;
using Preference = std::unique_ptr<cublasLtMatmulPreferenceOpaque_t, Destroy>;

struct Plan {
  Description description;
  Layout w, x, d;
  cublasLtMatmulAlgo_t algorithm{};
};

// Largest power of two up to 256 that divides the address.
std::uint32_t alignment_of(const void* data) {
  const auto address = reinterpret_cast<std::uintptr_t>(data);
  std::uint32_t alignment = 256;
  while (address % alignment != 0) alignment /= 2;
  return alignment;
}

using Key = std::tuple<std::int64_t, int, int, DType, DType, bool, bool, std::uint32_t, std::uint32_t, std::uint32_t>;

}  // namespace

struct Matmul::Impl {
  Stream& stream;
  Arena& arena;
  cublasLtHandle_t handle = nullptr;
  void* workspace = nullptr;
  std::map<Key, Plan> plans;

  void require(cublasStatus_t status) const {
    if (status == CUBLAS_STATUS_SUCCESS) return;
    const bool memory = status == CUBLAS_STATUS_ALLOC_FAILED;
    throw Error(memory ? ErrorCode::kLimit : ErrorCode::kInternal,
                "cuBLASLt failed at " + stream.last().text() + ": " + cublasLtGetStatusString(status));
  }

  template <typename Value>
  void set(const Description& description, cublasLtMatmulDescAttributes_t attribute, const Value& value) const {
    require(cublasLtMatmulDescSetAttribute(description.get(), attribute, &value, sizeof value));
  }
  template <typename Value>
  void set(const Preference& preference, cublasLtMatmulPreferenceAttributes_t attribute, const Value& value) const {
    require(cublasLtMatmulPreferenceSetAttribute(preference.get(), attribute, &value, sizeof value));
  }

  Layout layout(DType type, std::int64_t rows, std::int64_t columns) const {
    cublasLtMatrixLayout_t made = nullptr;
    require(cublasLtMatrixLayoutCreate(&made, data_type(type), static_cast<std::uint64_t>(rows),
                                       static_cast<std::uint64_t>(columns), rows));
    return Layout(made);
  }

  Plan make_plan(const Product& product) const;
  const Plan& plan(const Product& product);
};

// cuBLASLt counts by columns: d^T [out, rows] = w^T^T [out, in] x^T [in, rows].
Plan Matmul::Impl::make_plan(const Product& product) const {
  Plan plan;
  cublasLtMatmulDesc_t description = nullptr;
  require(cublasLtMatmulDescCreate(&description, CUBLAS_COMPUTE_32F, CUDA_R_32F));
  plan.description.reset(description);
  set(plan.description, CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_T);
  if (product.bias != nullptr) {
    set(plan.description, CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
    set(plan.description, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, data_type(product.destination));
    set(plan.description, CUBLASLT_MATMUL_DESC_BIAS_POINTER, product.bias);
  }
  plan.w = layout(product.source, product.in, product.out);
  plan.x = layout(product.source, product.in, product.rows);
  plan.d = layout(product.destination, product.out, product.rows);

  cublasLtMatmulPreference_t made = nullptr;
  require(cublasLtMatmulPreferenceCreate(&made));
  const Preference preference(made);
  set(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, kProductWorkspace);
  set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, alignment_of(product.w));
  set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, alignment_of(product.x));
  set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES,
      alignment_of(product.addend != nullptr ? product.addend : product.d));
  set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, alignment_of(product.d));
  cublasLtMatmulHeuristicResult_t found{};
  int count = 0;
  const cublasStatus_t status =
      cublasLtMatmulAlgoGetHeuristic(handle, plan.description.get(), plan.w.get(), plan.x.get(), plan.d.get(),
                                     plan.d.get(), preference.get(), 1, &found, &count);
  require(status == CUBLAS_STATUS_SUCCESS && count == 0 ? CUBLAS_STATUS_NOT_SUPPORTED : status);
  require(found.state);
  plan.algorithm = found.algo;
  return plan;
}

const Plan& Matmul::Impl::plan(const Product& product) {
  const Key key(product.rows, product.in, product.out, product.source, product.destination, product.bias != nullptr,
                product.addend != nullptr, alignment_of(product.x), alignment_of(product.d),
                alignment_of(product.addend != nullptr ? product.addend : product.d));
  const auto known = plans.find(key);
  if (known != plans.end()) return known->second;
  if (plans.size() >= kMostPlans) plans.clear();
  return plans.emplace(key, make_plan(product)).first->second;
}

Matmul::Matmul(Stream& stream, Arena& arena) : impl_(new Impl{.stream = stream, .arena = arena, .plans = {}}) {
  stream.note("cuBLASLt", {});
  impl_->require(cublasLtCreate(&impl_->handle));
  arena.reserve(kProductWorkspace);
  impl_->workspace = arena.allocate(kProductWorkspace);
}

Matmul::~Matmul() {
  impl_->arena.deallocate(impl_->workspace);
  cublasLtDestroy(impl_->handle);
}

std::string Matmul::version() {
  const std::size_t number = cublasLtGetVersion();
  return "cuBLASLt " + std::to_string(number / 10000) + "." + std::to_string(number / 100 % 100) + "." +
         std::to_string(number % 100);
}

void Matmul::run(const Product& product) {
  if (product.rows == 0) return;
  impl_->stream.note("matmul", {product.rows, product.in, product.out});
  const Plan& plan = impl_->plan(product);
  if (product.bias != nullptr) impl_->set(plan.description, CUBLASLT_MATMUL_DESC_BIAS_POINTER, product.bias);
  const float alpha = 1.0f, beta = product.addend != nullptr ? 1.0f : 0.0f;
  const void* addend = product.addend != nullptr ? product.addend : product.d;
  impl_->require(cublasLtMatmul(impl_->handle, plan.description.get(), &alpha, product.w, plan.w.get(), product.x,
                                plan.x.get(), &beta, addend, plan.d.get(), product.d, plan.d.get(), &plan.algorithm,
                                impl_->workspace, kProductWorkspace, impl_->stream.get()));
}

}  // namespace tessera::cuda
