// JSON of paths, CSV fields, format names.
#include "format.h"

#include <gtest/gtest.h>

#include "exit_code.h"

namespace tessera::cli {
namespace {

TEST(Format, NamesAreParsedAndUnknownOnesNamed) {
  EXPECT_EQ(parse_format("table"), Format::kTable);
  EXPECT_EQ(parse_format("paths0"), Format::kPaths0);
  try {
    parse_format("xml");
    FAIL() << "accepted xml";
  } catch (const UsageError& error) {
    EXPECT_STREQ(error.what(), "unknown format 'xml'; one of table|json|jsonl|csv|paths|paths0");
  }
}

TEST(Format, JsonPathsLoseNoByte) {
  Json object;
  set_path(object, "path", "/photos/caf\xC3\xA9.jpg");
  EXPECT_EQ(dump(object), "{\"path\":\"/photos/caf\xC3\xA9.jpg\"}");
  Json latin;
  set_path(latin, "path", "/photos/caf\xE9.jpg");
  EXPECT_EQ(dump(latin), "{\"path\":\"/photos/caf\xEF\xBF\xBD.jpg\",\"path_bytes\":\"L3Bob3Rvcy9jYWbpLmpwZw==\"}");
}

TEST(Format, CsvQuotesOnlyWhatNeedsIt) {
  EXPECT_EQ(csv_field("plain name.jpg"), "plain name.jpg");
  EXPECT_EQ(csv_field("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_field("say \"x\"\n"), "\"say \"\"x\"\"\n\"");
}

TEST(Format, FloatsAreRounded) {
  EXPECT_EQ(dump(Json(rounded(0.1F))), "0.1");
  EXPECT_EQ(dump(Json(rounded(-0.123456789F))), "-0.123457");
}

TEST(ExitCodes, EveryErrorCodeHasOne) {
  EXPECT_EQ(exit_code_for(ErrorCode::kInvalidArgument), ExitCode::kUsage);
  EXPECT_EQ(exit_code_for(ErrorCode::kCancelled), ExitCode::kInterrupted);
  for (const ErrorCode code :
       {ErrorCode::kNotFound, ErrorCode::kIo, ErrorCode::kDiskFull, ErrorCode::kReadOnly, ErrorCode::kBusy,
        ErrorCode::kDamaged, ErrorCode::kUnsupported, ErrorCode::kLimit, ErrorCode::kVersion, ErrorCode::kBadModel,
        ErrorCode::kModelMismatch, ErrorCode::kInternal}) {
    EXPECT_EQ(exit_code_for(code), ExitCode::kError) << error_code_name(code);
  }
}

}  // namespace
}  // namespace tessera::cli
