// pick, outliers and cluster on a real library, as a shell sees them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "format.h"
#include "run_tessera.h"

namespace tessera::cli {
namespace {

using testing::disc_picture;
using ::testing::HasSubstr;
using testing::Outcome;
using testing::run_tessera;
using testing::TemporaryFolder;

constexpr int kScenes = 4;
constexpr int kViews = 3;  // of each scene: the same discs in other sizes

// Four scenes of three views each, every scene in a folder of its own.
class Analysis : public ::testing::Test {
 protected:
  void SetUp() override {
    for (int scene = 0; scene < kScenes; ++scene) {
      std::filesystem::create_directories(photo(scene, 0).parent_path());
      for (int view = 0; view < kViews; ++view) {
        const Image picture = disc_picture(160, 128, static_cast<unsigned>(100 + 31 * scene));
        write_image(photo(scene, view), crop_image(picture, view, view, 150, 120));
      }
    }
    const Outcome indexed = tessera({"index", photos().string(), "--resize", "square:128", "--tokens", "4"});
    ASSERT_EQ(indexed.exit_code, 0) << indexed.err;
  }

  std::filesystem::path photos() const { return folder_ / "photos"; }
  std::filesystem::path photo(int scene, int view) const {
    return photos() / ("scene" + std::to_string(scene)) / ("view" + std::to_string(view) + ".png");
  }
  Outcome tessera(const std::vector<std::string>& arguments) const {
    return run_tessera(arguments, {folder_.path(), {{"TESSERA_LIBRARY", (folder_ / "lib").string()}}, -1});
  }
  Json tessera_json(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--format", "json"});
    return Json::parse(tessera(arguments).out);
  }
  static std::string scene_of(const Json& picture) {
    return std::filesystem::path(picture["path"].get<std::string>()).parent_path().filename();
  }

