// Damaged segment files: every header byte flipped, every header field lied about, truncation, data bytes flipped.
#include <gtest/gtest.h>
#include <xxhash.h>

#include <cstring>
#include <fstream>
#include <iterator>

#include "store/segment.h"
#include "store/segment_fixture.h"
#include "tessera/error.h"

namespace tessera {
namespace {

using test::ImageMaker;
using test::TemporaryFolder;

class Corruption : public testing::Test {
 protected:
  Corruption() {
    ImageMaker maker(24, 4, 1);
    path_ = folder_ / "0001.seg";
    test::write_segment(path_, test::test_spec(24, 4), test::make_images(maker, 9));
    std::ifstream in(path_, std::ios::binary);
    good_.assign(std::istreambuf_iterator<char>(in), {});
  }

  void write(const std::string& bytes) { std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes; }

  // The error of opening and verifying these bytes; fails if there is none.
  Error error_of(const std::string& bytes, const std::string& what) {
    write(bytes);
    try {
      Segment::open(path_)->verify();
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("0001.seg"), std::string::npos) << what << ": " << error.what();
      return error;
    }
    ADD_FAILURE() << what << " was not noticed";
    return Error(ErrorCode::kInternal, "");
  }

  static void renew_header_checksum(std::string& bytes) {
    const std::uint64_t checksum = XXH3_64bits(bytes.data(), 504);
    std::memcpy(bytes.data() + 504, &checksum, 8);
  }

  TemporaryFolder folder_;
  std::filesystem::path path_;
  std::string good_;
};

TEST_F(Corruption, EveryHeaderByteAndBytesThroughoutTheFile) {
  for (std::size_t at = 0; at < good_.size(); at += at < 512 ? 1 : 61) {
    std::string bytes = good_;
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << at % 8));
    const Error error = error_of(bytes, "byte " + std::to_string(at));
    const bool version = at >= 8 && at < 12;
    ASSERT_TRUE(error.code() == ErrorCode::kDamaged || (version && error.code() == ErrorCode::kVersion)) << at;
  }
}

TEST_F(Corruption, EveryHeaderFieldWithAChecksumThatFits) {
  for (std::size_t at = 0; at < 504; ++at) {
    for (const int change : {0x01, 0x80, 0xff}) {
      std::string bytes = good_;
      bytes[at] = static_cast<char>(bytes[at] ^ change);
      renew_header_checksum(bytes);
      // Other printable characters in the two texts are another encoder, not damage.
      const bool text = (at >= 56 && at <= 56 + 32) || (at >= 120 && at <= 120 + 10);
      if (text && bytes[at] != 0) continue;
      std::uint32_t max_tokens;
      std::memcpy(&max_tokens, bytes.data() + 36, 4);
      if (max_tokens > 4 && max_tokens <= std::uint32_t(kMaxStoredTokens)) continue;  // more room than any row needs
      const Error error = error_of(bytes, "header byte " + std::to_string(at));
      const bool version = at >= 8 && at < 12;
      ASSERT_TRUE(error.code() == ErrorCode::kDamaged || (version && error.code() == ErrorCode::kVersion)) << at;
    }
  }
}

TEST_F(Corruption, NumbersThatWouldOverflow) {
  for (const std::size_t at : {16u, 24u, 184u, 192u, 208u, 216u, 280u, 304u, 312u}) {
    for (const std::uint64_t value : {std::uint64_t{0}, ~std::uint64_t{0}, std::uint64_t{1} << 63,
                                      std::uint64_t{1} << 32, ~std::uint64_t{0} / 24, std::uint64_t{4096}}) {
      std::string bytes = good_;
      std::uint64_t before;
      std::memcpy(&before, bytes.data() + at, 8);
      if (before == value) continue;
      std::memcpy(bytes.data() + at, &value, 8);
      renew_header_checksum(bytes);
      EXPECT_EQ(error_of(bytes, "field at " + std::to_string(at)).code(), ErrorCode::kDamaged);
    }
  }
}

TEST_F(Corruption, Truncation) {
  for (std::size_t length = 0; length < good_.size(); length += length < 600 ? 1 : 61) {
    EXPECT_EQ(error_of(good_.substr(0, length), "length " + std::to_string(length)).code(), ErrorCode::kDamaged);
  }
  EXPECT_EQ(error_of(good_ + "x", "one byte more").code(), ErrorCode::kDamaged);
}

TEST_F(Corruption, NewerVersionIsNotDamage) {
  std::string bytes = good_;
  bytes[8] = 2;
  EXPECT_EQ(error_of(bytes, "version 2").code(), ErrorCode::kVersion);
}

TEST_F(Corruption, TokenCountsThatLeadOutsideTheTokens) {
  // A count raised by one with all checksums renewed: the counts no longer add up.
  std::uint64_t offset, length;
  std::memcpy(&offset, good_.data() + 184 + 2 * 24, 8);
  std::memcpy(&length, good_.data() + 184 + 2 * 24 + 8, 8);
  for (const int count : {0, 1, 2, 3, 4, 5, 200}) {
    std::string bytes = good_;
    if (bytes[offset] == count) continue;
    bytes[offset] = static_cast<char>(count);
    const std::uint64_t checksum = XXH3_64bits(bytes.data() + offset, length);
    std::memcpy(bytes.data() + 184 + 2 * 24 + 16, &checksum, 8);
    renew_header_checksum(bytes);
    EXPECT_EQ(error_of(bytes, "count " + std::to_string(count)).code(), ErrorCode::kDamaged);
  }
}

TEST_F(Corruption, TheSectionIsNamed) {
  std::string bytes = good_;
  std::uint64_t offset;
  std::memcpy(&offset, good_.data() + 184 + 3 * 24, 8);
  bytes[offset + 5] ^= 1;
  EXPECT_NE(std::string(error_of(bytes, "coarse vector").what()).find("coarse vectors"), std::string::npos);
}

}  // namespace
}  // namespace tessera
