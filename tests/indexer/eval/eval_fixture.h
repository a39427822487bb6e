// Small files and pictures for the tests of evaluation.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "catalog/library_fixture.h"
#include "tessera/error.h"
#include "tessera/image.h"

namespace tessera::eval::test {

using tessera::testing::TempDir;

inline std::filesystem::path write_text(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

inline Image plain_picture(int width, int height, int red, int green, int blue) {
  Image image{width, height, {}};
  for (int i = 0; i < width * height; ++i) {
    for (const int value : {red, green, blue}) image.rgb.push_back(static_cast<std::uint8_t>(value));
  }
  return image;
}

// What the call threw, as text; fails if it threw nothing.
template <typename Call>
std::string error_of(const Call& call, ErrorCode code = ErrorCode::kDamaged) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error_code_name(error.code()), error_code_name(code)) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

}  // namespace tessera::eval::test
