// Which folder the model of a library is loaded from.
#include "tessera/indexer/library_model.h"

#include <gtest/gtest.h>

#include "library_fixture.h"
#include "test_paths.h"

namespace tessera {
namespace {

const std::filesystem::path kTiny = test::data_dir() / "goldens" / "radio1d-tiny-d-sharded";

LibraryEncoder made_with(const std::string& hash, const std::filesystem::path& dir) {
  LibraryEncoder wanted;
  wanted.model_name = "tiny";
  wanted.weights_hash = hash;
  wanted.model_dir = dir.string();
  return wanted;
}

TEST(LibraryModel, IsLoadedFromWhereItWasOrFromWhereItIsSaidToBe) {
  const std::string hash = Encoder::load(kTiny)->info().weights_hash;
  EXPECT_EQ(load_library_model(made_with(hash, kTiny))->info().weights_hash, hash);
  EXPECT_EQ(load_library_model(made_with(hash, "/nowhere"), kTiny)->info().weights_hash, hash);
}

TEST(LibraryModel, OtherWeightsAreRefused) {
  std::string message;
  EXPECT_EQ(testing::code_of([] { load_library_model(made_with("00", kTiny)); }, &message), ErrorCode::kModelMismatch);
  EXPECT_NE(message.find(kTiny.string()), std::string::npos) << message;
  EXPECT_EQ(testing::code_of([] { load_library_model(made_with("00", "/nowhere"), kTiny); }, &message),
            ErrorCode::kModelMismatch);
  EXPECT_NE(message.find("was made with the model tiny (weights 00)"), std::string::npos) << message;
}

TEST(LibraryModel, AFolderThatIsAskedForIsNotReplaced) {
  const std::string hash = Encoder::load(kTiny)->info().weights_hash;
  EXPECT_EQ(testing::code_of([&] { load_library_model(made_with(hash, kTiny), "/nowhere"); }), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace tessera
