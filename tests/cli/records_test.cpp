// Pictures of the catalog in every output format.
#include "records.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>

#include "tessera/error.h"

namespace tessera::cli {
namespace {

ImageRecord photo() {
  ImageRecord record;
  record.id = 7;
  record.hash.digest[15] = 0xAB;
  record.hash.bytes = 1234;
  record.width = 640;
  record.height = 480;
  record.format = "jpeg";
  record.token_count = 16;
  record.files = {{"/photos/a,b.jpg", FileState::kPresent, 1234, 99}, {"/old/x.jpg", FileState::kMissing, 1234, 98}};
  return record;
}

ImageRecord broken() {
  ImageRecord record;
  record.id = 8;
  record.error = "/photos/bad.jpg is truncated";
  record.error_code = "damaged";
  record.files = {{"/photos/bad.jpg", FileState::kPresent, 10, 1}};
  return record;
}

std::string written(Format format, const FileState* state = nullptr) {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe(ends.data()), 0);
  {
    Output out(ends[1], ColorMode::kNever);
    RecordWriter writer(out, format, "/photos", state);
    writer.add(photo());
    writer.add(broken());
    writer.finish();
    out.flush();
  }
  ::close(ends[1]);
  std::string text(4096, '\0');
  const ssize_t bytes = ::read(ends[0], text.data(), text.size());
  ::close(ends[0]);
  text.resize(bytes < 0 ? 0 : static_cast<std::size_t>(bytes));
  return text;
}

TEST(Records, Table) {
  EXPECT_EQ(written(Format::kTable),
            "     id       pixels  format  state    path\n"
            "      7      640x480  jpeg    present  a,b.jpg\n"
            "      7      640x480  jpeg    missing  /old/x.jpg\n"
            "      8            -  -       failed   bad.jpg\n"
            "         /photos/bad.jpg is truncated\n");
}

TEST(Records, JsonIsOneArrayOfObjects) {
  const Json document = Json::parse(written(Format::kJson));
  ASSERT_EQ(document.size(), 2U);
  EXPECT_EQ(document[0]["hash"], "000000000000000000000000000000ab");
  EXPECT_EQ(document[0]["files"][1]["state"], "missing");
  EXPECT_TRUE(document[0]["error"].is_null());
  EXPECT_EQ(document[1]["error_code"], "damaged");
}

TEST(Records, CsvQuotesCommas) {
  const std::string text = written(Format::kCsv);
  EXPECT_NE(
      text.find("7,000000000000000000000000000000ab,640,480,jpeg,16,present,1234,99,,,,,,,\"/photos/a,b.jpg\"\r\n"),
      std::string::npos)
      << text;
}

TEST(Records, PathsKeepOnlyTheStateAskedFor) {
  const FileState missing = FileState::kMissing;
  EXPECT_EQ(written(Format::kPaths, &missing), "/old/x.jpg\n");
  EXPECT_EQ(written(Format::kPaths0, &missing), std::string("/old/x.jpg\0", 11));
}

TEST(Output, FullDiskIsAnError) {
  const int full = ::open("/dev/full", O_WRONLY);
  ASSERT_GE(full, 0);
  Output out(full, ColorMode::kNever);
  out.line("text");
  try {
    out.flush();
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kDiskFull);
  }
  ::close(full);
}

}  // namespace
}  // namespace tessera::cli
