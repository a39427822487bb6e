// Batches of one size that depend on the pictures alone, and failures that do not stop the rest.
#include <gmock/gmock.h>

#include <map>
#include <numeric>

#include "eval/eval_fixture.h"
#include "tessera/indexer/eval_features.h"

namespace tessera::eval {
namespace {

using test::error_of;
using test::plain_picture;
using ::testing::ElementsAre;

// Picture i is 16 pixels high and 16 or 32 wide; 3 and 8 fail.
Image numbered(std::size_t i) {
  if (i == 3 || i == 8) throw Error(ErrorCode::kDamaged, "picture " + std::to_string(i));
  return plain_picture(i % 2 == 0 ? 16 : 32, 16, static_cast<int>(i), 0, 0);
}

std::vector<std::vector<std::size_t>> batches_of(std::size_t count, int batch, int threads,
                                                 std::vector<Failure>* failures = nullptr) {
  std::vector<std::size_t> pictures(count);
  std::iota(pictures.begin(), pictures.end(), std::size_t{0});
  BatchOptions options;
  options.batch = batch;
  options.threads = threads;
  std::vector<std::vector<std::size_t>> batches;
  const std::vector<Failure> failed = for_each_batch(
      pictures, [](std::size_t i, const ResizeSpec&) { return numbered(i); }, options,
      [&](std::span<const std::size_t> numbers, std::span<const Image> images) {
        ASSERT_EQ(numbers.size(), images.size());
        for (std::size_t k = 0; k < numbers.size(); ++k) {
          EXPECT_EQ(images[k].rgb[0], numbers[k]);
          EXPECT_EQ(images[k].width, images[0].width);
        }
        batches.emplace_back(numbers.begin(), numbers.end());
      });
  if (failures != nullptr) *failures = failed;
  return batches;
}

TEST(Batches, GroupBySizeAndKeepTheOrder) {
  std::vector<Failure> failures;
  const auto batches = batches_of(12, 3, 2, &failures);
  EXPECT_THAT(batches, ElementsAre(ElementsAre(0, 2, 4), ElementsAre(1, 5, 7), ElementsAre(6, 10), ElementsAre(9, 11)));
  ASSERT_EQ(failures.size(), 2u);
  EXPECT_EQ(failures[0].picture, 3u);
  EXPECT_EQ(failures[1].picture, 8u);
  EXPECT_EQ(failures[1].reason, "picture 8");
}

TEST(Batches, DoNotDependOnThreads) {
  for (const int batch : {1, 4, 7, 100}) EXPECT_EQ(batches_of(50, batch, 1), batches_of(50, batch, 5)) << batch;
}

TEST(Batches, CanBeStopped) {
  std::stop_source stop;
  stop.request_stop();
  BatchOptions options;
  options.stop = stop.get_token();
  const std::vector<std::size_t> pictures = {0};
  error_of(
      [&] {
        for_each_batch(
            pictures, [](std::size_t i, const ResizeSpec&) { return numbered(i); }, options,
            [](std::span<const std::size_t>, std::span<const Image>) {});
      },
      ErrorCode::kCancelled);
}

TEST(Batches, TellHowFarTheyAre) {
  std::vector<std::size_t> pictures(10);
  std::iota(pictures.begin(), pictures.end(), std::size_t{0});
  BatchOptions options;
  options.threads = 1;
  options.batch = 1;
  std::size_t last = 0;
  options.progress = [&](std::size_t done, std::size_t total) {
    EXPECT_GT(done, last);
    EXPECT_EQ(total, 10u);
    last = done;
  };
  for_each_batch(
      pictures, [](std::size_t i, const ResizeSpec&) { return numbered(i); }, options,
      [](std::span<const std::size_t>, std::span<const Image>) {});
  EXPECT_EQ(last, 10u);
}

}  // namespace
}  // namespace tessera::eval
