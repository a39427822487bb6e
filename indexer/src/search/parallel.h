// Runs a function on several threads over numbered pieces of work.
#pragma once

#include <cstddef>
#include <functional>

namespace tessera {

// Cores this process may use; at least 1.
int usable_threads() noexcept;

// Calls work(piece, worker) for every piece in [0, pieces), each once, on up to `threads` threads of which the caller's
// is one; worker in [0, threads) says which. Returns when all are done; the first exception is rethrown then and pieces
// not yet begun are skipped. If the system gives no more threads, fewer do the work.
void parallel_for(std::size_t pieces, int threads, const std::function<void(std::size_t piece, int worker)>& work);

}  // namespace tessera
