// Regions of a query picture: what is accepted and which pixels are meant.
#include "query.h"

#include <gtest/gtest.h>

#include "exit_code.h"

namespace tessera::cli {
namespace {

void expect_pixels(const std::string& text, int width, int height, const PixelRect& expected) {
  const PixelRect rect = region_pixels(parse_region(text), width, height, "x.jpg");
  EXPECT_EQ(rect.x, expected.x) << text;
  EXPECT_EQ(rect.y, expected.y) << text;
  EXPECT_EQ(rect.width, expected.width) << text;
  EXPECT_EQ(rect.height, expected.height) << text;
}

TEST(Region, WholeNumbersArePixelsAndAPointMakesFractions) {
  expect_pixels("10,20,30,40", 100, 100, {10, 20, 30, 40});
  expect_pixels("0,0,1,1", 100, 100, {0, 0, 1, 1});
  expect_pixels("0,0,1.0,1", 100, 60, {0, 0, 100, 60});
  expect_pixels("0.25,0.5,0.5,0.5", 100, 60, {25, 30, 50, 30});
  expect_pixels("0.1,0.1,0.3,0.9", 10, 10, {1, 1, 3, 9});
  expect_pixels("0.999,0.999,0.0001,0.0001", 10, 10, {9, 9, 1, 1});
}

TEST(Region, NonsenseIsRefused) {
  for (const char* text : {"", "1,2,3", "1,2,3,4,5", "a,b,c,d", "1,2,3,", "-1,0,5,5", "0,0,0,5", "0.5,0,0.6,1",
                           "nan,0,1,1", "1 ,2,3,4", "inf,0,1,1"}) {
    EXPECT_THROW(parse_region(text), UsageError) << text;
  }
}

TEST(Region, OutsideThePictureNamesItAndItsSize) {
  try {
    region_pixels(parse_region("50,0,51,10"), 100, 80, "x.jpg");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);  // exit code 2, as for any usage error
    EXPECT_STREQ(error.what(), "the region reaches to (101, 10) but x.jpg has 100 x 80 pixels");
  }
}

}  // namespace
}  // namespace tessera::cli
