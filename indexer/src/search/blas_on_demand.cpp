// The Fortran routines that FAISS names, each of which forwards to the library that is opened when the first is needed.
#include "search/blas_on_demand.h"

#include <dlfcn.h>
#include <omp.h>

#include <array>
#include <limits>
#include <string>

#include "tessera/error.h"

namespace tessera {
namespace {

// Every argument of BLAS and LAPACK is an address. FAISS passes no lengths of strings, which are one character each.
using Address = const void*;
using Function = void (*)();

enum Routine {
  kSgemm,
  kDgemm,
  kSsyrk,
  kSgeqrf,
  kSorgqr,
  kSgesvd,
  kDgesvd,
  kSgetrf,
  kDgetrf,
  kSgetri,
  kDgetri,
  kDsyev,
  kSgelsd
};
constexpr std::array kNames = {"sgemm_",  "dgemm_",  "ssyrk_",  "sgeqrf_", "sorgqr_", "sgesvd_", "dgesvd_",
                               "sgetrf_", "dgetrf_", "sgetri_", "dgetri_", "dsyev_",  "sgelsd_"};

class Blas {
 public:
  Blas() : libraries_{open("libblas.so.3"), open("liblapack.so.3")} {
    for (std::size_t i = 0; i < kNames.size(); ++i) functions_[i] = find(kNames[i]);
  }
  Function operator[](Routine routine) const noexcept { return functions_[routine]; }

 private:
  static void* open(const char* name) {
    void* library = ::dlopen(name, RTLD_LAZY | RTLD_LOCAL);
    if (library == nullptr) {
      throw Error(ErrorCode::kNotFound,
                  std::string("approximate search and linear probes need ") + name + ": " + ::dlerror());
    }
    return library;
  }

  Function find(const char* name) const {
    for (void* library : libraries_) {
      if (void* symbol = ::dlsym(library, name)) return reinterpret_cast<Function>(symbol);
    }
    throw Error(ErrorCode::kNotFound, std::string("neither libblas.so.3 nor liblapack.so.3 has ") + name);
  }

  std::array<void*, 2> libraries_;  // stay open until the process ends
  std::array<Function, kNames.size()> functions_{};
};

const Blas& blas() {
  static const Blas opened;
  return opened;
}

template <typename... Arguments>
int forward(Routine routine, Arguments... arguments) {
  reinterpret_cast<void (*)(Arguments...)>(blas()[routine])(arguments...);
  return 0;  // FAISS declares them as int, as f2c did, and reads no result
}

}  // namespace

void load_blas() { blas(); }

void multiply(Transposed transposed, std::size_t rows, std::size_t columns, std::size_t inner, const float* a,
              const float* b, float* c) {
  constexpr std::size_t kMost = std::numeric_limits<int>::max();
  if (rows > kMost || columns > kMost || inner > kMost) {
    throw Error(ErrorCode::kInvalidArgument, "a matrix is too large for BLAS");
  }
  // BLAS stores columns: it computes c' = b' a'.
  const int m = static_cast<int>(columns), n = static_cast<int>(rows), k = static_cast<int>(inner);
  const bool turned = transposed == Transposed::kYes;
  const int row_of_a = turned ? n : k;
  const float one = 1, zero = 0;
  const int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  forward(kSgemm, "N", turned ? "T" : "N", &m, &n, &k, &one, b, &m, a, &row_of_a, &zero, c, &m);
  omp_set_num_threads(threads);
}

}  // namespace tessera

using tessera::Address;
using tessera::forward;

#define TESSERA_A6 Address a, Address b, Address c, Address d, Address e, Address f
#define TESSERA_A7 TESSERA_A6, Address g
#define TESSERA_A8 TESSERA_A7, Address h
#define TESSERA_A9 TESSERA_A8, Address i
#define TESSERA_A10 TESSERA_A9, Address j
#define TESSERA_A13 TESSERA_A10, Address k, Address l, Address m
#define TESSERA_A14 TESSERA_A13, Address n

extern "C" {
int sgemm_(TESSERA_A13) { return forward(tessera::kSgemm, a, b, c, d, e, f, g, h, i, j, k, l, m); }
int dgemm_(TESSERA_A13) { return forward(tessera::kDgemm, a, b, c, d, e, f, g, h, i, j, k, l, m); }
int ssyrk_(TESSERA_A10) { return forward(tessera::kSsyrk, a, b, c, d, e, f, g, h, i, j); }
int sgeqrf_(TESSERA_A8) { return forward(tessera::kSgeqrf, a, b, c, d, e, f, g, h); }
int sorgqr_(TESSERA_A9) { return forward(tessera::kSorgqr, a, b, c, d, e, f, g, h, i); }
int sgesvd_(TESSERA_A14) { return forward(tessera::kSgesvd, a, b, c, d, e, f, g, h, i, j, k, l, m, n); }
int dgesvd_(TESSERA_A14) { return forward(tessera::kDgesvd, a, b, c, d, e, f, g, h, i, j, k, l, m, n); }
int sgetrf_(TESSERA_A6) { return forward(tessera::kSgetrf, a, b, c, d, e, f); }
int dgetrf_(TESSERA_A6) { return forward(tessera::kDgetrf, a, b, c, d, e, f); }
int sgetri_(TESSERA_A7) { return forward(tessera::kSgetri, a, b, c, d, e, f, g); }
int dgetri_(TESSERA_A7) { return forward(tessera::kDgetri, a, b, c, d, e, f, g); }
int dsyev_(TESSERA_A9) { return forward(tessera::kDsyev, a, b, c, d, e, f, g, h, i); }
int sgelsd_(TESSERA_A14) { return forward(tessera::kSgelsd, a, b, c, d, e, f, g, h, i, j, k, l, m, n); }
}
