// Sets read from folders and label lists, and the hash that names their data.
#include "tessera/indexer/eval_set.h"

#include <gmock/gmock.h>

#include "eval/eval_fixture.h"

namespace tessera::eval {
namespace {

using test::error_of;
using test::TempDir;
using test::write_text;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;

std::vector<std::string> names(const EvalSet& set) {
  std::vector<std::string> result;
  for (const Picture& picture : set.pictures) result.push_back(picture.name);
  return result;
}

TEST(EvalSet, ClassFoldersAreLabels) {
  const TempDir folder;
  for (const char* name : {"dog/b.jpg", "cat/sub/a.PNG", "cat/notes.txt", ".hidden/c.jpg", "dog/.d.jpg"}) {
    write_text(folder / name, "x");
  }
  const EvalSet set = read_class_folders(folder.path());
  EXPECT_THAT(names(set), ElementsAre("cat/sub/a.PNG", "dog/b.jpg"));
  EXPECT_THAT(set.labels, ElementsAre("cat", "dog"));
  EXPECT_EQ(set.pictures[1].label, 1);
  EXPECT_EQ(set.path(1), folder / "dog/b.jpg");
  EXPECT_THAT(names(read_folder(folder.path())), ElementsAre("cat/sub/a.PNG", "dog/b.jpg"));

  write_text(folder / "loose.jpg", "x");
  EXPECT_THAT(error_of([&] { read_class_folders(folder.path()); }, ErrorCode::kUnsupported),
              HasSubstr("loose.jpg lies in no class folder"));
  error_of([&] { read_class_folders(folder / "none"); }, ErrorCode::kNotFound);
}

TEST(EvalSet, LabelListsAreSortedByName) {
  const TempDir folder;
  const auto csv = write_text(folder / "l.csv", "width,group,name\n1,z,b.jpg\n1,a,a.jpg\n1,z,c.jpg\n");
  const EvalSet set = read_label_csv(csv, folder.path());
  EXPECT_THAT(names(set), ElementsAre("a.jpg", "b.jpg", "c.jpg"));
  EXPECT_THAT(set.labels, ElementsAre("a", "z"));
  EXPECT_EQ(set.pictures[2].label, 1);

  const auto problem = [&](const std::string& text) {
    return error_of([&] { read_label_csv(write_text(folder / "bad.csv", text), folder.path()); });
  };
  EXPECT_THAT(problem("name,label\na.jpg,x\na.jpg,y\n"), EndsWith("bad.csv:3: 'a.jpg' is there twice"));
  EXPECT_THAT(problem("name,label\n,x\n"), EndsWith("bad.csv:2: the name is empty"));
  EXPECT_THAT(problem("name,label\na.jpg,\n"), EndsWith("bad.csv:2: 'a.jpg' has no label"));
}

TEST(EvalSet, NamesOfTwoSetsAreMadeToAgree) {
  EvalSet a{"a", {{"1.jpg", 0, {{0, 0, 0, 1, 1}}}}, {"dog"}, {"sofa"}};
  EvalSet b{"b", {{"2.jpg", 1, {{0, 0, 0, 1, 1}}}, {"3.jpg", -1, {}}}, {"cat", "dog"}, {"lamp"}};
  align_names(a, b);
  EXPECT_THAT(a.labels, ElementsAre("cat", "dog"));
  EXPECT_EQ(a.labels, b.labels);
  EXPECT_EQ(a.pictures[0].label, 1);
  EXPECT_EQ(b.pictures[0].label, 1);
  EXPECT_EQ(b.pictures[1].label, -1);
  EXPECT_THAT(b.categories, ElementsAre("lamp", "sofa"));
  EXPECT_EQ(a.pictures[0].boxes[0].category, 1);
  EXPECT_EQ(b.pictures[0].boxes[0].category, 0);
}

TEST(EvalSet, TheHashFollowsNamesLabelsBoxesAndContent) {
  const TempDir folder;
  write_text(folder / "a.jpg", "one");
  const EvalSet set{folder.path(), {{"a.jpg", 0, {{0, 0, 0, 0.5, 1}}}}, {"x"}, {"c"}};
  const std::string hash = data_hash(set);
  EXPECT_EQ(hash.size(), 32u);
  EXPECT_EQ(data_hash(set), hash);
  EvalSet other = set;
  other.labels = {"y"};
  EXPECT_NE(data_hash(other), hash);
  other = set;
  other.pictures[0].boxes[0].width = 0.25;
  EXPECT_NE(data_hash(other), hash);
  other = set;
  other.categories = {"d"};
  EXPECT_NE(data_hash(other), hash);
  write_text(folder / "a.jpg", "two");
  EXPECT_NE(data_hash(set), hash);
  std::filesystem::remove(folder / "a.jpg");
  EXPECT_NE(data_hash(set), hash);
}

}  // namespace
}  // namespace tessera::eval
