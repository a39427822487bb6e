// tessera eval probe on sample_data and on drawn pictures with masks: figures, reports, what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <png.h>

#include <fstream>
#include <iterator>

#include "format.h"
#include "run_tessera.h"
#include "tessera/image.h"
#include "test_paths.h"

namespace tessera::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Outcome;
using testing::run_tessera;
using testing::TemporaryFolder;

const fs::path kSampleData = test::source_dir() / "sample_data";

std::string file_text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Outcome probe(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"eval", "probe"});
  return run_tessera(arguments);
}

Json probe_json(std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), {"--format", "json"});
  const Outcome outcome = probe(arguments);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  return Json::parse(outcome.out);
}

std::vector<std::string> names_of(const Json& report, const char* column) {
  std::vector<std::string> names;
  for (const Json& row : report["rows"]) names.push_back(row[column]);
  return names;
}

double figure(const Json& report, std::size_t row, const char* name) { return report["rows"][row][name]["value"]; }

// The altered copies in sample_data, labelled by the photograph that they were made of.
std::string copy_labels() {
  const Json truth = Json::parse(file_text(kSampleData / "ground_truth.json"));
  std::string lines = "name,label\n";
  for (const Json& query : truth["queries"]) {
    const std::string name = query["query"];
    if (!name.starts_with("photos/")) continue;
    for (const Json& entry : query["relevant"]) {
      const std::string path = entry["path"];
      if (path.starts_with("variants/")) lines += path + "," + name + "\n";
    }
  }
  return lines;
}

TEST(EvalProbe, ReadsLabelsOffTokens) {
  const TemporaryFolder folder;
  std::ofstream(folder / "labels.csv") << copy_labels();
  const std::vector<std::string> arguments = {
      kSampleData.string(), "--labels", (folder / "labels.csv").string(), "--descriptor", "token0,dhash",
      "--train-share",      "0.67"};
  const Json report = probe_json(arguments);
  EXPECT_EQ(report["measure"], "probe labels");
  EXPECT_THAT(names_of(report, "descriptor"), ElementsAre("token0", "dhash", "majority"));
  // Three altered copies of each of sixteen photographs; two are trained on.
  EXPECT_EQ(report["settings"]["trained_pictures"], 32);
  EXPECT_EQ(report["settings"]["measured_pictures"], 16);
  EXPECT_GT(figure(report, 0, "accuracy"), 80);
  EXPECT_GT(figure(report, 0, "accuracy"), figure(report, 1, "accuracy"));
  EXPECT_EQ(figure(report, 2, "accuracy"), 100.0 / 16);
  for (const char* key : {"set_hash", "weights_hash", "resize", "penalty", "iterations", "seed", "train_share"}) {
    EXPECT_TRUE(report["settings"].contains(key)) << key;
  }
  EXPECT_EQ(probe(arguments).out, probe(arguments).out);
}

TEST(EvalProbe, ReadsBoxesOffDenseFeatures) {
  const Json report =
      probe_json({kSampleData.string(), "--boxes", (kSampleData / "boxes.csv").string(), "--token-counts", "1,16"});
  EXPECT_EQ(report["measure"], "probe boxes");
  EXPECT_THAT(names_of(report, "features"), ElementsAre("dense:1", "dense:16", "cell", "majority"));
  EXPECT_EQ(report["settings"]["trained_pictures"], 24);
  EXPECT_EQ(report["settings"]["measured_pictures"], 24);
  EXPECT_EQ(report["settings"]["tokens"], 16);
  EXPECT_GT(figure(report, 1, "mIoU"), figure(report, 0, "mIoU"));  // tokens tell of places
  EXPECT_GT(figure(report, 1, "mIoU"), figure(report, 3, "mIoU"));
}

// Pictures of a red half beside a blue one, and their masks.
class MaskedPictures : public ::testing::Test {
 protected:
  static constexpr int kSide = 128;

