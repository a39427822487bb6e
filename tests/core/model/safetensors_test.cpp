// Safetensors files: round trips, every header field damaged in turn, and writers that never leave half a file.
#include "tessera/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "model/float_convert.h"
#include "model_test_support.h"
#include "tessera/error.h"

namespace tessera {
namespace {

using testing::HasSubstr;

class SafetensorsTest : public testing::Test {
 protected:
  std::filesystem::path write_raw(const std::string& header, std::size_t data_bytes,
                                  std::optional<std::uint64_t> stated_length = std::nullopt) {
    const std::uint64_t length = stated_length.value_or(header.size());
    std::ofstream stream(path(), std::ios::binary | std::ios::trunc);
    stream.write(reinterpret_cast<const char*>(&length), sizeof length);
    stream << header << std::string(data_bytes, '\1');
    return path();
  }
  std::filesystem::path path() const { return folder_.path() / "x.safetensors"; }

  void expect_error(const std::string& header, std::size_t data_bytes, ErrorCode code, const std::string& part) {
    write_raw(header, data_bytes);
    try {
      const SafetensorsFile file(path());
      ADD_FAILURE() << "accepted: " << header;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << header << "\n" << error.what();
      EXPECT_THAT(error.what(), HasSubstr(part)) << header;
      EXPECT_THAT(error.what(), HasSubstr("x.safetensors"));
    }
  }

  test::TemporaryDir folder_;
};

std::span<const std::byte> bytes_of(const auto& values) { return std::as_bytes(std::span(values)); }

TEST_F(SafetensorsTest, RoundTripOfAllTypes) {
  const std::vector<float> f32 = {1.5f, -2.25f, 3e-9f, 0.0f, 7.0f, 8.0f};
  const std::vector<std::uint16_t> f16 = {float_to_f16(0.333f), float_to_f16(-65504.0f)};
  const std::vector<std::uint16_t> bf16 = {float_to_bf16(0.333f), float_to_bf16(1e30f)};
  const std::vector<std::int64_t> i64 = {-5, 1LL << 40};
  const std::vector<float> none;
  const std::vector<TensorToWrite> tensors = {{"w", TensorType::kF32, {2, 3}, bytes_of(f32)},
                                              {"half", TensorType::kF16, {2}, bytes_of(f16)},
                                              {"brain", TensorType::kBF16, {2, 1}, bytes_of(bf16)},
                                              {"ids", TensorType::kI64, {2}, bytes_of(i64)},
                                              {"empty", TensorType::kF32, {1, 0, 4}, bytes_of(none)}};
  write_safetensors(path(), tensors, {{"format", "pt"}});
  const SafetensorsFile file(path());
  EXPECT_EQ(file.metadata().at("format"), "pt");
  ASSERT_EQ(file.tensors().size(), 5u);
  EXPECT_EQ(to_float(file.tensors().at("w")), f32);
  EXPECT_EQ(file.tensors().at("w").shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_NEAR(to_float(file.tensors().at("half"))[0], 0.333f, 2e-4);
  EXPECT_EQ(to_float(file.tensors().at("half"))[1], -65504.0f);
  EXPECT_NEAR(to_float(file.tensors().at("brain"))[0], 0.333f, 2e-3);
  EXPECT_EQ(file.tensors().at("ids").data.size(), 16u);
  EXPECT_THROW(to_float(file.tensors().at("ids")), Error);
  EXPECT_EQ(file.tensors().at("empty").element_count(), 0);
  file.release(file.tensors().at("w"));  // the values stay readable
  EXPECT_EQ(to_float(file.tensors().at("w")), f32);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path()), {}), 1);
}

TEST_F(SafetensorsTest, ValuesAtOddAddresses) {
  write_raw(R"({ "a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8);
  std::string header = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  while (header.size() % 8 != 3) header += ' ';
  write_raw(header, 8);
  const SafetensorsFile file(path());
  float expected = 0;
  std::memset(&expected, 1, 4);
  EXPECT_EQ(to_float(file.tensors().at("a")), (std::vector<float>{expected, expected}));
}

