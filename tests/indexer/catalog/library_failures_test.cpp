// Library: files, folders and disks that cannot be read or written.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "library_fixture.h"

namespace tessera {
namespace {

using namespace tessera::testing;
using ::testing::Contains;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int kNobody = 65534;

// Runs `checks` in a child; its failed expectations fail the test. Without privileges, since root may read everything.
void in_child(bool drop_privileges, const std::function<void()>& checks) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (drop_privileges && ::geteuid() == 0 &&
        (::setgroups(0, nullptr) != 0 || ::setgid(kNobody) != 0 || ::setuid(kNobody) != 0)) {
      ::_exit(9);
    }
    try {
      checks();
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
    std::fflush(nullptr);
    ::_exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "the child failed, status " << status;
}

class LibraryFailures : public ::testing::Test {
 protected:
  void SetUp() override { ::chmod(dir_.path().c_str(), 0777); }
  void TearDown() override {  // so that it can be removed by whoever runs the test
    for (const auto& path : locked_) ::chmod(path.c_str(), 0777);
  }
  std::filesystem::path photos() const { return dir_ / "photos"; }
  std::filesystem::path library_dir() const { return dir_ / "library"; }
  Library open(OpenMode mode = OpenMode::kCreate) const { return Library::open(library_dir(), mode); }
  void set_mode(const std::filesystem::path& path, mode_t mode) {
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    locked_.push_back(path);
  }
  static void give_to_nobody(const std::filesystem::path& path) {
    if (::geteuid() == 0) {
      ASSERT_EQ(::chown(path.c_str(), kNobody, kNobody), 0);
    }
  }

