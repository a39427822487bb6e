// The threads of a CPU backend: they share the pieces of one operation and sleep when there is nothing to do.
//
// Pieces are taken one by one, so a thread that the system holds up delays the others by one piece at most, and no
// thread spins for longer than some microseconds: an OpenMP team that waits at a barrier does both on a busy machine.
// Thread rule: one thread at a time calls run(); work runs on that thread and on the pool's own. OpenMP libraries
// called by the work must be held to one thread (OpenMpLimit).
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace tessera::cpu {

class ThreadPool {
 public:
  // `threads` counts the caller of run(). Where the system gives fewer, the pool works with those it got.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return threads_; }

  // Calls work(piece, thread) once for every piece in [0, pieces), thread in [0, threads()); returns when all are done.
  // Rethrows the first exception; pieces that nobody has begun by then are left out.
  template <typename Work>
  void run(std::int64_t pieces, const Work& work) {
    run_job(
        {[](const void* object, std::int64_t piece, int thread) { (*static_cast<const Work*>(object))(piece, thread); },
         &work, pieces});
  }

  // Calls work(begin, end, thread) for ranges that cover [0, count), none longer than needed to share the work well and
  // none but the last shorter than `grain`.
  template <typename Work>
  void run_ranges(std::int64_t count, std::int64_t grain, const Work& work) {
    const std::int64_t length = range_length(count, grain);
    run((count + length - 1) / length, [&](std::int64_t piece, int thread) {
      const std::int64_t begin = piece * length;
      work(begin, begin + length < count ? begin + length : count, thread);
    });
  }

 private:
  struct Job {
    void (*call)(const void* object, std::int64_t piece, int thread) = nullptr;
    const void* object = nullptr;
    std::int64_t pieces = 0;
  };

  std::int64_t range_length(std::int64_t count, std::int64_t grain) const;
  void run_job(const Job& job);
  bool run_piece(std::uint32_t generation, int thread);
  void work_until_stopped(int thread);

  int threads_;
  std::atomic<std::uint64_t> ticket_{0};     // generation of the job << 32 | next piece
  std::atomic<std::uint32_t> published_{0};  // generation that may be worked on; what idle threads wait for
  std::atomic<std::uint32_t> done_{0};       // pieces of the job that have ended
  std::atomic<bool> stopped_{false};

  // The job. Read by threads that may be late, so each part is atomic; a ticket taken afterwards proves that it held.
  std::atomic<void (*)(const void*, std::int64_t, int)> call_{nullptr};
  std::atomic<const void*> object_{nullptr};
  std::atomic<std::uint32_t> pieces_{0};

  std::mutex failure_mutex_;
  std::exception_ptr failure_;
  std::atomic<bool> failed_{false};

  std::vector<std::jthread> workers_;  // last: they end before anything they use
};

// Holds the calling thread's OpenMP regions to one thread while it lives, so that libraries that use OpenMP run on the
// thread that calls them.
class OpenMpLimit {
 public:
  OpenMpLimit();
  ~OpenMpLimit();
  OpenMpLimit(const OpenMpLimit&) = delete;
  OpenMpLimit& operator=(const OpenMpLimit&) = delete;

 private:
  int previous_;
};

}  // namespace tessera::cpu
