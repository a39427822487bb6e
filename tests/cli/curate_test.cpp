// Marks, tags, collections, the trash and undo as a shell sees them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include "format.h"
#include "run_tessera.h"

namespace tessera::cli {
namespace {

using testing::disc_picture;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Outcome;
using testing::run_tessera;
using testing::Surroundings;
using testing::TemporaryFolder;

class CurateCommands : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(folder_ / "photos");
    for (int i = 0; i < 5; ++i) write_image(photo(i), disc_picture(96, 96 + 16 * i, static_cast<unsigned>(i)));
    ASSERT_EQ(
        tessera({"index", (folder_ / "photos").string(), "--resize", "square:64", "--tokens", "4", "-q"}).exit_code, 0);
  }

  std::filesystem::path photo(int i) const { return folder_ / "photos" / ("p" + std::to_string(i) + ".png"); }

  Outcome tessera(const std::vector<std::string>& arguments) const {
    Surroundings surroundings;
    surroundings.variables["TESSERA_LIBRARY"] = (folder_ / "lib").string();
    surroundings.variables["XDG_DATA_HOME"] = (folder_ / "data").string();
    surroundings.folder = folder_.path();
    return run_tessera(arguments, surroundings);
  }

  std::vector<std::string> listed(std::vector<std::string> conditions) const {
    conditions.insert(conditions.begin(), {"list", "--format", "paths"});
    std::istringstream out(tessera(conditions).out);
    std::vector<std::string> names;
    for (std::string line; std::getline(out, line);) names.push_back(std::filesystem::path(line).filename().string());
    return names;
  }

  TemporaryFolder folder_;
};

TEST_F(CurateCommands, MarksTagsFiltersAndUndo) {
  EXPECT_EQ(tessera({"rate", "4", photo(0).string(), photo(1).string()}).err, "changed 2 pictures\n");
  EXPECT_EQ(tessera({"flag", "pick", "--rating", "4"}).exit_code, 0);
  EXPECT_EQ(tessera({"label", "red", photo(2).string()}).exit_code, 0);
  EXPECT_EQ(tessera({"tag", "--add", "Animals/cat", "--add", "x", photo(1).string(), photo(2).string()}).exit_code, 0);
  EXPECT_THAT(listed({"--rating", "3.."}), ElementsAre("p0.png", "p1.png"));
  EXPECT_THAT(listed({"--flag", "pick", "--tag", "Animals"}), ElementsAre("p1.png"));
  EXPECT_THAT(listed({"--label", "red,blue"}), ElementsAre("p2.png"));
  EXPECT_THAT(listed({"--untagged", "--text", "p3"}), ElementsAre("p3.png"));
  EXPECT_THAT(listed({"--no-tag", "x", "--side", "..112"}), ElementsAre("p0.png"));
  const Json record = Json::parse(tessera({"info", photo(1).string(), "--format", "json"}).out)[0];
  EXPECT_EQ(record["flag"], "pick");
  EXPECT_EQ(record["rating"], 4);
  EXPECT_THAT(tessera({"list", "--tag", "Animals", "--rating", "4", "--format", "csv"}).out,
              HasSubstr(",pick,4,none,Animals/cat|x," + photo(1).string() + "\r\n"));
  EXPECT_EQ(tessera({"export", "-o", "all.jsonl"}).exit_code, 0);
  std::ifstream exported(folder_ / "all.jsonl");
  const std::string lines(std::istreambuf_iterator<char>(exported), {});
  EXPECT_THAT(lines, HasSubstr("\"tags\":[\"Animals/cat\",\"x\"]"));
  EXPECT_EQ(record["label"], "none");
  EXPECT_EQ(record["tags"], Json::array({"Animals/cat", "x"}));
  EXPECT_TRUE(record["taken"].is_null());
  const Json tags = Json::parse(tessera({"tag", "--list", "--format", "json"}).out);
  ASSERT_EQ(tags.size(), 2u);
  EXPECT_EQ(tags[0]["name"], "Animals/cat");
  EXPECT_EQ(tags[0]["pictures"], 2);
  EXPECT_EQ(tessera({"tag", "--rename", "x", "y"}).exit_code, 0);
  EXPECT_THAT(listed({"--tag", "y"}), ElementsAre("p1.png", "p2.png"));

  EXPECT_EQ(tessera({"undo"}).err, "undone: tag 'x' renamed to 'y': 2 pictures\n");
  EXPECT_EQ(tessera({"undo", "-n", "4"}).exit_code, 0);
  EXPECT_TRUE(listed({"--rating", "1.."}).empty());
  EXPECT_EQ(tessera({"undo"}).exit_code, 1);
  EXPECT_EQ(tessera({"redo"}).err, "done again: 4 stars: 2 pictures\n");
  EXPECT_THAT(tessera({"undo", "--list"}).out, HasSubstr("undone     picked: 2 pictures\n"));
}

