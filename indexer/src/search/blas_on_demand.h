// BLAS and LAPACK for FAISS, opened at the first need: OpenBLAS would double the start time of every command.
#pragma once

namespace tessera {

// Opens libblas.so.3 and liblapack.so.3, which FAISS's calls then go to. Call it before FAISS computes anything. Safe
// from any thread. Throws kNotFound if they cannot be opened or lack a routine.
void load_blas();

}  // namespace tessera
