// The walk: excludes, links and their loops, deep trees, odd entries, and what it concludes about known files.
#include "ingest/walk.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "../catalog/library_fixture.h"

namespace tessera::ingest {
namespace {

using namespace tessera::testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class WalkTest : public ::testing::Test {
 protected:
  void touch(const std::filesystem::path& below) { write_text(root_ / below, below.string()); }

  // Paths below the root that the walk wants read, in its order.
  std::vector<std::string> walk(const IngestOptions& options = {}) {
    catalog::Catalog catalog(dir_ / "catalog.sqlite", catalog::Database::Access::kCreate);
    WalkCounters counters;
    Walk walk(catalog, options, dir_ / "library", counters);
    std::vector<std::string> found;
    const std::vector<std::string> roots{root_.string()};
    const auto sink = [&](WalkItem&& item) {
      EXPECT_EQ(item.sequence, static_cast<std::int64_t>(found.size()));
      found.push_back(item.path.substr(root_.string().size() + 1));
      return true;
    };
    findings_ = walk.run(roots, sink, {});
    EXPECT_EQ(counters.seen, static_cast<std::int64_t>(found.size()));
    return found;
  }

  TempDir dir_;
  const std::filesystem::path root_ = dir_ / "photos";
  WalkFindings findings_;
};

TEST_F(WalkTest, FindsImagesInOrderAndLeavesTheRestOut) {
  for (const char* name :
       {"b.JPG", "a.png", "z/1.webp", "c/2.tif", "c/d/3.gif", "notes.txt", "noextension", ".hid.jpg", ".git/x.jpg",
        "@eaDir/x.jpg", "node_modules/x.jpg", ".Trash-1000/x.jpg", "$RECYCLE.BIN/x.jpg"}) {
    touch(name);
  }
  EXPECT_THAT(walk(), ElementsAre("a.png", "b.JPG", "c/2.tif", "c/d/3.gif", "z/1.webp"));
  IngestOptions options;
  options.exclude = {"*.JPG", "c/d"};
  EXPECT_THAT(walk(options), ElementsAre("a.png", "c/2.tif", "z/1.webp"));
  EXPECT_TRUE(findings_.complete);
}

TEST_F(WalkTest, LinksAreFollowedOnlyOnRequestAndLoopsEnd) {
  touch("a/1.png");
  touch("b/2.png");
  std::filesystem::create_directory_symlink(root_, root_ / "a" / "loop");
  std::filesystem::create_directory_symlink("../b", root_ / "a" / "to_b");
  std::filesystem::create_directory_symlink("self", root_ / "self");
  std::filesystem::create_symlink("a/1.png", root_ / "link.png");
  std::filesystem::create_symlink("nowhere.png", root_ / "broken.png");
  EXPECT_THAT(walk(), ElementsAre("a/1.png", "b/2.png"));
  EXPECT_THAT(findings_.failures, IsEmpty());
  IngestOptions follow;
  follow.follow_symlinks = true;
  EXPECT_THAT(walk(follow), ElementsAre("link.png", "a/1.png", "a/to_b/2.png"));
  ASSERT_THAT(findings_.failures, SizeIs(1));
  EXPECT_EQ(findings_.failures[0].path, root_ / "broken.png");
}

TEST_F(WalkTest, TheRootItselfMayBeALink) {
  write_text(dir_ / "real" / "1.png", "x");
  std::filesystem::create_directory_symlink(dir_ / "real", root_);
  EXPECT_THAT(walk(), ElementsAre("1.png"));
}

TEST_F(WalkTest, DeepTreesNeedNoDescriptorPerLevel) {
  std::filesystem::path deep;
  for (int level = 0; level < 300; ++level) deep /= "d";
  touch(deep / "1.png");
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const rlimit few{64, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  EXPECT_THAT(walk(), SizeIs(1));
  ::setrlimit(RLIMIT_NOFILE, &before);
}

TEST_F(WalkTest, PipesAndFoldersAreNoPicturesWhateverTheirNames) {
  touch("real.png");
  std::filesystem::create_directory(root_ / "folder.png");
  ASSERT_EQ(::mkfifo((root_ / "pipe.png").c_str(), 0644), 0);
  EXPECT_THAT(walk(), ElementsAre("real.png"));
}

TEST_F(WalkTest, StopsWhenTheSinkSaysSo) {
  for (int i = 0; i < 10; ++i) touch(std::to_string(i) + ".png");
  catalog::Catalog catalog(dir_ / "catalog.sqlite", catalog::Database::Access::kCreate);
  const IngestOptions options;
  WalkCounters counters;
  Walk walk(catalog, options, dir_ / "library", counters);
  int taken = 0;
  const std::vector<std::string> roots{root_.string()};
  const WalkFindings findings = walk.run(roots, [&](WalkItem&&) { return ++taken < 3; }, {});
  EXPECT_EQ(taken, 3);
  EXPECT_FALSE(findings.complete);
  EXPECT_THAT(findings.walked_roots, IsEmpty());
}

TEST_F(WalkTest, ExcludedKnownFilesAreNotConcludedMissing) {
  write_picture(root_ / "a" / "1.png", 1);
  write_picture(root_ / "b" / "2.png", 2);
  write_picture(root_ / "3.png", 3);
  FakeEncoder encoder;
  Library library = Library::open(dir_ / "library", OpenMode::kCreate);
  index(library, {root_}, encoder);
  IngestOptions options;
  options.exclude = {"a", "3.png"};
  const IngestReport report = index(library, {root_}, encoder, options);
  EXPECT_EQ(report.missing, 0);
  EXPECT_EQ(report.unchanged, 1);
  EXPECT_EQ(library.stats().missing_files, 0);
}

TEST_F(WalkTest, AKnownFileIsLookedAtWhateverItsName) {
  write_picture(root_ / "x.png", 1);
  std::filesystem::rename(root_ / "x.png", root_ / "x.picture");
  FakeEncoder encoder;
  Library library = Library::open(dir_ / "library", OpenMode::kCreate);
  EXPECT_EQ(index(library, {root_ / "x.picture"}, encoder).encoded, 1);
  const IngestReport report = index(library, {root_}, encoder);
  EXPECT_EQ(report.unchanged, 1);
  EXPECT_EQ(report.missing, 0);
  std::filesystem::remove(root_ / "x.picture");
  EXPECT_EQ(index(library, {root_}, encoder).missing, 1);
}

}  // namespace
}  // namespace tessera::ingest
