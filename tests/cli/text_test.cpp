// Escaping, display width, eliding, bars and human numbers.
#include "text.h"

#include <gtest/gtest.h>

#include <clocale>

namespace tessera::cli {
namespace {

TEST(Printable, EscapesWhatWouldReachTheTerminal) {
  EXPECT_EQ(printable("a\x1b[31mb\nc\td\x7f", true), "a\\x1b[31mb\\nc\\td\\x7f");
  EXPECT_EQ(printable("caf\xE9", true), "caf\\xe9");
  EXPECT_EQ(printable("caf\xC3\xA9", true), "caf\xC3\xA9");
  EXPECT_EQ(printable("caf\xC3\xA9", false), "caf?");
  EXPECT_EQ(printable("\xC2\x9B", true), "\\x9b");  // the C1 form of ESC [
}

TEST(Elide, KeepsBothEndsAndTheWidth) {
  std::setlocale(LC_CTYPE, "C.UTF-8");
  EXPECT_EQ(elide_middle("short.jpg", 20, true), "short.jpg");
  const std::string elided = elide_middle("holidays/2019/italy/rome/IMG_0001.jpg", 20, true);
  EXPECT_EQ(display_width(elided), 20);
  EXPECT_TRUE(elided.starts_with("holida"));
  EXPECT_TRUE(elided.ends_with("IMG_0001.jpg"));
  EXPECT_EQ(elide_middle("abcdefghijklmnop", 10, false), "abc...mnop");
  EXPECT_EQ(display_width("\xE6\x97\xA5\xE6\x9C\xAC"), 4);  // two wide characters
  EXPECT_LE(display_width(elide_middle("\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E\xE6\x97\xA5\xE6\x9C\xAC", 6, true)), 6);
  EXPECT_EQ(elide_middle("abcdef", 1, true), "\xE2\x80\xA6");
  EXPECT_EQ(elide_middle("abcdef", 2, false), "..");
}

TEST(ShortPath, IsRelativeOnlyBelowTheFolder) {
  EXPECT_EQ(short_path("/a/b/c.jpg", "/a/b"), "c.jpg");
  EXPECT_EQ(short_path("/a/b/c.jpg", "/a/b/"), "c.jpg");
  EXPECT_EQ(short_path("/a/bb/c.jpg", "/a/b"), "/a/bb/c.jpg");
  EXPECT_EQ(short_path("/x.jpg", "/"), "/x.jpg");
}

TEST(Bar, FillsInProportion) {
  EXPECT_EQ(bar(0.5, 4, false), "##..");
  EXPECT_EQ(bar(2.0, 4, false), "####");
  EXPECT_EQ(bar(-1.0, 4, false), "....");
  EXPECT_EQ(bar(1.0, 2, true), "\xE2\x96\x88\xE2\x96\x88");
  EXPECT_EQ(bar(0.5625, 2, true), "\xE2\x96\x88\xE2\x96\x8F");  // nine eighths
  EXPECT_EQ(bar(0.0 / 0.0, 2, false), "..");
}

TEST(HumanNumbers, ReadWell) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(999), "999 B");
  EXPECT_EQ(human_bytes(1500), "1.5 kB");
  EXPECT_EQ(human_bytes(999'999), "1.0 MB");
  EXPECT_EQ(human_bytes(123'000'000), "123 MB");
  EXPECT_EQ(human_count(0), "0");
  EXPECT_EQ(human_count(999), "999");
  EXPECT_EQ(human_count(1000), "1,000");
  EXPECT_EQ(human_count(-1234567), "-1,234,567");
  EXPECT_EQ(human_count(-100), "-100");
  EXPECT_EQ(human_seconds(4.23), "4.2 s");
  EXPECT_EQ(human_seconds(59.7), "1 min 00 s");
  EXPECT_EQ(human_seconds(7860), "2 h 11 min");
  EXPECT_EQ(clock_duration(7), "0:07");
  EXPECT_EQ(clock_duration(3723), "1:02:03");
  EXPECT_EQ(plural(1, "picture"), "1 picture");
  EXPECT_EQ(plural(1200, "picture"), "1,200 pictures");
}

TEST(Wrap, KeepsParagraphsAndIndentedLines) {
  EXPECT_EQ(wrap("one two three four", 10, 0), "one two\nthree four\n");
  EXPECT_EQ(wrap("one two\n\n  kept   as is\nend", 40, 2), "  one two\n\n    kept   as is\n  end\n");
}

}  // namespace
}  // namespace tessera::cli
