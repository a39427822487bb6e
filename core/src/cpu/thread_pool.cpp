// Threads that take numbered pieces of one job from a ticket counter and sleep in the kernel between jobs.
#include "cpu/thread_pool.h"

#include <omp.h>

#include <algorithm>
#include <system_error>
#include <utility>

namespace tessera::cpu {
namespace {

constexpr std::uint32_t kClosed = 0xffffffff;  // no piece has this number
// Operations follow each other within microseconds; sleeping and waking takes longer than that. At some 20 ns a turn
// this is 30 us, after which the processor is left to others.
constexpr int kTurns = 1500;

void pause_briefly() { __builtin_ia32_pause(); }

// Waits for `value` to differ from `old`: a moment awake, then asleep.
void wait_for_change(const std::atomic<std::uint32_t>& value, std::uint32_t old) {
  for (int turn = 0; turn < kTurns; ++turn) {
    if (value.load(std::memory_order_acquire) != old) return;
    pause_briefly();
  }
  value.wait(old, std::memory_order_acquire);
}

constexpr std::uint64_t ticket(std::uint32_t generation, std::uint32_t piece) {
  return std::uint64_t{generation} << 32 | piece;
}

}  // namespace

ThreadPool::ThreadPool(int threads) : threads_(1) {
  for (int thread = 1; thread < threads; ++thread) {
    try {
      workers_.emplace_back([this, thread] { work_until_stopped(thread); });
    } catch (const std::system_error&) {
      break;
    }
    ++threads_;
  }
}

ThreadPool::~ThreadPool() {
  stopped_ = true;
  published_.fetch_add(1);
  published_.notify_all();
}

std::int64_t ThreadPool::range_length(std::int64_t count, std::int64_t grain) const {
  constexpr std::int64_t kRangesPerThread = 8;  // small enough that the last ones end at about the same time
  const std::int64_t wanted = threads_ == 1 ? 1 : threads_ * kRangesPerThread;
  return std::max({std::int64_t{1}, grain, (count + wanted - 1) / wanted});
}

// Takes a piece of the job of this generation and runs it; false if there is none left.
bool ThreadPool::run_piece(std::uint32_t generation, int thread) {
  std::uint64_t seen = ticket_.load(std::memory_order_acquire);
  for (;;) {
    const auto piece = static_cast<std::uint32_t>(seen);
    if (static_cast<std::uint32_t>(seen >> 32) != generation || piece == kClosed) return false;
    const auto call = call_.load(std::memory_order_acquire);
    const void* object = object_.load(std::memory_order_acquire);
    const std::uint32_t pieces = pieces_.load(std::memory_order_acquire);
    if (piece >= pieces) return false;
    if (!ticket_.compare_exchange_weak(seen, seen + 1, std::memory_order_acq_rel, std::memory_order_acquire)) continue;
    if (!failed_.load(std::memory_order_relaxed)) {
      try {
        call(object, piece, thread);
      } catch (...) {
        const std::lock_guard lock(failure_mutex_);
        if (!failed_.exchange(true)) failure_ = std::current_exception();
      }
    }
    if (done_.fetch_add(1) + 1 == pieces) done_.notify_one();
    return true;
  }
}

void ThreadPool::run_job(const Job& job) {
  if (job.pieces <= 0) return;
  const OpenMpLimit limit;
  if (workers_.empty() || job.pieces == 1) {
    for (std::int64_t piece = 0; piece < job.pieces; ++piece) job.call(job.object, piece, 0);
    return;
  }
  // Nobody holds a piece of an earlier job now. The counter is closed first, and the parts are released after it: a
  // late thread that has seen a part of this job cannot take a ticket of an earlier one.
  const std::uint32_t generation = published_.load(std::memory_order_relaxed) + 1;
  const auto pieces = static_cast<std::uint32_t>(job.pieces);
  ticket_.store(ticket(generation, kClosed), std::memory_order_release);
  done_.store(0, std::memory_order_relaxed);
  call_.store(job.call, std::memory_order_release);
  object_.store(job.object, std::memory_order_release);
  pieces_.store(pieces, std::memory_order_release);
  ticket_.store(ticket(generation, 0), std::memory_order_release);
  // Sequentially consistent, as notifying looks for sleepers before it calls the system: a release store could become
  // visible only after that look, and a thread that has just gone to sleep would stay there.
  published_.store(generation);
  published_.notify_all();

  while (run_piece(generation, 0)) {
  }
  for (std::uint32_t done = done_.load(std::memory_order_acquire); done != pieces;
       done = done_.load(std::memory_order_acquire)) {
    wait_for_change(done_, done);
  }
  if (failed_.load()) {
    failed_ = false;
    std::rethrow_exception(std::exchange(failure_, nullptr));
  }
}

void ThreadPool::work_until_stopped(int thread) {
  const OpenMpLimit limit;
  std::uint32_t seen = 0;
  for (;;) {
    wait_for_change(published_, seen);
    seen = published_.load(std::memory_order_acquire);
    if (stopped_) return;
    while (run_piece(seen, thread)) {
    }
  }
}

OpenMpLimit::OpenMpLimit() : previous_(omp_get_max_threads()) { omp_set_num_threads(1); }
OpenMpLimit::~OpenMpLimit() { omp_set_num_threads(previous_); }

}  // namespace tessera::cpu
