// dup on a real library, as a shell sees it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "format.h"
#include "run_tessera.h"

namespace tessera::cli {
namespace {

using testing::disc_picture;
using ::testing::HasSubstr;
using testing::Outcome;
using testing::run_tessera;
using testing::TemporaryFolder;

// Four pictures, one of them twice, one also as a JPEG and one also cut.
class Dup : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(photos() / "sub");
    for (unsigned i = 0; i < 4; ++i) write_image(photo(i), disc_picture(240, 180, 50 + 7 * i));
    std::filesystem::copy_file(photo(0), photos() / "sub" / "p0.png");
    write_image(photos() / "p1.jpg", disc_picture(240, 180, 57), 80);
    write_image(photos() / "p2-cut.png", crop_image(disc_picture(240, 180, 64), 12, 9, 216, 162));
    const Outcome indexed = tessera({"index", photos().string(), "--resize", "square:128", "--tokens", "4"});
    ASSERT_EQ(indexed.exit_code, 0) << indexed.err;
  }

  std::filesystem::path photos() const { return folder_ / "photos"; }
  std::filesystem::path photo(unsigned i) const { return photos() / ("p" + std::to_string(i) + ".png"); }
  Outcome tessera(const std::vector<std::string>& arguments) const {
    return run_tessera(
        arguments, {folder_.path(),
                    {{"TESSERA_LIBRARY", (folder_ / "lib").string()}, {"XDG_DATA_HOME", (folder_ / "data").string()}},
                    -1});
  }
  Json groups(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"dup", "--min-certainty", "0.75", "--format", "json"});
    return Json::parse(tessera(arguments).out);
  }

  TemporaryFolder folder_;
};

TEST_F(Dup, ListsGroupsBySafety) {
  const Json found = groups({});
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0]["label"], "exact");
  EXPECT_EQ(found[0]["files"].size(), 2U);
  EXPECT_EQ(found[1]["label"], "re-encoded");
  EXPECT_EQ(found[2]["label"], "edited");
  EXPECT_TRUE(found[0]["files"][0]["keep"].is_null());
  EXPECT_EQ(groups({"--label", "re-encoded"}).size(), 1U);
  EXPECT_EQ(groups({"--label", "exact", "--under", (photos() / "sub").string()}).size(), 1U);
  const Outcome table = tessera({"dup", "--label", "edited"});
  EXPECT_THAT(table.out, HasSubstr("photos/p2-cut.png"));
  EXPECT_THAT(table.err, HasSubstr("1 group"));
  EXPECT_EQ(tessera({"dup", "--label", "same"}).exit_code, 2);
}

TEST_F(Dup, KeepRulesSayWhatMayGoAndWhy) {
  const Json found = groups({"--keep", "resolution,format", "--dry-run"});
  for (const Json& group : found) {
    EXPECT_EQ(group["files"][0]["keep"], true);
    for (std::size_t i = 1; i < group["files"].size(); ++i) EXPECT_EQ(group["files"][i]["keep"], false);
  }
  EXPECT_EQ(found[1]["files"][1]["path"], (photos() / "p1.jpg").string());
  EXPECT_EQ(found[1]["files"][1]["reason"], "jpeg, the kept one png");
  EXPECT_EQ(found[2]["files"][1]["path"], (photos() / "p2-cut.png").string());
  const Outcome paths =
      tessera({"dup", "--label", "exact", "--keep", "folder=" + (photos() / "sub").string(), "--format", "paths"});
  EXPECT_EQ(paths.out, photo(0).string() + "\n");
  for (unsigned i = 0; i < 4; ++i) EXPECT_TRUE(std::filesystem::exists(photo(i)));
  EXPECT_EQ(tessera({"dup", "--keep", "best"}).exit_code, 2);
  EXPECT_EQ(tessera({"dup", "--dry-run"}).exit_code, 2);
}

TEST_F(Dup, WhatMayGoGoesToTheTrashAndComesBack) {
  EXPECT_EQ(tessera({"dup", "--trash", "--keep", "oldest"}).exit_code, 2);
  EXPECT_EQ(tessera({"dup", "--trash", "--label", "exact"}).exit_code, 2);
  const std::vector<std::string> ask = {"dup", "--label", "exact", "--keep", "folder=" + photos().string() + "/sub"};
  std::vector<std::string> dry = ask;
  dry.insert(dry.end(), {"--trash", "--dry-run"});
  EXPECT_EQ(tessera(dry).exit_code, 0);
  EXPECT_TRUE(std::filesystem::exists(photo(0)));
  std::vector<std::string> trash = ask;
  trash.push_back("--trash");
  const Outcome done = tessera(trash);
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(done.err + done.out, HasSubstr("moved to the trash: 1 file"));
  EXPECT_FALSE(std::filesystem::exists(photo(0)));
  EXPECT_TRUE(std::filesystem::exists(photos() / "sub" / "p0.png"));
  EXPECT_TRUE(groups({"--label", "exact"}).empty());
  EXPECT_EQ(tessera({"undo"}).exit_code, 0);
  EXPECT_TRUE(std::filesystem::exists(photo(0)));

  // The kept file has gone since the list was made: nothing may go in its place.
  std::filesystem::remove(photos() / "sub" / "p0.png");
  EXPECT_EQ(tessera(trash).exit_code, 1);
  EXPECT_TRUE(std::filesystem::exists(photo(0)));
}

TEST_F(Dup, AVerdictKeepsAPairAwayUntilItIsForgotten) {
  const Outcome ruled_out = tessera({"dup", "--not", photo(2).string(), (photos() / "p2-cut.png").string()});
  EXPECT_EQ(ruled_out.exit_code, 0) << ruled_out.err;
  EXPECT_THAT(ruled_out.err, HasSubstr("1 pair will not be shown again"));
  EXPECT_EQ(groups({}).size(), 2U);
  std::filesystem::rename(photo(2), photos() / "sub" / "moved.png");
  ASSERT_EQ(tessera({"index", photos().string()}).exit_code, 0);
  EXPECT_EQ(groups({}).size(), 2U);
  EXPECT_EQ(tessera({"dup", "--forget", (photos() / "sub" / "moved.png").string(), (photos() / "p2-cut.png").string()})
                .exit_code,
            0);
  EXPECT_EQ(groups({}).size(), 3U);
}

}  // namespace
}  // namespace tessera::cli