  TemporaryFolder folder_;
};

TEST_F(Analysis, ADiversePickHasOnePictureOfEachScene) {
  for (const std::string method : {"farthest", "facility"}) {
    const Json picked = tessera_json({"pick", "--diverse", "4", "--method", method});
    std::set<std::string> scenes;
    for (const Json& picture : picked) scenes.insert(scene_of(picture));
    EXPECT_EQ(scenes.size(), 4U) << method;
    EXPECT_TRUE(picked[0]["nearest"].is_null());
    EXPECT_LT(picked[1]["nearest"], 1.0);
    EXPECT_EQ(picked[3]["rank"], 4);
  }
  const Json rest = tessera_json({"pick", "--diverse", "3", "--keep", photo(2, 1).string()});
  ASSERT_EQ(rest.size(), 3U);
  for (const Json& picture : rest) EXPECT_NE(scene_of(picture), "scene2");
  const Json under = tessera_json({"pick", "--diverse", "50", "--under", (photos() / "scene1").string()});
  EXPECT_EQ(under.size(), std::size_t(kViews));
}

TEST_F(Analysis, ConditionsNarrowTheSet) {
  EXPECT_EQ(tessera({"collect", "new", "two scenes"}).exit_code, 0);
  EXPECT_EQ(tessera({"collect", "add", "two scenes", "--under", (photos() / "scene1").string(), "--under",
                     (photos() / "scene2").string()})
                .exit_code,
            0);
  EXPECT_EQ(tessera({"rate", "4", photo(1, 0).string(), photo(3, 0).string()}).exit_code, 0);
  const Json picked = tessera_json({"pick", "--diverse", "50", "--collection", "two scenes"});
  EXPECT_EQ(picked.size(), std::size_t(2 * kViews));
  for (const Json& picture : picked) EXPECT_TRUE(scene_of(picture) == "scene1" || scene_of(picture) == "scene2");
  EXPECT_EQ(tessera_json({"pick", "--diverse", "50", "--collection", "two scenes", "--rating", "4"}).size(), 1U);
  EXPECT_EQ(
      tessera_json({"pick", "--diverse", "50", "--under", (photos() / "scene3").string(), "--rating", "4"}).size(), 1U);
  EXPECT_EQ(tessera_json({"outliers", "-n", "50", "--collection", "two scenes"}).size(), std::size_t(2 * kViews));
  const Json clusters = tessera_json({"cluster", "-n", "2", "--collection", "two scenes"});
  ASSERT_EQ(clusters.size(), 2U);
  EXPECT_EQ(clusters[0]["size"].get<int>() + clusters[1]["size"].get<int>(), 2 * kViews);
  EXPECT_EQ(tessera({"outliers", "--collection", "nothing"}).exit_code, 1);
  EXPECT_EQ(tessera({"outliers", "--rating", "5"}).exit_code, 1);
}

TEST_F(Analysis, PickLikeFindsTheOtherViewsOfAScene) {
  const Json like = tessera_json({"pick", photo(3, 0).string(), photo(3, 1).string(), "--like", "1"});
  ASSERT_EQ(like.size(), 1U);
  EXPECT_EQ(like[0]["path"], photo(3, 2).string());
  EXPECT_EQ(like[0].count("fits"), 1U);
  EXPECT_TRUE(like[0]["by_chance"].is_null());  // too few to tell
  EXPECT_EQ(tessera({"pick", "--like", "3"}).exit_code, 2);
  EXPECT_EQ(tessera({"pick"}).exit_code, 2);
  EXPECT_EQ(tessera({"pick", "--like", "3", "--diverse", "3"}).exit_code, 2);
  EXPECT_EQ(tessera({"pick", "--diverse", "3", "--method", "best"}).exit_code, 2);
}

TEST_F(Analysis, OutliersAreThePicturesOfAnotherScene) {
  const Json odd = tessera_json(
      {"outliers", "-n", "1", "--neighbours", "2", "--under", (photos() / "scene0").string(), photo(1, 0).string()});
  ASSERT_EQ(odd.size(), 1U);
  EXPECT_EQ(odd[0]["path"], photo(1, 0).string());
  const Outcome csv = tessera({"outliers", "-n", "2", "--format", "csv"});
  EXPECT_THAT(csv.out, ::testing::StartsWith("rank,id,similarity,by_chance,width,height,format,state,path\r\n1,"));
  const Outcome table = tessera({"outliers", "-n", "2"});
  EXPECT_THAT(table.out, HasSubstr("photos/scene"));
  EXPECT_THAT(table.err, HasSubstr("2 pictures of 12"));
  EXPECT_EQ(tessera({"outliers", "nowhere.jpg"}).exit_code, 1);
}

TEST_F(Analysis, ClustersAreTheScenes) {
  for (const std::string method : {"kmeans", "average", "complete"}) {
    const Json clusters = tessera_json({"cluster", "-n", "4", "--members", "--method", method});
    ASSERT_EQ(clusters.size(), 4U) << method;
    for (const Json& cluster : clusters) {
      EXPECT_EQ(cluster["size"], kViews);
      ASSERT_EQ(cluster["members"].size(), std::size_t(kViews));
      for (const Json& member : cluster["members"]) {
        EXPECT_EQ(scene_of(member), scene_of(cluster["members"][0]));
      }
    }
  }
  const Outcome found = tessera({"cluster", "--format", "jsonl"});
  EXPECT_EQ(std::count(found.out.begin(), found.out.end(), '\n'), kScenes);
  EXPECT_THAT(found.err, HasSubstr("4 clusters of 12 pictures"));
  const Outcome paths = tessera({"cluster", "-n", "4", "--members", "--format", "paths"});
  EXPECT_EQ(std::count(paths.out.begin(), paths.out.end(), '\n'), kScenes * kViews);
}

TEST_F(Analysis, ContactSheetsShowWhatWasFound) {
  const Outcome page = tessera({"cluster", "--sheet", "groups.html"});
  EXPECT_EQ(page.exit_code, 0) << page.err;
  EXPECT_TRUE(std::filesystem::exists(folder_ / "groups.html"));
  const Outcome sheet = tessera({"outliers", "-n", "3", "--sheet", "odd.png"});
  EXPECT_EQ(sheet.exit_code, 0) << sheet.err;
  EXPECT_GT(load_image(folder_ / "odd.png").width, 500);
  EXPECT_EQ(tessera({"pick", "--diverse", "2", "--sheet", "pick.txt"}).exit_code, 2);
}

}  // namespace
}  // namespace tessera::cli