  void SetUp() override {
    for (const char* part : {"train", "train_masks", "test", "test_masks"}) fs::create_directories(folder_ / part);
    for (int i = 0; i < 16; ++i) {
      Image image{kSide, kSide, {}};
      std::vector<std::uint8_t> mask;
      for (int y = 0; y < kSide; ++y) {
        for (int x = 0; x < kSide; ++x) {
          const bool red = (i % 4 < 2 ? x < kSide / 2 : y < kSide / 2) == (i % 2 == 0);
          for (const int value : {red ? 220 : 20 + i, 30, red ? 20 : 230 - i}) {
            image.rgb.push_back(static_cast<std::uint8_t>(value));
          }
          mask.push_back(red ? 2 : 1);
        }
      }
      const std::string part = i < 8 ? "train" : "test";
      write_image(folder_ / (part + "/p" + std::to_string(i) + ".png"), image);
      write_grey_png(folder_ / (part + "_masks/p" + std::to_string(i) + ".png"), mask);
    }
  }
  static void write_grey_png(const fs::path& path, const std::vector<std::uint8_t>& values) {
    png_image png{};
    png.version = PNG_IMAGE_VERSION;
    png.width = png.height = kSide;
    png.format = PNG_FORMAT_GRAY;
    ASSERT_NE(png_image_write_to_file(&png, path.c_str(), 0, values.data(), 0, nullptr), 0);
  }
  std::string path(const char* part) const { return (folder_ / part).string(); }
  std::vector<std::string> arguments() const {
    return {path("test"),  "--masks",       path("test_masks"),  "--train",
            path("train"), "--train-masks", path("train_masks"), "--token-counts",
            "1,16",        "--resize",      "square:128"};
  }

  TemporaryFolder folder_;
};

TEST_F(MaskedPictures, AreTrainedOnAndMeasured) {
  const Json report = probe_json(arguments());
  EXPECT_EQ(report["measure"], "probe masks");
  EXPECT_EQ(report["settings"]["classes"], 3);
  EXPECT_EQ(report["settings"]["trained_patches"], 8 * 64);
  EXPECT_EQ(report["settings"]["measured_pictures"], 8);
  EXPECT_NE(report["settings"]["set_masks_hash"], report["settings"]["training_masks_hash"]);
  EXPECT_EQ(figure(report, 2, "mIoU"), 100);  // colours tell all
  EXPECT_EQ(figure(report, 3, "mIoU"), 25);   // half of the patches, one of two classes
  EXPECT_GT(figure(report, 1, "mIoU"), 60);
}

TEST_F(MaskedPictures, WithoutATrainingFolderAreSplit) {
  const Json report = probe_json({path("test"), "--masks", path("test_masks"), "--ignore", "255,9", "--patches", "5",
                                  "--token-counts", "2", "--resize", "square:128"});
  EXPECT_EQ(report["settings"]["trained_patches"], 4 * 5);
  EXPECT_EQ(report["settings"]["measured_pictures"], 4);
}

TEST_F(MaskedPictures, AMaskThatIsNoneIsNamed) {
  fs::copy_file(folder_ / "test/p9.png", folder_ / "test_masks/p9.png", fs::copy_options::overwrite_existing);
  const Outcome outcome = probe(arguments());
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("p9.png: no grey or palette PNG of at most 8 bits"));
  EXPECT_THAT(outcome.out, HasSubstr("dense:16"));
}

TEST_F(MaskedPictures, CommandLinesThatMakeNoSenseAreRefused) {
  const std::string test = path("test"), masks = path("test_masks");
  const std::vector<std::vector<std::string>> cases = {{test, "--masks", masks, "--boxes", masks},
                                                       {test, "--masks", masks, "--train", path("train")},
                                                       {test, "--masks", masks, "--train-masks", masks},
                                                       {test, "--masks", masks, "--stored"},
                                                       {test, "--masks", masks, "--ignore", "256"},
                                                       {test, "--masks", masks, "--token-counts", "0"},
                                                       {test, "--train", path("train"), "--groups", "g.csv"},
                                                       {test, "--train-share", "1"}};
  for (const std::vector<std::string>& each : cases) {
    const Outcome outcome = probe(each);
    EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
  }
  const Outcome empty = probe({path("test"), "--masks", path("train_masks")});
  EXPECT_EQ(empty.exit_code, 1);
  EXPECT_THAT(empty.err, HasSubstr("no pictures to measure with"));
}

}  // namespace
}  // namespace tessera::cli