TEST_F(CurateCommands, NothingIsMeantByNothing) {
  EXPECT_EQ(tessera({"rate", "4"}).exit_code, 2);
  EXPECT_EQ(tessera({"trash"}).exit_code, 2);
  EXPECT_EQ(tessera({"rate", "6", "--all"}).exit_code, 2);
  EXPECT_EQ(tessera({"flag", "maybe", "--all"}).exit_code, 2);
  EXPECT_EQ(tessera({"tag", "--all"}).exit_code, 2);
  EXPECT_EQ(tessera({"list", "--rating", "many"}).exit_code, 2);
  EXPECT_EQ(tessera({"rate", "4", "nowhere.png"}).exit_code, 1);
  EXPECT_EQ(tessera({"collect"}).exit_code, 2);
  EXPECT_EQ(tessera({"rate", "1", "--all"}).err, "changed 5 pictures\n");
}

TEST_F(CurateCommands, Collections) {
  EXPECT_EQ(tessera({"collect", "new", "best"}).exit_code, 0);
  EXPECT_EQ(tessera({"collect", "new", "best"}).exit_code, 2);
  EXPECT_EQ(tessera({"collect", "add", "best", photo(3).string(), photo(1).string()}).exit_code, 0);
  EXPECT_EQ(tessera({"collect", "new", "small", "--side", "..112"}).exit_code, 0);
  EXPECT_EQ(tessera({"collect", "add", "small", photo(3).string()}).exit_code, 2);
  EXPECT_EQ(tessera({"collect", "show", "best", "--format", "paths"}).out,
            photo(3).string() + "\n" + photo(1).string() + "\n");
  EXPECT_THAT(listed({"--collection", "small"}), ElementsAre("p0.png", "p1.png"));
  const Json list = Json::parse(tessera({"collect", "list", "--format", "json"}).out);
  EXPECT_EQ(list[0]["name"], "best");
  EXPECT_EQ(list[0]["pictures"], 2);
  EXPECT_EQ(list[1]["search"], "side ..112\n");
  EXPECT_EQ(tessera({"collect", "remove", "best", photo(3).string()}).exit_code, 0);
  EXPECT_EQ(tessera({"collect", "rename", "best", "the best"}).exit_code, 0);
  EXPECT_THAT(listed({"--collection", "the best"}), ElementsAre("p1.png"));
  EXPECT_EQ(tessera({"collect", "delete", "the best"}).exit_code, 0);
  EXPECT_EQ(tessera({"list", "--collection", "the best"}).exit_code, 1);
  EXPECT_EQ(tessera({"collect", "files", "--to", (folder_ / "out").string(), "--collection", "small"}).err,
            "copied 2 files\n");
  EXPECT_TRUE(std::filesystem::exists(folder_ / "out" / "p1.png"));
  EXPECT_EQ(tessera({"undo"}).exit_code, 0);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out" / "p1.png"));
}

