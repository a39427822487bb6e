// Every piece once, exceptions out, pieces without workers.
#include "search/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

namespace tessera {
namespace {

TEST(ParallelFor, DoesEveryPieceOnce) {
  for (const std::size_t pieces : {0u, 1u, 2u, 1000u}) {
    for (const int threads : {0, 1, 2, 7}) {
      std::vector<std::atomic<int>> done(pieces);
      parallel_for(pieces, threads, [&](std::size_t piece, int worker) {
        ++done[piece];
        EXPECT_GE(worker, 0);
        EXPECT_LT(worker, std::max(threads, 1));
      });
      for (const auto& count : done) EXPECT_EQ(count, 1);
    }
  }
}

TEST(ParallelFor, RethrowsAndStops) {
  std::atomic<int> begun = 0;
  EXPECT_THROW(parallel_for(100000, 3,
                            [&](std::size_t piece, int) {
                              ++begun;
                              if (piece == 5) throw std::runtime_error("five");
                              std::this_thread::sleep_for(std::chrono::microseconds(20));
                            }),
               std::runtime_error);
  EXPECT_LT(begun, 100000);
}

}  // namespace
}  // namespace tessera