  TempDir dir_;
  FakeEncoder encoder_;
  std::vector<std::filesystem::path> locked_;
};

TEST_F(LibraryFailures, AFileThatIsNoPictureIsARowWithTheReason) {
  write_picture(photos() / "good.png", 1);
  write_text(photos() / "empty.jpg", "");
  write_text(photos() / "text.jpg", "this is no picture at all");
  std::vector<std::uint8_t> jpeg = encode_jpeg(make_picture(5));
  write_text(photos() / "cut.jpg",
             std::string(jpeg.begin(), jpeg.begin() + static_cast<std::ptrdiff_t>(jpeg.size() / 2)));
  Library library = open();
  const IngestReport report = index(library, {photos()}, encoder_);
  EXPECT_EQ(report.encoded, 1);
  ASSERT_THAT(report.failed, SizeIs(3));
  ListFilter failed;
  failed.failed_only = true;
  const auto rows = list_all(library, failed);
  ASSERT_THAT(rows, SizeIs(3));
  for (const ImageRecord& row : rows) {
    EXPECT_THAT(row.error, HasSubstr(row.files.at(0).path.filename().string()));
    EXPECT_NE(row.error_code, "");
    EXPECT_EQ(row.token_count, 0);
    EXPECT_EQ(row.hash, hash_content(read_file(row.files[0].path)));
  }
  EXPECT_EQ(library.image(*library.find_path(photos() / "cut.jpg")).error_code, "damaged");
  EXPECT_EQ(library.stats().failed, 3);
  EXPECT_THAT(problems_of(library, true), IsEmpty());

  const IngestReport again = index(library, {photos()}, encoder_);
  EXPECT_THAT(again.failed, IsEmpty());
  EXPECT_EQ(again.failed_before, 3);
  EXPECT_EQ(again.decode_seconds, 0);
  IngestOptions retry;
  retry.retry_failed = true;
  EXPECT_THAT(index(library, {photos()}, encoder_, retry).failed, SizeIs(3));
  EXPECT_EQ(list_all(library, failed).at(0).id, rows[0].id);
}

TEST_F(LibraryFailures, ARepairedFileIsEncoded) {
  write_text(photos() / "a.png", "damaged");
  Library library = open();
  index(library, {photos()}, encoder_);
  write_picture(photos() / "a.png", 1);
  const IngestReport report = index(library, {photos()}, encoder_);
  EXPECT_EQ(report.encoded, 1);
  EXPECT_EQ(library.stats().failed, 0);
  EXPECT_EQ(library.stats().images, 1);
}

TEST_F(LibraryFailures, EqualDamagedFilesAllFail) {
  for (int i = 0; i < 5; ++i) write_text(photos() / (std::to_string(i) + ".png"), "damaged");
  Library library = open();
  EXPECT_THAT(index(library, {photos()}, encoder_).failed, SizeIs(5));
  const auto rows = list_all(library);
  ASSERT_THAT(rows, SizeIs(1));
  EXPECT_THAT(rows[0].files, SizeIs(5));
}

TEST_F(LibraryFailures, APictureTooSmallForATokenFails) {
  write_picture(photos() / "small.png", 1, 32, 16);
  write_picture(photos() / "odd.png", 2, 65, 64);
  write_picture(photos() / "right.png", 3, 64, 64);
  LibraryEncoder encoder = library_encoder(encoder_);
  encoder.resize = parse_resize_spec("none");
  Library library = open();
  library.set_encoder(encoder);
  const std::vector roots{photos()};
  const IngestReport report = library.index(roots, {}, encoder_);
  EXPECT_EQ(report.encoded, 1);
  ASSERT_THAT(report.failed, SizeIs(2));
  EXPECT_THAT(library.image(*library.find_path(photos() / "small.png")).error, HasSubstr("too small for a token"));
}

TEST_F(LibraryFailures, TokensThatAreNotNumbersAreAFailureOfTheirFile) {
  class BrokenEncoder : public FakeEncoder {
   public:
    EncodedBatch encode(std::span<const Image> images, int tokens) override {
      EncodedBatch batch = FakeEncoder::encode(images, tokens);
      batch.tokens[0] = NAN;
      return batch;
    }
  } broken;
  for (unsigned i = 0; i < 4; ++i) write_picture(photos() / (std::to_string(i) + ".png"), i);
  Library library = open();
  const IngestReport report = index(library, {photos()}, broken);
  EXPECT_EQ(report.encoded + static_cast<std::int64_t>(report.failed.size()), 4);
  ASSERT_FALSE(report.failed.empty());
  EXPECT_EQ(report.failed[0].code, "bad_model");
  EXPECT_THAT(problems_of(library), IsEmpty());
}

TEST_F(LibraryFailures, AnEncoderThatThrowsLosesNothingDoneBefore) {
  for (unsigned i = 0; i < 20; ++i) write_picture(photos() / (std::to_string(i) + ".png"), i);
  encoder_.on_image = [&](const Image&) {
    if (encoder_.encoded > 10) throw Error(ErrorCode::kInternal, "the encoder broke");
  };
  Library library = open();
  IngestOptions options;
  options.batch = 5;
  EXPECT_EQ(code_of([&] { index(library, {photos()}, encoder_, options); }), ErrorCode::kInternal);
  EXPECT_EQ(library.stats().images, 10);
  encoder_.on_image = nullptr;
  EXPECT_EQ(index(library, {photos()}, encoder_).encoded, 10);
}

TEST_F(LibraryFailures, AFileWithoutPermissionIsARowAndRetriedWhenItHasIt) {
  write_picture(photos() / "locked.png", 1);
  write_picture(photos() / "open.png", 2);
  set_mode(photos() / "locked.png", 0);
  std::filesystem::create_directory(library_dir());
  set_mode(library_dir(), 0777);
  give_to_nobody(photos() / "locked.png");
  in_child(true, [&] {
    Library library = open();
    const IngestReport report = index(library, {photos()}, encoder_);
    EXPECT_EQ(report.encoded, 1);
    ASSERT_THAT(report.failed, SizeIs(1));
    const ImageRecord row = library.image(*library.find_path(photos() / "locked.png"));
    EXPECT_THAT(row.error, HasSubstr("Permission denied"));
    EXPECT_EQ(row.hash, ContentHash{});
    EXPECT_EQ(index(library, {photos()}, encoder_).failed_before, 1);
    EXPECT_EQ(::chmod((photos() / "locked.png").c_str(), 0644), 0);
    EXPECT_EQ(index(library, {photos()}, encoder_).encoded, 1);
    EXPECT_EQ(library.stats().failed, 0);
    EXPECT_EQ(library.stats().images, 2);
    EXPECT_THAT(problems_of(library, true), IsEmpty());
  });
}

TEST_F(LibraryFailures, AnUnreadableFolderIsReportedAndItsFilesAreNotMissing) {
  write_picture(photos() / "a" / "1.png", 1);
  write_picture(photos() / "b" / "deep" / "2.png", 2);
  set_mode(photos() / "b", 0777);
  give_to_nobody(photos() / "b");
  std::filesystem::create_directory(library_dir());
  set_mode(library_dir(), 0777);
  in_child(true, [&] {
    Library library = open();
    EXPECT_EQ(index(library, {photos()}, encoder_).encoded, 2);
    EXPECT_EQ(::chmod((photos() / "b").c_str(), 0), 0);
    const IngestReport report = index(library, {photos()}, encoder_);
    ASSERT_THAT(report.failed, SizeIs(1));
    EXPECT_EQ(report.failed[0].path, photos() / "b");
    EXPECT_THAT(report.failed[0].reason, HasSubstr("Permission denied"));
    EXPECT_EQ(report.missing, 0);
    EXPECT_EQ(library.stats().missing_files, 0);
  });
}

TEST_F(LibraryFailures, AReadOnlyLibraryIsReadAndRefusesWritersClearly) {
  write_picture(photos() / "a.png", 1);
  {
    Library library = open();
    index(library, {photos()}, encoder_);
  }
  set_mode(library_dir(), 0555);
  in_child(true, [&] {
    Library library = open(OpenMode::kRead);
    ASSERT_THAT(list_all(library), SizeIs(1));
    EXPECT_THAT(problems_of(library), IsEmpty());
    EXPECT_EQ(library.tokens(1).token_count, kStoredTokens);
    std::string message;
    EXPECT_EQ(code_of([&] { open(OpenMode::kWrite); }, &message), ErrorCode::kReadOnly);
    EXPECT_THAT(message, HasSubstr(library_dir().string()));
    EXPECT_EQ(code_of([&] { library.prune(); }), ErrorCode::kReadOnly);
    EXPECT_EQ(code_of([&] { Library::open(library_dir() / "new", OpenMode::kCreate); }), ErrorCode::kReadOnly);
  });
}

// A small file system of its own where the system allows one, else a limit on the size of files.
bool limit_space(const std::filesystem::path& dir, std::size_t bytes) {
  const int space = ::geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS;
  const std::string size = "size=" + std::to_string(bytes) + ",mode=0777";
  if (::unshare(space) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
      ::mount("tmpfs", dir.c_str(), "tmpfs", 0, size.c_str()) == 0) {
    return true;
  }
  ::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{bytes / 3, RLIM_INFINITY};
  ::setrlimit(RLIMIT_FSIZE, &limit);
  return false;
}

TEST_F(LibraryFailures, AFullDiskKeepsWhatWasCommittedAndALaterRunCompletes) {
  constexpr int kPictures = 400;
  for (unsigned i = 0; i < kPictures; ++i) write_picture(photos() / (std::to_string(i) + ".png"), i, 64, 64);
  std::filesystem::create_directory(library_dir());
  in_child(false, [&] {
    const bool own_disk = limit_space(library_dir(), 768 << 10);
    std::int64_t committed = 0;
    {
      Library library = open();
      IngestOptions options;
      options.images_per_segment = 20;
      options.batch = 10;
      std::string message;
      const ErrorCode code = code_of([&] { index(library, {photos()}, encoder_, options); }, &message);
      EXPECT_EQ(code, own_disk ? ErrorCode::kDiskFull : ErrorCode::kIo) << message;
      committed = library.stats().images;
      EXPECT_GT(committed, 0);
      EXPECT_LT(committed, kPictures);
      EXPECT_THAT(problems_of(library), IsEmpty());
    }
    if (own_disk) {
      const std::string more = "size=64m";
      ASSERT_EQ(::mount("none", library_dir().c_str(), nullptr, MS_REMOUNT, more.c_str()), 0);
    } else {
      const rlimit none{RLIM_INFINITY, RLIM_INFINITY};
      ::setrlimit(RLIMIT_FSIZE, &none);
    }
    Library library = open();
    EXPECT_EQ(library.stats().images, committed);
    const IngestReport rest = index(library, {photos()}, encoder_);
    EXPECT_EQ(rest.unchanged, committed);
    EXPECT_EQ(rest.encoded, kPictures - committed);
    EXPECT_THAT(problems_of(library, true), IsEmpty());
  });
}

}  // namespace
}  // namespace tessera
