// Runs a function on several threads over numbered pieces of work.
#include "search/parallel.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace tessera {

int usable_threads() noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  const int count = ::sched_getaffinity(0, sizeof set, &set) == 0
                        ? CPU_COUNT(&set)
                        : static_cast<int>(std::thread::hardware_concurrency());
  return std::max(1, count);
}

void parallel_for(std::size_t pieces, int threads, const std::function<void(std::size_t, int)>& work) {
  std::atomic<std::size_t> next{0};
  std::exception_ptr failure;
  std::mutex failure_mutex;
  const auto run = [&](int worker) {
    try {
      for (std::size_t piece = next++; piece < pieces; piece = next++) work(piece, worker);
    } catch (...) {
      next = pieces;
      const std::lock_guard lock(failure_mutex);
      if (!failure) failure = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> others;
    const std::size_t wanted = std::min<std::size_t>(pieces, static_cast<std::size_t>(std::max(threads, 1)));
    others.reserve(wanted);
    for (std::size_t worker = 1; worker < wanted; ++worker) {
      try {
        others.emplace_back(run, static_cast<int>(worker));
      } catch (const std::system_error&) {
        break;
      }
    }
    run(0);
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace tessera
