// The threads of the CPU backend: every piece once, failures, late threads, sleep, and OpenMP held to one thread.
#include "cpu/thread_pool.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <stdexcept>
#include <thread>
#include <vector>

namespace tessera::cpu {
namespace {

TEST(ThreadPool, RunsEveryPieceOnce) {
  for (const int threads : {1, 2, 3, 16}) {
    ThreadPool pool(threads);
    ASSERT_EQ(pool.threads(), threads);
    for (const std::int64_t pieces : {0, 1, 2, 5, 1000}) {
      std::vector<std::atomic<int>> runs(static_cast<std::size_t>(pieces));
      std::atomic<bool> thread_in_range{true};
      pool.run(pieces, [&](std::int64_t piece, int thread) {
        ++runs[static_cast<std::size_t>(piece)];
        if (thread < 0 || thread >= threads) thread_in_range = false;
      });
      for (const std::atomic<int>& count : runs) ASSERT_EQ(count, 1) << threads << " threads, " << pieces << " pieces";
      EXPECT_TRUE(thread_in_range);
    }
  }
}

// Jobs so short that threads come late to most of them: a thread must never take a piece of a job that is over.
TEST(ThreadPool, LateThreadsFindTheirOwnJob) {
  ThreadPool pool(8);
  for (std::int64_t job = 0; job < 20000; ++job) {
    std::atomic<std::int64_t> sum{0};
    const std::int64_t pieces = 1 + job % 7;
    pool.run(pieces, [&sum, job](std::int64_t piece, int) { sum += 1000 * job + piece; });
    ASSERT_EQ(sum, 1000 * job * pieces + pieces * (pieces - 1) / 2) << job;
  }
}

TEST(ThreadPool, RangesCoverTheCount) {
  ThreadPool pool(2);
  for (const std::int64_t count : {0, 1, 9, 100, 12345}) {
    for (const std::int64_t grain : {1, 10, 100000}) {
      std::vector<std::atomic<int>> seen(static_cast<std::size_t>(count));
      pool.run_ranges(count, grain, [&](std::int64_t begin, std::int64_t end, int) {
        for (std::int64_t i = begin; i < end; ++i) ++seen[static_cast<std::size_t>(i)];
        EXPECT_TRUE(end - begin >= grain || end == count);
      });
      for (const std::atomic<int>& times : seen) ASSERT_EQ(times, 1) << count << " by " << grain;
    }
  }
}

TEST(ThreadPool, AFailureReachesTheCallerAndThePoolGoesOn) {
  ThreadPool pool(4);
  for (int repeat = 0; repeat < 50; ++repeat) {
    EXPECT_THROW(pool.run(100,
                          [](std::int64_t piece, int) {
                            if (piece % 10 == 3) throw std::runtime_error("piece");
                          }),
                 std::runtime_error);
    std::atomic<int> runs{0};
    pool.run(100, [&](std::int64_t, int) { ++runs; });
    ASSERT_EQ(runs, 100);
  }
}

// Waiting costs no processor time: what an OpenMP team that spins would spend here is the whole interval per thread.
TEST(ThreadPool, IdleThreadsSleep) {
  ThreadPool pool(4);
  pool.run(64, [](std::int64_t, int) {});
  const std::clock_t before = std::clock();
  std::this_thread::sleep_for(std::chrono::milliseconds(400));
  const double seconds = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
  EXPECT_LT(seconds, 0.1);
}

TEST(ThreadPool, TheCallerSleepsWhileAnotherThreadWorks) {
  ThreadPool pool(2);
  const std::clock_t before = std::clock();
  pool.run(2, [](std::int64_t piece, int) {
    if (piece == 1) std::this_thread::sleep_for(std::chrono::milliseconds(400));
  });
  const double seconds = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
  EXPECT_LT(seconds, 0.1);
}

TEST(ThreadPool, HoldsOpenMpToOneThreadAndGivesItBack) {
  const int before = omp_get_max_threads();
  ThreadPool pool(3);
  std::atomic<int> most{0};
  pool.run(30, [&](std::int64_t, int) {
    if (omp_get_max_threads() > most) most = omp_get_max_threads();
  });
  EXPECT_EQ(most, 1);
  EXPECT_EQ(omp_get_max_threads(), before);
}

}  // namespace
}  // namespace tessera::cpu
