// Trash, restore, copy, move and link: what happens on disk, in the catalog and in the journal, also after a kill.
#include "tessera/indexer/file_actions.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <random>
#include <sstream>

#include "catalog/sqlite.h"
#include "curation_fixture.h"

namespace tessera {
namespace {

using namespace tessera::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Path = std::filesystem::path;

std::string text_of(const Path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

class FileActionsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::setenv("XDG_DATA_HOME", (dir_ / "data").c_str(), 1), 0);
    for (unsigned i = 0; i < 6; ++i) write_picture(photo(i), i);
    std::filesystem::copy_file(photo(0), dir_ / "photos" / "copy of 0.png");
    Library library = Library::open(dir_ / "library", OpenMode::kCreate);
    FakeEncoder encoder;
    index(library, {dir_ / "photos"}, encoder);
  }
  void TearDown() override { ::unsetenv("XDG_DATA_HOME"); }

  Path photo(unsigned i) const { return dir_ / "photos" / (std::to_string(i) + ".png"); }
  Path trash() const { return dir_ / "data" / "Trash"; }
  Curation open() const { return Curation::open(dir_ / "library", OpenMode::kWrite); }
  Library library() const { return Library::open(dir_ / "library", OpenMode::kRead); }
  FileRecord file_of(const Path& path) const {
    const Library reader = library();
    const auto id = reader.find_path(path);
    if (!id) return {};
    for (const FileRecord& file : reader.image(*id).files) {
      if (file.path == path) return file;
    }
    return {};
  }
  ContentHash hash_of(const Path& path) const { return hash_content(read_file(path)); }

  TempDir dir_;
};