TEST_F(SafetensorsTest, DamagedHeaders) {
  const auto damaged = [&](const std::string& header, std::size_t bytes, const std::string& part) {
    expect_error(header, bytes, ErrorCode::kDamaged, part);
  };
  damaged("", 0, "does not begin with '{'");
  damaged("[1]", 0, "does not begin with '{'");
  damaged("{\"a\":", 0, "not valid JSON");
  damaged(R"({"a":1})", 0, "tensor a: its header entry is not an object");
  damaged(R"({"a":{"shape":[1],"data_offsets":[0,4]}})", 4, "tensor a: dtype is missing");
  damaged(R"({"a":{"dtype":7,"shape":[1],"data_offsets":[0,4]}})", 4, "dtype is missing or not a string");
  damaged(R"({"a":{"dtype":"F32","data_offsets":[0,4]}})", 4, "shape is missing");
  damaged(R"({"a":{"dtype":"F32","shape":4,"data_offsets":[0,4]}})", 4, "shape is missing or not an array");
  damaged(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4, "not a non-negative integer");
  damaged(R"({"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})", 4, "not a non-negative integer");
  damaged(R"({"a":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}})", 4, "not a non-negative integer");
  damaged(R"({"a":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,4]}})", 4, "non-negative integer");
  damaged(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}})", 4, "overflows");
  damaged(R"({"a":{"dtype":"F32","shape":[2305843009213693952],"data_offsets":[0,4]}})", 4, "overflows");
  damaged(R"({"a":{"dtype":"F32","shape":[1]}})", 4, "data_offsets is missing");
  damaged(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}})", 4, "data_offsets is missing or not a pair");
  damaged(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}})", 4, "not a pair of non-negative");
  damaged(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4, "run backwards");
  damaged(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 4, "truncated");
  damaged(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4, "do not match");
  damaged(
      R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}})",
      6, "tensor b overlaps");
  damaged(
      R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}})",
      12, "tensor b does not begin where");
  damaged(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 6, "2 bytes after the last tensor");
  damaged(
      R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
      4, "tensor a is listed twice");
  damaged(R"({"__metadata__":[],"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4, "__metadata__ is not");
  damaged(R"({"__metadata__":{"k":1},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4, "__metadata__.k");
  expect_error(R"({"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}})", 8, ErrorCode::kUnsupported, "type F64");
  EXPECT_THROW(SafetensorsFile(write_raw("{}", 0, 3)), Error);
  EXPECT_THROW(SafetensorsFile(write_raw("{}", 0, UINT64_MAX)), Error);
  EXPECT_THROW(SafetensorsFile(write_raw("{}", 0, UINT64_MAX - 7)), Error);
}

TEST_F(SafetensorsTest, EveryTruncationIsAnError) {
  const std::string header = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  write_raw(header, 4);
  EXPECT_NO_THROW(SafetensorsFile{path()});
  for (std::size_t size = 0; size < 8 + header.size() + 4; ++size) {
    write_raw(header, 4);
    std::filesystem::resize_file(path(), size);
    try {
      const SafetensorsFile file(path());
      ADD_FAILURE() << "accepted " << size << " bytes";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kDamaged);
    }
  }
}

TEST_F(SafetensorsTest, MissingFileAndFolder) {
  try {
    const SafetensorsFile file(folder_.path() / "absent.safetensors");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  }
  EXPECT_THROW(SafetensorsFile{folder_.path()}, Error);
}

TEST_F(SafetensorsTest, WriterRefusesAndLeavesNothing) {
  const std::vector<float> values = {1.0f, 2.0f};
  const auto write = [&](std::vector<TensorToWrite> tensors) { write_safetensors(path(), tensors); };
  EXPECT_THROW(write({{"a", TensorType::kF32, {3}, bytes_of(values)}}), Error);
  EXPECT_THROW(write({{"a", TensorType::kF32, {-2}, bytes_of(values)}}), Error);
  EXPECT_THROW(write({{"__metadata__", TensorType::kF32, {2}, bytes_of(values)}}), Error);
  EXPECT_THROW(write({{"a\xff", TensorType::kF32, {2}, bytes_of(values)}}), Error);
  EXPECT_THROW(write({{"a", TensorType::kF32, {2}, bytes_of(values)}, {"a", TensorType::kF32, {2}, bytes_of(values)}}),
               Error);
  {
    const std::vector<SafetensorsWriter::Declaration> declared = {{"a", TensorType::kF32, {2}}};
    SafetensorsWriter writer(path(), declared);
    EXPECT_THROW(writer.finish(), Error);
    writer.append(bytes_of(values));
    EXPECT_THROW(writer.append(bytes_of(values)), Error);
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
  EXPECT_THROW(write_safetensors(folder_.path() / "no" / "x", {}), Error);
}

TEST(FloatConvert, HalfPrecisionMatchesItsDefinition) {
  for (std::uint32_t bits = 0; bits < 0x10000u; ++bits) {  // every f16 value survives the way to float and back
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = f16_to_float(half);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(f16_to_float(float_to_f16(value))));
    } else {
      ASSERT_EQ(float_to_f16(value), half) << bits;
    }
  }
  EXPECT_EQ(f16_to_float(0x0001), 0x1p-24f);
  EXPECT_EQ(float_to_f16(1.0f + 0x1p-11f), float_to_f16(1.0f));          // tie to even
  EXPECT_EQ(float_to_f16(1.0f + 3 * 0x1p-11f), float_to_f16(1.0f) + 2);  // tie to even
  EXPECT_EQ(float_to_f16(65520.0f), 0x7c00);
  EXPECT_EQ(float_to_f16(1e-9f), 0);
  EXPECT_EQ(float_to_bf16(1.0f + 0x1p-8f), float_to_bf16(1.0f));
  EXPECT_TRUE(std::isnan(bf16_to_float(float_to_bf16(std::numeric_limits<float>::quiet_NaN()))));
}

}  // namespace
}  // namespace tessera
