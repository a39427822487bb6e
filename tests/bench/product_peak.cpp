// Register-only multiply-adds and large products by the backend, oneDNN and OpenBLAS.
#include "product_peak.h"

#include <dlfcn.h>
#include <immintrin.h>
#include <omp.h>

#include <barrier>
#include <chrono>
#include <cmath>
#include <dnnl.hpp>
#include <numeric>
#include <thread>

#include "tessera/error.h"

namespace tessera::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kSums = 12;  // more than latency times units
constexpr int kSteps = 20000;
constexpr auto kWindow = std::chrono::milliseconds(60);
// OpenMP threads stay awake for some milliseconds after a region; what is measured next has the cores to itself.
constexpr auto kRest = std::chrono::milliseconds(40);
constexpr double kProductFlops = 2.0 * ProductPeak::kSize * ProductPeak::kSize * ProductPeak::kSize;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

__attribute__((target("avx2,fma"))) float multiply_add_avx2() {
  __m256 sums[kSums];
#pragma GCC unroll 12
  for (int i = 0; i < kSums; ++i) sums[i] = _mm256_set1_ps(static_cast<float>(i));
  const __m256 scale = _mm256_set1_ps(0.999f), step = _mm256_set1_ps(0.001f);
  for (int n = 0; n < kSteps; ++n) {
#pragma GCC unroll 12
    for (int i = 0; i < kSums; ++i) sums[i] = _mm256_fmadd_ps(sums[i], scale, step);
  }
  float total = 0;
#pragma GCC unroll 12
  for (int i = 0; i < kSums; ++i) total += _mm256_cvtss_f32(sums[i]);
  return total;
}

__attribute__((target("avx512f"))) float multiply_add_avx512() {
  __m512 sums[kSums];
#pragma GCC unroll 12
  for (int i = 0; i < kSums; ++i) sums[i] = _mm512_set1_ps(static_cast<float>(i));
  const __m512 scale = _mm512_set1_ps(0.999f), step = _mm512_set1_ps(0.001f);
  for (int n = 0; n < kSteps; ++n) {
#pragma GCC unroll 12
    for (int i = 0; i < kSums; ++i) sums[i] = _mm512_fmadd_ps(sums[i], scale, step);
  }
  float total = 0;
#pragma GCC unroll 12
  for (int i = 0; i < kSums; ++i) total += _mm512_cvtss_f32(sums[i]);
  return total;
}

template <typename Product>
double product_rate(const Product& product) {
  const auto begin = Clock::now();
  product();
  const double seconds = seconds_since(begin);
  std::this_thread::sleep_for(kRest);
  return kProductFlops / seconds / 1e9;
}

// Every product is the same one, so a library that computed something else would show.
void check_sum(const char* name, const std::vector<float>& out, double expected) {
  const double sum = std::accumulate(out.begin(), out.end(), 0.0);
  if (!(std::abs(sum - expected) <= 1e-3 * std::abs(expected))) {
    throw Error(ErrorCode::kInternal, std::string("check failed: the product by ") + name + " is wrong");
  }
}

}  // namespace

ProductPeak::ProductPeak(Backend& backend, int threads) : backend_(backend), threads_(threads) {
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) {
    throw Error(ErrorCode::kUnsupported, "--peak needs a processor with AVX2");
  }
  constexpr std::size_t kCount = std::size_t{kSize} * kSize;
  a_.resize(kCount);
  b_.resize(kCount);
  out_.resize(kCount);
  for (std::size_t i = 0; i < kCount; ++i) {
    a_[i] = 0.5f + static_cast<float>(i * 7 % 31) / 31.0f;
    b_[i] = 0.5f + static_cast<float>(i * 11 % 29) / 29.0f;
  }
  weights_ = backend_.pack_linear({TensorType::kF32, {kSize, kSize}, std::as_bytes(std::span(b_))}, {}, {});
  in_ = Buffer(backend_, kCount, backend_.activation_type());
  result_ = Buffer(backend_, kCount, DType::kF32);
  backend_.upload(in_.tensor(), a_);
  if (void* library = ::dlopen("libopenblas.so.0", RTLD_LAZY | RTLD_LOCAL)) {
    openblas_ = reinterpret_cast<Sgemm>(::dlsym(library, "sgemm_"));
  }
}

double ProductPeak::fma() const {
  const bool wide = __builtin_cpu_supports("avx512f");
  const double flops = 2.0 * kSums * kSteps * (wide ? 16 : 8);
  std::barrier start(threads_);
  std::vector<double> rates(static_cast<std::size_t>(threads_));
  {
    std::vector<std::jthread> team;
    for (double& rate : rates) {
      team.emplace_back([&start, &rate, wide, flops] {
        start.arrive_and_wait();
        const auto begin = Clock::now();
        double done = 0;
        while (Clock::now() - begin < kWindow) {
          [[maybe_unused]] volatile float kept = wide ? multiply_add_avx512() : multiply_add_avx2();
          done += flops;
        }
        rate = done / seconds_since(begin) / 1e9;
      });
    }
  }
  return std::accumulate(rates.begin(), rates.end(), 0.0);
}

PeakRates ProductPeak::measure() const {
  PeakRates rates;
  omp_set_num_threads(threads_);
  const double before = fma();
  rates.own = product_rate([&] { backend_.linear(*weights_, in_.tensor(), kSize, {}, result_.tensor()); });
  backend_.download(result_.tensor(), out_);
  const double sum = std::accumulate(out_.begin(), out_.end(), 0.0);
  // a * b^T, row-major, as oneDNN counts rows; column-major to OpenBLAS.
  rates.onednn = product_rate([&] {
    dnnl::sgemm('N', 'T', kSize, kSize, kSize, 1.0f, a_.data(), kSize, b_.data(), kSize, 0.0f, out_.data(), kSize);
  });
  check_sum("oneDNN", out_, sum);
  if (openblas_ != nullptr) {
    const int size = kSize;
    const float one = 1.0f, zero = 0.0f;
    rates.openblas = product_rate([&] {
      openblas_("T", "N", &size, &size, &size, &one, b_.data(), &size, a_.data(), &size, &zero, out_.data(), &size);
    });
    check_sum("OpenBLAS", out_, sum);
  }
  rates.fma = (before + fma()) / 2;
  return rates;
}

}  // namespace tessera::bench