TEST_F(FileActionsTest, TrashAndUndoAfterARestart) {
  const std::string bytes = text_of(photo(1));
  const ContentHash hash = hash_of(photo(1));
  {
    Curation curation = open();
    curation.set_marks(std::array{hash}, {.rating = 4});
    const ActionReport report = FileActions(curation).trash(std::array{photo(1), photo(2), dir_ / "photos" / "none"});
    EXPECT_EQ(report.done, 2);
    ASSERT_THAT(report.failed, SizeIs(1));
    EXPECT_EQ(report.failed[0].code, ErrorCode::kNotFound);
    EXPECT_THAT(report.results, ElementsAre(trash() / "files" / "1.png", trash() / "files" / "2.png"));
  }
  EXPECT_FALSE(std::filesystem::exists(photo(1)));
  EXPECT_EQ(text_of(trash() / "files" / "1.png"), bytes);
  const std::string info = text_of(trash() / "info" / "1.png.trashinfo");
  EXPECT_THAT(info, ::testing::StartsWith("[Trash Info]\nPath=" + photo(1).string() + "\nDeletionDate=20"));
  struct stat status {};
  ASSERT_EQ(::stat(trash().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
  EXPECT_EQ(file_of(photo(1)).state, FileState::kMissing);
  EXPECT_TRUE(file_of(photo(1)).trashed);
  EXPECT_THAT(library().matching({}), SizeIs(4));
  FakeEncoder encoder;
  {
    Library writer = Library::open(dir_ / "library", OpenMode::kWrite);
    index(writer, {dir_ / "photos"}, encoder);
  }
  EXPECT_TRUE(file_of(photo(1)).trashed);

  Curation curation = open();
  ASSERT_THAT(FileActions(curation).trashed(), SizeIs(2));
  EXPECT_EQ(curation.next_undo()->title, "moved to the trash: 2 files");
  const auto undone = curation.undo();
  ASSERT_TRUE(undone);
  EXPECT_THAT(undone->problems, IsEmpty());
  EXPECT_EQ(text_of(photo(1)), bytes);
  EXPECT_TRUE(std::filesystem::is_empty(trash() / "files"));
  EXPECT_TRUE(std::filesystem::is_empty(trash() / "info"));
  EXPECT_EQ(file_of(photo(1)).state, FileState::kPresent);
  EXPECT_THAT(library().matching({}), SizeIs(6));
  EXPECT_EQ(curation.marks(hash).rating, 4);
  {
    Library writer = Library::open(dir_ / "library", OpenMode::kWrite);
    const IngestReport again = index(writer, {dir_ / "photos"}, encoder);
    EXPECT_EQ(again.encoded, 0);
    EXPECT_EQ(again.unchanged, again.files_seen) << "the catalog knows the file as it is after it came back";
  }
  ASSERT_TRUE(curation.redo());
  EXPECT_FALSE(std::filesystem::exists(photo(1)));
  EXPECT_TRUE(file_of(photo(1)).trashed);
  ASSERT_TRUE(curation.undo());
  ASSERT_TRUE(curation.undo());
  EXPECT_EQ(curation.marks(hash), Marks{});
}

TEST_F(FileActionsTest, ASidecarGoesAndComesBackWithItsPhoto) {
  const Path by_name = photo(1).string() + ".xmp";
  const Path by_stem = Path(photo(2)).replace_extension(".xmp");
  const Path shared = Path(photo(3)).replace_extension(".xmp");
  write_text(by_name, "one");
  write_text(by_stem, "two");
  write_text(shared, "three");
  write_text(Path(photo(3)).replace_extension(".raw"), "another file that the sidecar describes");
  Curation curation = open();
  FileActions actions(curation);
  const ActionReport report = actions.trash(std::array{photo(1), photo(2), photo(3)});
  EXPECT_EQ(report.done, 3);
  EXPECT_THAT(report.failed, IsEmpty());
  EXPECT_THAT(report.results, SizeIs(3));
  EXPECT_EQ(curation.next_undo()->title, "moved to the trash: 3 files");
  EXPECT_FALSE(std::filesystem::exists(by_name));
  EXPECT_FALSE(std::filesystem::exists(by_stem));
  EXPECT_TRUE(std::filesystem::exists(shared));
  EXPECT_EQ(text_of(trash() / "files" / "1.png.xmp"), "one");

  ASSERT_TRUE(curation.undo());
  EXPECT_EQ(text_of(by_name), "one");
  EXPECT_EQ(text_of(by_stem), "two");
  EXPECT_TRUE(std::filesystem::is_empty(trash() / "info"));
  ASSERT_TRUE(curation.redo());
  EXPECT_FALSE(std::filesystem::exists(by_name));

  const auto trashed = actions.trashed();
  ASSERT_THAT(trashed, SizeIs(3));
  const auto one =
      std::find_if(trashed.begin(), trashed.end(), [&](const TrashedFile& f) { return f.path == photo(1); });
  const ActionReport back = actions.restore(std::array{one->id});
  EXPECT_EQ(back.done, 1);
  EXPECT_EQ(text_of(by_name), "one");
  EXPECT_FALSE(std::filesystem::exists(by_stem));
  ASSERT_TRUE(curation.undo());
  EXPECT_FALSE(std::filesystem::exists(by_name));
  EXPECT_FALSE(std::filesystem::exists(photo(1)));
}

TEST_F(FileActionsTest, NamesInTheTrashAndInInfosAreSafe) {
  const Path odd = dir_ / "photos" / "sub" / "100% \xC3\xB6 \xff\n.png";
  write_picture(odd, 50);
  for (unsigned i = 0; i < 3; ++i) write_picture(dir_ / "photos" / ("f" + std::to_string(i)) / "same.png", 60 + i);
  Curation curation = open();
  FileActions actions(curation);
  ASSERT_EQ(actions.trash(std::array{odd}).done, 1);
  const std::string name = "100% \xC3\xB6 \xff\n.png";
  EXPECT_TRUE(std::filesystem::exists(trash() / "files" / name));
  EXPECT_THAT(text_of(trash() / "info" / (name + ".trashinfo")), HasSubstr("/sub/100%25%20%C3%B6%20%FF%0A.png\n"));
  ASSERT_EQ(actions.trash(std::array{dir_ / "photos" / "f0" / "same.png", dir_ / "photos" / "f1" / "same.png"}).done,
            2);
  write_text(trash() / "files" / "same 3.png", "left by another program without an info");
  const ActionReport third = actions.trash(std::array{dir_ / "photos" / "f2" / "same.png"});
  EXPECT_THAT(third.results, ElementsAre(trash() / "files" / "same 4.png"));
  EXPECT_TRUE(std::filesystem::exists(trash() / "files" / "same.png"));
  EXPECT_TRUE(std::filesystem::exists(trash() / "files" / "same 2.png"));
  while (curation.undo()) {
  }
  EXPECT_TRUE(std::filesystem::exists(odd));
  EXPECT_EQ(hash_of(dir_ / "photos" / "f1" / "same.png").bytes,
            std::filesystem::file_size(dir_ / "photos" / "f1" / "same.png"));
  EXPECT_EQ(text_of(trash() / "files" / "same 3.png"), "left by another program without an info");
}

TEST_F(FileActionsTest, AFileSystemOfItsOwnHasItsOwnTrash) {
  struct stat here {
  }, above{}, memory{};
  if (::access("/dev/shm", W_OK) != 0 || ::stat("/dev/shm", &memory) != 0) GTEST_SKIP() << "no second file system";
  ASSERT_EQ(::stat("/dev", &above), 0);
  ASSERT_EQ(::stat(dir_.path().c_str(), &here), 0);
  if (here.st_dev == memory.st_dev || above.st_dev == memory.st_dev) GTEST_SKIP() << "/dev/shm is no file system";
  TempDir other("/dev/shm");
  write_picture(other / "a b.png", 9);
  Curation curation = open();
  FileActions actions(curation);
  const ActionReport report = actions.trash(std::array{other / "a b.png"});
  ASSERT_EQ(report.done, 1) << report.failed[0].reason;
  const Path place = report.results[0];
  EXPECT_EQ(place.parent_path(), Path("/dev/shm") / (".Trash-" + std::to_string(::getuid())) / "files");
  const Path info = place.parent_path().parent_path() / "info" / (place.filename().string() + ".trashinfo");
  EXPECT_THAT(text_of(info), HasSubstr("Path=" + other.path().filename().string() + "/a%20b.png\n"));
  ASSERT_TRUE(curation.undo());
  EXPECT_TRUE(std::filesystem::exists(other / "a b.png"));
  EXPECT_FALSE(std::filesystem::exists(info));

  // And a move from one to the other.
  const ContentHash hash = hash_of(photo(3));
  ASSERT_EQ(actions.transfer(std::array{photo(3)}, other / "target", Transfer::kMove).done, 1);
  EXPECT_FALSE(std::filesystem::exists(photo(3)));
  EXPECT_EQ(hash_of(other / "target" / "3.png"), hash);
  EXPECT_EQ(file_of(other / "target" / "3.png").state, FileState::kPresent);
  ASSERT_TRUE(curation.undo());
  EXPECT_EQ(hash_of(photo(3)), hash);
  EXPECT_EQ(file_of(photo(3)).state, FileState::kPresent);
}

TEST_F(FileActionsTest, TheLastFileOfAPictureNeverGoesAsADuplicate) {
  Curation curation = open();
  FileActions actions(curation);
  const Path copy = dir_ / "photos" / "copy of 0.png";
  const ContentHash zero = hash_of(photo(0));
  // Both files of one content at once.
  ActionReport report = actions.trash_duplicates(std::array{DuplicateFile{photo(0), zero}, DuplicateFile{copy, zero}});
  EXPECT_EQ(report.done, 0);
  EXPECT_THAT(report.failed, SizeIs(2));
  EXPECT_EQ(report.entry, 0);
  // A near copy for a picture whose only file goes as well.
  report = actions.trash_duplicates(
      std::array{DuplicateFile{photo(1), hash_of(photo(2))}, DuplicateFile{photo(2), hash_of(photo(3))}});
  EXPECT_THAT(report.results, SizeIs(1));
  EXPECT_FALSE(std::filesystem::exists(photo(2)));
  EXPECT_TRUE(std::filesystem::exists(photo(1))) << "what stands for it was going too";
  curation.undo();
  // The survivor has changed on disk, is gone, or is the same file by another name.
  write_text(copy, "changed");
  report = actions.trash_duplicates(std::array{DuplicateFile{photo(0), zero}});
  ASSERT_THAT(report.failed, SizeIs(1));
  EXPECT_THAT(report.failed[0].reason, HasSubstr("has changed since"));
  std::filesystem::remove(copy);
  EXPECT_EQ(actions.trash_duplicates(std::array{DuplicateFile{photo(0), zero}}).done, 0);
  std::filesystem::create_hard_link(photo(0), copy);
  EXPECT_EQ(actions.trash_duplicates(std::array{DuplicateFile{photo(0), zero}}).done, 0);
  std::filesystem::remove(copy);
  std::filesystem::copy_file(photo(0), copy);
  // The file itself has changed since it was judged.
  const auto time = std::filesystem::last_write_time(photo(0));
  std::filesystem::last_write_time(photo(0), time + std::chrono::seconds(5));
  EXPECT_EQ(actions.trash_duplicates(std::array{DuplicateFile{photo(0), zero}}).done, 0);
  std::filesystem::last_write_time(photo(0), time);
  report = actions.trash_duplicates(std::array{DuplicateFile{photo(0), zero}});
  EXPECT_EQ(report.done, 1);
  EXPECT_TRUE(std::filesystem::exists(copy));
  EXPECT_EQ(actions.trash_duplicates(std::array{DuplicateFile{copy, zero}}).done, 0);
}

TEST_F(FileActionsTest, RestoreDoesNotReplace) {
  Curation curation = open();
  FileActions actions(curation);
  actions.trash(std::array{photo(1), photo(2)});
  write_text(photo(1), "another file");
  const auto in_trash = actions.trashed();
  ASSERT_THAT(in_trash, SizeIs(2));
  ActionReport report = actions.restore(std::array{in_trash[0].id, in_trash[1].id, std::int64_t{99}});
  EXPECT_EQ(report.done, 1);
  EXPECT_THAT(report.failed, SizeIs(2));
  EXPECT_EQ(text_of(photo(1)), "another file");
  EXPECT_TRUE(std::filesystem::exists(photo(2)));
  ASSERT_TRUE(curation.undo());
  EXPECT_FALSE(std::filesystem::exists(photo(2)));
  EXPECT_TRUE(file_of(photo(2)).trashed);
  const auto undone = curation.undo();
  ASSERT_TRUE(undone);
  EXPECT_THAT(undone->problems, ElementsAre(HasSubstr("is there already")));
  EXPECT_EQ(text_of(photo(1)), "another file");
  EXPECT_TRUE(std::filesystem::exists(photo(2)));
  ASSERT_THAT(actions.trashed(), SizeIs(1));
  EXPECT_TRUE(actions.trashed()[0].in_place);
}

TEST_F(FileActionsTest, TransfersPickFreeNamesAndAreTakenBack) {
  Curation curation = open();
  FileActions actions(curation);
  const Path target = dir_ / "picks" / "new";
  write_text(target / "1.png", "there before");
  const auto time = std::filesystem::last_write_time(photo(1));
  ActionReport report = actions.transfer(std::array{photo(1), photo(2)}, target, Transfer::kCopy);
  EXPECT_THAT(report.results, ElementsAre(target / "1 2.png", target / "2.png"));
  EXPECT_EQ(text_of(target / "1.png"), "there before");
  EXPECT_EQ(text_of(target / "1 2.png"), text_of(photo(1)));
  EXPECT_EQ(std::filesystem::last_write_time(target / "1 2.png"), time);
  report = actions.transfer(std::array{photo(4)}, target, Transfer::kSymlink);
  EXPECT_EQ(std::filesystem::read_symlink(target / "4.png"), photo(4));
  report = actions.transfer(std::array{photo(5)}, target, Transfer::kMove);
  EXPECT_EQ(file_of(target / "5.png").state, FileState::kPresent);
  EXPECT_TRUE(file_of(photo(5)).path.empty());
  EXPECT_THAT(actions.transfer(std::array{target / "5.png"}, target, Transfer::kMove).failed, SizeIs(1));
  EXPECT_THAT(actions.transfer(std::array{dir_ / "photos"}, target, Transfer::kCopy).failed, SizeIs(1));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(curation.undo());
  EXPECT_EQ(file_of(photo(5)).state, FileState::kPresent);
  std::vector<Path> left;
  for (const auto& entry : std::filesystem::directory_iterator(target)) left.push_back(entry.path());
  EXPECT_THAT(left, ElementsAre(target / "1.png"));
  EXPECT_TRUE(std::filesystem::exists(trash() / "files" / "1 2.png")) << "also a copy is not deleted";
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(curation.redo());
  EXPECT_EQ(text_of(target / "2.png"), text_of(photo(2)));
  EXPECT_EQ(file_of(target / "5.png").state, FileState::kPresent);
}

TEST_F(FileActionsTest, KilledAnywhereNothingIsLost) {
  std::map<Path, ContentHash> content;
  for (unsigned i = 10; i < 60; ++i) {
    write_picture(photo(i), i);
    content[photo(i)] = hash_of(photo(i));
  }
  {
    Library writer = Library::open(dir_ / "library", OpenMode::kWrite);
    FakeEncoder encoder;
    index(writer, {dir_ / "photos"}, encoder);
  }
  std::vector<Path> files;
  for (const auto& [path, hash] : content) files.push_back(path);
  // How long the child works on one round, on this machine and with these compiler options.
  const auto start = std::chrono::steady_clock::now();
  {
    Curation curation = open();
    FileActions(curation).trash(files);
    curation.undo();
  }
  const auto round = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start);
  std::uniform_int_distribution<useconds_t> moment(0, static_cast<useconds_t>(round.count()));
  std::mt19937 random(3);
  int in_between = 0;
  for (int kill = 0; kill < 30; ++kill) {
    // Every third time the child dies by its own hand after some file; else at a moment that nobody chose.
    const std::int64_t last = kill % 3 == 2 ? 1 + static_cast<std::int64_t>(random() % 49) : 0;
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      try {
        Curation curation = open();
        if (::write(ready[1], "r", 1) != 1) ::_exit(2);
        for (;;) {
          FileActions(curation).trash(files, [last](std::int64_t done, std::int64_t) {
            if (done == last) ::kill(::getpid(), SIGKILL);
          });
          curation.undo();
        }
      } catch (const std::exception& error) {
        std::fprintf(stderr, "child: %s\n", error.what());
      }
      ::_exit(1);
    }
    char byte = 0;
    ASSERT_EQ(::read(ready[0], &byte, 1), 1);
    ::close(ready[0]);
    ::close(ready[1]);
    if (last == 0) {
      ::usleep(moment(random));
      ::kill(child, SIGKILL);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));

    Curation curation = open();  // reconciles
    FileActions actions(curation);
    std::set<Path> in_trash;
    for (const TrashedFile& file : actions.trashed()) {
      ASSERT_TRUE(file.in_place);
      ASSERT_EQ(hash_of(file.place), content.at(file.path));
      in_trash.insert(file.path);
    }
    in_between += !in_trash.empty() && in_trash.size() < files.size();
    for (const auto& [path, hash] : content) {
      ASSERT_NE(std::filesystem::exists(path), in_trash.contains(path)) << "kill " << kill << " " << path;
      ASSERT_EQ(file_of(path).trashed, in_trash.contains(path));
    }
    for (const JournalEntry& entry : curation.journal(10'000)) ASSERT_NE(entry.state, EntryState::kRunning);
    std::vector<std::int64_t> ids;
    for (const TrashedFile& file : actions.trashed()) ids.push_back(file.id);
    if (random() % 2 == 0) {
      ASSERT_EQ(actions.restore(ids).done, static_cast<std::int64_t>(ids.size()));
    } else if (!ids.empty()) {
      ASSERT_TRUE(curation.undo());
    }
    for (const auto& [path, hash] : content) ASSERT_EQ(hash_of(path), hash);
  }
  EXPECT_GE(in_between, 10);
}

}  // namespace
}  // namespace tessera