TEST_F(CurateCommands, ASearchIsKeptAndRunAgain) {
  const std::filesystem::path outside = folder_ / "outside.png";
  write_image(outside, disc_picture(120, 96, 77));
  const std::vector<std::string> shared{"search", "--format", "json", "-k", "3", "-q"};
  const auto search = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), shared.begin(), shared.end());
    return tessera(arguments);
  };
  EXPECT_EQ(tessera({"rate", "3", photo(0).string(), photo(1).string(), photo(2).string()}).exit_code, 0);
  const Outcome kept = search({outside.string(), "--not", photo(4).string(), "--tokens", "2", "--rerank-weight", "0.5",
                               "--rating", "3", "--save", "like it"});
  ASSERT_EQ(kept.exit_code, 0) << kept.err;
  const Outcome again = search({"--saved", "like it"});
  ASSERT_EQ(again.exit_code, 0) << again.err;
  const Json first = Json::parse(kept.out), second = Json::parse(again.out);
  ASSERT_EQ(first["hits"].size(), 3u) << kept.out;
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(first["hits"][i]["path"], second["hits"][i]["path"]);
    EXPECT_NEAR(first["hits"][i]["score"].get<double>(), second["hits"][i]["score"].get<double>(), 0.02);
  }
  EXPECT_EQ(second["tokens"], 2);
  EXPECT_EQ(Json::parse(search({"--saved", "like it", "--tokens", "1"}).out)["tokens"], 1);
  EXPECT_EQ(Json::parse(search({"--saved", "like it", "--side", "..112"}).out)["hits"].size(), 2u);

  // The library's picture is known by its content; the other one only by its path.
  std::filesystem::rename(photo(4), folder_ / "photos" / "moved.png");
  EXPECT_EQ(tessera({"index", (folder_ / "photos").string(), "-q"}).exit_code, 0);
  EXPECT_EQ(search({"--saved", "like it"}).exit_code, 0);
  std::filesystem::remove(outside);
  const Outcome gone = search({"--saved", "like it"});
  EXPECT_EQ(gone.exit_code, 1);
  EXPECT_THAT(gone.err, HasSubstr("outside.png"));

  EXPECT_EQ(search({"--saved", "nothing"}).exit_code, 1);
  EXPECT_EQ(tessera({"collect", "new", "small", "--side", "..112"}).exit_code, 0);
  EXPECT_THAT(search({"--saved", "small"}).err, HasSubstr("no search by pictures"));
  EXPECT_EQ(search({photo(0).string(), "--save", "small"}).exit_code, 2) << "the name is taken";
  EXPECT_EQ(search({photo(0).string(), "--saved", "like it"}).exit_code, 2);
  EXPECT_EQ(search({}).exit_code, 2);
  EXPECT_THAT(tessera({"list", "--collection", "like it"}).err, HasSubstr("is a search by pictures"));
  EXPECT_THAT(tessera({"collect", "show", "like it"}).err, HasSubstr("--saved"));
}

TEST_F(CurateCommands, TrashAndRestore) {
  EXPECT_EQ(tessera({"flag", "reject", photo(1).string(), photo(2).string()}).exit_code, 0);
  EXPECT_EQ(tessera({"trash", "--flag", "reject"}).err, "moved to the trash: 2 files\n");
  EXPECT_FALSE(std::filesystem::exists(photo(1)));
  EXPECT_THAT(listed({"--flag", "reject"}), ElementsAre());
  const Json trash = Json::parse(tessera({"trash", "--list", "--format", "json"}).out);
  ASSERT_EQ(trash.size(), 2u);
  EXPECT_EQ(trash[0]["in_place"], true);
  const std::string number = std::to_string(trash[0]["number"].get<int>());
  EXPECT_EQ(tessera({"trash", "--restore", number}).err, "restored 1 file\n");
  EXPECT_EQ(tessera({"trash", "--restore", number}).exit_code, 1);
  EXPECT_EQ(tessera({"undo", "-n", "2"}).exit_code, 0);
  EXPECT_TRUE(std::filesystem::exists(photo(1)));
  EXPECT_TRUE(std::filesystem::exists(photo(2)));
  EXPECT_THAT(listed({"--flag", "reject"}), ElementsAre("p1.png", "p2.png"));
}

}  // namespace
}  // namespace tessera::cli
