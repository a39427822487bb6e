// The queue between the threads of an index run, and the memory budget of its decoders.
#include "ingest/bounded_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "ingest/prepare.h"

namespace tessera::ingest {
namespace {

using std::chrono::milliseconds;

TEST(BoundedQueue, GivesBackInOrderAndEnds) {
  BoundedQueue<int> queue(10, 100);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(queue.push(i));
  queue.finish();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(queue.pop(), i);
  EXPECT_EQ(queue.pop(), std::nullopt);
  EXPECT_TRUE(queue.drained());
}

TEST(BoundedQueue, LosesNothingWhenProducersWaitForRoom) {
  BoundedQueue<int> queue(1000, 30);
  std::vector<std::jthread> producers;
  for (int p = 0; p < 3; ++p) {
    producers.emplace_back([&] {
      for (int i = 1; i <= 200; ++i) queue.push(i, 10);
    });
  }
  long sum = 0;
  for (int taken = 0; taken < 600; ++taken) sum += *queue.pop();
  EXPECT_EQ(sum, 3L * 200 * 201 / 2);
  EXPECT_EQ(queue.pop_for(milliseconds(1)), std::nullopt);
  EXPECT_FALSE(queue.drained());
}

TEST(BoundedQueue, AnItemBeyondTheBoundFitsAlone) {
  BoundedQueue<int> queue(10, 5);
  EXPECT_TRUE(queue.push(1, 1000));
  std::atomic<bool> second{false};
  std::jthread producer([&] {
    queue.push(2, 1);
    second = true;
  });
  std::this_thread::sleep_for(milliseconds(20));
  EXPECT_FALSE(second);
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_EQ(queue.pop(), 2);
}

TEST(BoundedQueue, CloseFreesThoseWhoWait) {
  BoundedQueue<int> queue(1, 100);
  queue.push(1);
  std::atomic<int> refused{0};
  {
    std::vector<std::jthread> producers;
    for (int i = 0; i < 3; ++i) {
      producers.emplace_back([&] { refused += queue.push(2) ? 0 : 1; });
    }
    std::this_thread::sleep_for(milliseconds(10));
    queue.close();
  }
  EXPECT_EQ(refused, 3);
  EXPECT_EQ(queue.pop(), std::nullopt);
}

TEST(ByteBudget, NeverLendsMoreThanItHas) {
  ByteBudget budget(100);
  std::atomic<int> lent{0};
  std::atomic<int> most{0};
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const int wanted = t == 0 ? 1000 : 40;  // more than there is: takes all
        const auto share = budget.take(static_cast<std::uint64_t>(wanted));
        const int now = lent += std::min(wanted, 100);
        int before = most;
        while (now > before && !most.compare_exchange_weak(before, now)) {
        }
        lent -= std::min(wanted, 100);
      }
    });
  }
  threads.clear();
  EXPECT_LE(most, 100);
  EXPECT_GT(most, 0);
}

}  // namespace
}  // namespace tessera::ingest
