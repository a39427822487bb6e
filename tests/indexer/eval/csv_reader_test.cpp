// CSV files: quoting, line ends, and errors that name the line.
#include "eval/csv_reader.h"

#include <gmock/gmock.h>

#include "eval/eval_fixture.h"

namespace tessera::eval {
namespace {

using test::error_of;
using test::TempDir;
using test::write_text;
using ::testing::ElementsAre;
using ::testing::EndsWith;

class CsvReader : public ::testing::Test {
 protected:
  CsvFile read(const std::string& text) const { return CsvFile(write_text(folder_ / "a.csv", text)); }
  std::string problem(const std::string& text) const {
    return error_of([&] { read(text); });
  }
  TempDir folder_;
};

TEST_F(CsvReader, QuotedFieldsHoldCommasQuotesAndLineEnds) {
  const CsvFile csv = read("\xEF\xBB\xBFname,label\r\n\"a,b\",\"say \"\"hi\"\"\"\r\n\"two\nlines\",x\r\n\r\nlast,\r\n");
  ASSERT_EQ(csv.rows().size(), 3u);
  EXPECT_THAT(csv.rows()[0].fields, ElementsAre("a,b", "say \"hi\""));
  EXPECT_THAT(csv.rows()[1].fields, ElementsAre("two\nlines", "x"));
  EXPECT_THAT(csv.rows()[2].fields, ElementsAre("last", ""));
  EXPECT_EQ(csv.rows()[0].line, 2);
  EXPECT_EQ(csv.rows()[2].line, 6);
  EXPECT_EQ(csv.column({"label"}), 1u);
  EXPECT_EQ(csv.column({"group", "name"}), 0u);
}

TEST_F(CsvReader, TheLastLineNeedsNoEnd) { EXPECT_THAT(read("a,b\n1,2").rows().at(0).fields, ElementsAre("1", "2")); }

TEST_F(CsvReader, ErrorsNameFileAndLine) {
  EXPECT_EQ(problem(""), (folder_ / "a.csv").string() + ":1: the file is empty; a header line is needed");
  EXPECT_THAT(problem("a,b\n1,2\n3\n"), EndsWith("a.csv:3: 1 fields, but the header has 2"));
  EXPECT_THAT(problem("a\n\"open\n"), EndsWith("a.csv:2: a quoted field does not end"));
  EXPECT_THAT(problem("a\n\"x\"y\n"), EndsWith("a.csv:2: text follows the closing quote of a field"));
  EXPECT_THAT(error_of([&] {
                read("a,b\n").column({"label", "group"});
              }),
              EndsWith("a.csv:1: the header has no column 'label' or 'group'"));
  const CsvFile csv = read("a\n\n0.5\n1e999\n2x\n");
  EXPECT_EQ(csv.number(csv.rows()[0], 0), 0.5);
  EXPECT_THAT(error_of([&] { csv.number(csv.rows()[1], 0); }), EndsWith("a.csv:4: '1e999' in column 'a' is no number"));
  EXPECT_THAT(error_of([&] { csv.number(csv.rows()[2], 0); }), EndsWith("a.csv:5: '2x' in column 'a' is no number"));
}

TEST_F(CsvReader, AMissingFileIsNotFound) {
  error_of([&] { CsvFile(folder_ / "none.csv"); }, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace tessera::eval
