// What the progress bar and the log line say.
#include "progress.h"

#include <gtest/gtest.h>

#include "text.h"

namespace tessera::cli {
namespace {

ProgressState state(std::int64_t done, std::int64_t total) {
  ProgressState result;
  result.done = done;
  result.total = total;
  return result;
}

TEST(ProgressLine, ShowsShareRateAndRemainingTime) {
  EXPECT_EQ(progress_line(state(420, 1000), 35.0, 60, false),
            " 42% |##########..............| 420/1,000  35.0/s  0:17 left");
  ProgressState failing = state(10, 20);
  failing.failed = 2;
  EXPECT_EQ(progress_line(failing, 0, 30, false), " 50% |####...| 10/20  2 failed");
}

TEST(ProgressLine, ShowsNoShareWhileFilesAreBeingFound) {
  ProgressState walking = state(3, 10);
  walking.total_known = false;
  walking.seen = 1200;
  EXPECT_EQ(progress_line(walking, 2.5, 60, false), "3 done, 1,200 files found  2.5/s");
  EXPECT_EQ(progress_log_line(walking, 0), "3 pictures done, 1,200 files found so far");
}

TEST(ProgressLine, NeverIsWiderThanTheTerminal) {
  for (int columns = 5; columns < 100; ++columns) {
    EXPECT_LE(display_width(progress_line(state(123456, 9876543), 12.3, columns, false)), columns);
  }
}

TEST(ProgressLogLine, ReadsAsASentence) {
  EXPECT_EQ(progress_log_line(state(420, 1000), 35.0), "420 of 1,000 pictures (42%), 35.0/s, 0:17 left");
}

TEST(RateEstimator, FollowsAChangeOfPace) {
  RateEstimator rate;
  for (int second = 0; second <= 20; ++second) rate.add(second, 10 * second);
  EXPECT_NEAR(rate.rate(), 10, 1e-6);
  for (int second = 1; second <= 40; ++second) rate.add(20 + second, 200 + 50 * second);
  EXPECT_NEAR(rate.rate(), 50, 1);
}

}  // namespace
}  // namespace tessera::cli
