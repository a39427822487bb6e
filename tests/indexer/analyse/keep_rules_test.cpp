// Keep rules: order, reasons, and what is never proposed to go.
#include "tessera/indexer/keep_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tessera/error.h"

namespace tessera {
namespace {

using ::testing::HasSubstr;

class KeepRules : public ::testing::Test {
 protected:
  KeepRules() {
    small_.width = 640;
    small_.height = 480;
    small_.format = "png";
    large_.width = 1600;
    large_.height = 1200;
    large_.format = "jpeg";
  }
  static KeepFile file(const ImageRecord& image, const std::string& path, std::uint64_t bytes = 100,
                       std::int64_t mtime_ns = 0, int rating = 0) {
    return {&image, {path, FileState::kPresent, bytes, mtime_ns}, rating, true};
  }
  static std::vector<std::string> paths(const std::vector<KeepDecision>& decisions, bool kept) {
    std::vector<std::string> result;
    for (const KeepDecision& each : decisions) {
      if (each.keep == kept) result.push_back(each.file.file.path);
    }
    return result;
  }
  using Paths = std::vector<std::string>;

  ImageRecord small_, large_;
};

TEST_F(KeepRules, TheFirstRuleThatTellsThemApartDecides) {
  const std::vector<KeepFile> files = {file(small_, "/a/1", 900, 5, 4), file(large_, "/b/2", 300, 9, 4),
                                       file(large_, "/c/3", 200, 7, 1)};
  const auto kept_by = [&](const std::string& rules) {
    return paths(decide_keep(files, parse_keep_rules(rules)), true).at(0);
  };
  EXPECT_EQ(kept_by("resolution,size"), "/b/2");
  EXPECT_EQ(kept_by("resolution,oldest"), "/c/3");
  EXPECT_EQ(kept_by("size"), "/a/1");
  EXPECT_EQ(kept_by("newest"), "/b/2");
  EXPECT_EQ(kept_by("rating,format"), "/a/1");
  EXPECT_EQ(kept_by("rating,resolution"), "/b/2");
  EXPECT_EQ(kept_by("folder=/c:/a"), "/c/3");
  EXPECT_EQ(kept_by("folder=/x/,folder=/a"), "/a/1");

  const auto decisions = decide_keep(files, parse_keep_rules("resolution,size"));
  EXPECT_EQ(decisions[0].reason, "300 bytes");
  EXPECT_EQ(decisions[1].reason, "200 bytes, the kept one 300 bytes");
  EXPECT_EQ(decisions[2].reason, "640 x 480 pixels, the kept one 1600 x 1200 pixels");
}

TEST_F(KeepRules, EqualFilesAreDecidedByPath) {
  const std::vector<KeepFile> files = {file(small_, "/b"), file(small_, "/a"), file(small_, "/c")};
  const auto decisions = decide_keep(files, parse_keep_rules("resolution"));
  EXPECT_EQ(paths(decisions, true), Paths{"/a"});
  EXPECT_EQ(paths(decisions, false), (Paths{"/b", "/c"}));
  EXPECT_THAT(decisions[1].reason, HasSubstr("equal by every rule"));
}

TEST_F(KeepRules, WhatIsNotThereOrUnreadableNeitherGoesNorLetsOthersGo) {
  KeepFile offline = file(large_, "/offline");
  offline.file.state = FileState::kOffline;
  KeepFile missing = file(large_, "/missing");
  missing.file.state = FileState::kMissing;
  KeepFile unreadable = file(large_, "/unreadable");
  unreadable.readable = false;
  ImageRecord broken = large_;
  broken.error = "damaged";
  const std::vector<KeepFile> files = {offline, missing, unreadable, file(broken, "/broken"), file(small_, "/only")};
  const auto decisions = decide_keep(files, parse_keep_rules("resolution"));
  EXPECT_EQ(decisions[0].file.file.path, "/only");
  EXPECT_TRUE(paths(decisions, false).empty());
  EXPECT_THAT(decisions[1].reason, HasSubstr("offline"));
  const std::vector<KeepFile> hopeless = {offline, unreadable, unreadable};
  EXPECT_TRUE(paths(decide_keep(hopeless, parse_keep_rules("size")), false).empty());
  EXPECT_TRUE(decide_keep({}, parse_keep_rules("size")).empty());
}

TEST_F(KeepRules, OnlyKnownRulesAreTaken) {
  EXPECT_EQ(parse_keep_rules(kStandardKeepRules).size(), 5U);
  const auto rules = parse_keep_rules("folder=/a/b/:/c,size");
  EXPECT_EQ(rules[0].folders, (std::vector<std::filesystem::path>{"/a/b", "/c"}));
  for (const char* bad : {"", "best", "size,", "size=3", "folder", "folder=", "folder=/a::/b"}) {
    EXPECT_THROW(parse_keep_rules(bad), Error) << bad;
  }
}

}  // namespace
}  // namespace tessera
