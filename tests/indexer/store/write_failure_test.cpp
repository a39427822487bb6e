// A disk that refuses: an error with the file's name, and nothing left in the folder.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>

#include "store/file_io.h"
#include "store/segment.h"
#include "store/segment_fixture.h"
#include "store/segment_writer.h"
#include "tessera/error.h"

namespace tessera {
namespace {

using test::ImageMaker;
using test::TemporaryFolder;
using test::TestImage;

// Makes writes beyond `bytes` fail with EFBIG as long as it lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limited{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limited);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

TEST(WriteFailure, AtEveryStageLeavesNothing) {
  TemporaryFolder folder;
  ImageMaker maker(256, 8, 1);
  const std::vector<TestImage> images = test::make_images(maker, 40);
  const auto whole = test::write_segment(folder / "whole.seg", test::test_spec(256, 8), images);
  const std::uint64_t size = whole->file_bytes();
  for (std::uint64_t limit = 0; limit < size; limit += size / 17) {
    const FileSizeLimit refuse(limit);
    try {
      SegmentWriter writer(folder / "0002.seg", test::test_spec(256, 8));
      for (const TestImage& image : images) writer.add(image.content, image.tokens, image.count);
      writer.finish();
      ADD_FAILURE() << "limit " << limit << " did not matter";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kIo);
      EXPECT_NE(std::string(error.what()).find("0002.seg"), std::string::npos);
    }
    EXPECT_FALSE(std::filesystem::exists(folder / "0002.seg"));
    EXPECT_FALSE(std::filesystem::exists(folder / "0002.seg.tmp"));
  }
}

TEST(WriteFailure, AnOldFileSurvivesAFailedReplacement) {
  TemporaryFolder folder;
  ImageMaker maker(64, 4, 2);
  const auto before = test::write_segment(folder / "1.seg", test::test_spec(64, 4), test::make_images(maker, 5));
  {
    const FileSizeLimit refuse(4096);
    SegmentWriter writer(folder / "1.seg", test::test_spec(64, 4));
    const TestImage image = maker.image();
    writer.add(image.content, image.tokens, image.count);
    EXPECT_THROW(writer.finish(), Error);
  }
  EXPECT_EQ(Segment::open(folder / "1.seg")->checksum(), before->checksum());
}

TEST(WriteFailure, FolderThatDoesNotExist) {
  TemporaryFolder folder;
  try {
    SegmentWriter writer(folder.path() / "none" / "1.seg", test::test_spec(8, 4));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  }
}

TEST(WriteFailure, LinksInThePlaceOfTheTemporaryAreNotFollowed) {
  TemporaryFolder folder;
  std::ofstream(folder / "precious") << "precious";
  std::filesystem::create_symlink(folder / "precious", folder / "1.seg.tmp");
  EXPECT_THROW(AtomicFile(folder / "1.seg"), Error);
  EXPECT_EQ(std::filesystem::file_size(folder / "precious"), 8u);
}

}  // namespace
}  // namespace tessera
