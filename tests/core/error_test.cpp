// Error codes keep their names; errno becomes a sentence with the path.
#include "tessera/error.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace tessera {
namespace {

TEST(Error, CodeNamesAreStable) {
  EXPECT_EQ(error_code_name(ErrorCode::kDamaged), "damaged");
  EXPECT_EQ(error_code_name(ErrorCode::kDiskFull), "disk_full");
  EXPECT_EQ(error_code_name(ErrorCode::kModelMismatch), "model_mismatch");
}

TEST(Error, ErrnoBecomesCodeAndSentence) {
  const Error full = errno_error("cannot write", "/a/b.seg", ENOSPC);
  EXPECT_EQ(full.code(), ErrorCode::kDiskFull);
  EXPECT_STREQ(full.what(), "cannot write /a/b.seg: No space left on device");
  EXPECT_EQ(errno_error("cannot open", "x", ENOENT).code(), ErrorCode::kNotFound);
  EXPECT_EQ(errno_error("cannot open", "x", EROFS).code(), ErrorCode::kReadOnly);
  EXPECT_EQ(errno_error("cannot open", "x", EIO).code(), ErrorCode::kIo);
}

}  // namespace
}  // namespace tessera
