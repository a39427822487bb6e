// BLAS and LAPACK for FAISS and for linear probes, opened at the first need: OpenBLAS would double the start time of
// every command.
#pragma once

#include <cstddef>

namespace tessera {

// Opens libblas.so.3 and liblapack.so.3, which FAISS's calls then go to. Call it before FAISS computes anything. Safe
// from any thread. Throws kNotFound if they cannot be opened or lack a routine.
void load_blas();

enum class Transposed : bool { kNo, kYes };

// c [rows, columns] = a [rows, inner] * b [inner, columns] in float32, all row by row without gaps; a is stored as
// [inner, rows] if it is transposed. On the calling thread alone, so that the sum does not depend on the number of
// threads and none waits for another. Throws as load_blas does, and kInvalidArgument for a size over 2^31 - 1.
void multiply(Transposed transposed, std::size_t rows, std::size_t columns, std::size_t inner, const float* a,
              const float* b, float* c);

}  // namespace tessera
