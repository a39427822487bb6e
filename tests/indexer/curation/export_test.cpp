// Records with marks as CSV and JSON lines, contact sheets of chosen pictures, files that cannot be written.
#include "tessera/indexer/export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "curation_fixture.h"
#include "tessera/indexer/curation.h"

namespace tessera {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using namespace testing;

std::string written_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class Export : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(dir_ / "photos");
    for (int i = 0; i < 3; ++i) {
      Image image{40, 30, std::vector<std::uint8_t>(3600, static_cast<std::uint8_t>(60 * i + 10))};
      write_image(dir_ / "photos" / (std::string(1, static_cast<char>('a' + i)) + ",1.png"), image);
    }
    fs::rename(dir_ / "photos" / "c,1.png", dir_ / "photos" / "caf\xE9.png");
    FakeEncoder encoder;
    Library library = Library::open(dir_ / "library", OpenMode::kCreate);
    library.set_encoder(library_encoder(encoder));
    library.index(std::vector<fs::path>{dir_ / "photos"}, {}, encoder);
    library.list({}, [&](const ImageRecord& record) {
      ids_.push_back(record.id);
      return true;
    });
    Curation curation = Curation::open(dir_ / "library", OpenMode::kWrite);
    const std::vector<ContentHash> first{library.image(ids_[0]).hash};
    curation.set_marks(first, {Flag::kPick, 4, ColorLabel::kBlue});
    const std::vector<std::string> tags{"Sea, \"blue\"", "Places/Graz"};
    curation.change_tags(first, tags, {});
  }

  Library library() const { return Library::open(dir_ / "library", OpenMode::kRead); }
  MarkBook book() const { return MarkBook(Curation::open(dir_ / "library", OpenMode::kRead)); }

  TempDir dir_;
  std::vector<ImageId> ids_;
};

TEST_F(Export, CsvHasTheMarksAndTheOrderAskedFor) {
  const fs::path file = dir_ / "out.csv";
  export_records(library(), book(), std::vector<ImageId>{ids_[2], 999, ids_[0]}, file, RecordFormat::kCsv);
  const std::string text = written_text(file);
  EXPECT_THAT(text, StartsWith(record_csv_header() + std::to_string(ids_[2]) + ","));
  EXPECT_THAT(text, HasSubstr(",none,0,none,," + (dir_ / "photos").string() + "/caf\xE9.png\r\n"));
  EXPECT_THAT(text, HasSubstr(",pick,4,blue,\"Places/Graz|Sea, \"\"blue\"\"\",\"" + (dir_ / "photos").string() +
                              "/a,1.png\"\r\n"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
}

TEST_F(Export, JsonLinesHaveTheMarksAndTheExactBytesOfAPath) {
  const fs::path file = dir_ / "out.jsonl";
  export_records(library(), book(), ids_, file, RecordFormat::kJsonl);
  const std::string text = written_text(file);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
  EXPECT_THAT(text, HasSubstr(R"("flag":"pick","rating":4,"label":"blue","tags":["Places/Graz","Sea, \"blue\""]})"));
  EXPECT_THAT(text, HasSubstr("\"path_bytes\":\""));
}

TEST_F(Export, AStoppedExportLeavesNothing) {
  std::stop_source source;
  source.request_stop();
  const fs::path file = dir_ / "out.csv";
  EXPECT_THROW(export_records(library(), book(), ids_, file, RecordFormat::kCsv, source.get_token()), Error);
  for (const auto& entry : fs::directory_iterator(dir_.path())) {
    EXPECT_THAT(entry.path().filename().string(), ::testing::Not(StartsWith("out")));
  }
}

TEST_F(Export, ASheetNamesThePicturesAndTheirMarks) {
  const ContactSheet sheet = contact_sheet_of(library(), book(), std::vector<ImageId>{ids_[0], ids_[1]}, "Two");
  ASSERT_EQ(sheet.hits.size(), 2U);
  EXPECT_EQ(sheet.hits[0].note, "1   \u2605\u2605\u2605\u2605  pick  blue");
  EXPECT_EQ(sheet.hits[1].note, "2");
  EXPECT_EQ(sheet.hits[1].caption, "b,1.png");
  write_contact_sheet(sheet, dir_ / "sheet.HTML");
  EXPECT_THAT(written_text(dir_ / "sheet.HTML"), HasSubstr("a,1.png"));
  write_contact_sheet(sheet, dir_ / "sheet.jpg");
  EXPECT_GT(load_image(dir_ / "sheet.jpg").height, 100);
  EXPECT_THROW(write_contact_sheet(sheet, dir_ / "sheet.gif"), Error);
}

}  // namespace
}  // namespace tessera
