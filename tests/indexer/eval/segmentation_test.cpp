// The probe of patches: masks, classes of patches, counted figures, and the whole on pictures that are easy.
#include "tessera/indexer/eval_segmentation.h"

#include <gmock/gmock.h>
#include <png.h>

#include <set>

#include "eval/eval_fixture.h"
#include "eval/patch_cells.h"

namespace tessera::eval {
namespace {

using tessera::testing::FakeEncoder;
using test::error_of;
using test::TempDir;
using test::write_text;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// An indexed PNG, as those of VOC; its colours say nothing.
void write_mask(const std::filesystem::path& path, int width, int height, const std::vector<std::uint8_t>& classes) {
  std::filesystem::create_directories(path.parent_path());
  std::vector<std::uint8_t> palette(3 * 256, 9);
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.width = static_cast<png_uint_32>(width);
  png.height = static_cast<png_uint_32>(height);
  png.format = PNG_FORMAT_RGB_COLORMAP;
  png.colormap_entries = 256;
  ASSERT_NE(png_image_write_to_file(&png, path.c_str(), 0, classes.data(), 0, palette.data()), 0);
}

void write_grey(const std::filesystem::path& path, int width, int height, const std::vector<std::uint8_t>& values) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.width = static_cast<png_uint_32>(width);
  png.height = static_cast<png_uint_32>(height);
  png.format = PNG_FORMAT_GRAY;
  ASSERT_NE(png_image_write_to_file(&png, path.c_str(), 0, values.data(), 0, nullptr), 0);
}

TEST(IndexMask, ReadsIndicesAndGreys) {
  const TempDir folder;
  const std::vector<std::uint8_t> classes = {0, 1, 255, 20, 7, 0};
  write_mask(folder / "palette.png", 3, 2, classes);
  write_grey(folder / "grey.png", 3, 2, classes);
  for (const char* name : {"palette.png", "grey.png"}) {
    const IndexImage mask = read_index_mask(folder / name);
    EXPECT_EQ(mask.width, 3);
    EXPECT_EQ(mask.height, 2);
    EXPECT_EQ(mask.values, classes) << name;
  }
}

TEST(IndexMask, NamesTheFileThatIsNone) {
  const TempDir folder;
  write_image(folder / "colours.png", test::plain_picture(4, 4, 200, 10, 30));
  EXPECT_THAT(error_of([&] { read_index_mask(folder / "colours.png"); }, ErrorCode::kUnsupported),
              HasSubstr("colours.png: no grey or palette PNG"));
  write_text(folder / "text.png", "no picture");
  error_of([&] { read_index_mask(folder / "text.png"); }, ErrorCode::kUnsupported);
  write_mask(folder / "cut.png", 40, 40, std::vector<std::uint8_t>(1600, 3));
  std::filesystem::resize_file(folder / "cut.png", std::filesystem::file_size(folder / "cut.png") - 20);
  EXPECT_THAT(error_of([&] { read_index_mask(folder / "cut.png"); }), HasSubstr("cut.png: truncated PNG"));
  error_of([&] { read_index_mask(folder / "none.png"); }, ErrorCode::kNotFound);
}

TEST(Patches, HaveTheClassOfTheSmallestBoxAroundTheirCentre) {
  // A large box over the left half, a small one in its upper corner; category 4 before category 2.
  const std::vector<Box> boxes = {{2, 0, 0, 0.25, 0.5}, {4, 0, 0, 0.5, 1}};
  EXPECT_THAT(patches_of_boxes(boxes, {}, 2, 4), ElementsAre(3, 5, 0, 0, 5, 5, 0, 0));
  // Of the right three quarters of the picture.
  EXPECT_THAT(patches_of_boxes(boxes, {0.25, 0, 0.75, 1}, 1, 3), ElementsAre(5, 0, 0));
  EXPECT_THAT(patches_of_boxes({}, {}, 1, 2), ElementsAre(0, 0));
}

TEST(Patches, HaveTheMostFrequentValueOfTheMask) {
  const IndexImage mask{4,
                        2,
                        {1, 1, 255, 255,  //
                         1, 2, 255, 3}};
  const std::vector<int> ignored = {255};
  EXPECT_THAT(patches_of_mask(mask, {}, 1, 2, ignored), ElementsAre(1, -1));
  EXPECT_THAT(patches_of_mask(mask, {}, 2, 4, ignored), ElementsAre(1, 1, -1, -1, 1, 2, -1, 3));
  EXPECT_THAT(patches_of_mask(mask, {}, 1, 2, {}), ElementsAre(1, 255));
  EXPECT_THAT(patches_of_mask(mask, {0.75, 0.5, 0.25, 0.5}, 1, 1, ignored), ElementsAre(3));
  EXPECT_EQ(patches_of_mask(mask, {}, 8, 8, ignored).size(), 64U);  // smaller than the grid
}

// Class 0: 2 right of 3, once predicted for class 1. Class 1: 1 right of 2. Class 2 is only predicted.
TEST(Figures, MeanIntersectionOverUnionAsComputedByHand) {
  ClassCounts counts(4);
  for (const auto& [truth, predicted] : std::vector<std::pair<int, int>>{{0, 0}, {0, 0}, {0, 2}, {1, 1}, {1, 0}}) {
    counts.add(truth, predicted);
  }
  EXPECT_NEAR(mean_iou(counts), (2.0 / 4 + 1.0 / 2) / 2, 1e-12);
  ClassCounts other(4);
  other.add(3, 3);
  const std::vector<ClassCounts> pictures = {counts, other};
  const Interval interval = mean_iou_interval(pictures, 1);
  EXPECT_NEAR(interval.mean, (0.5 + 0.5 + 1) / 3, 1e-12);  // all pictures together, not their mean
  EXPECT_NEAR(interval.low, 0.5, 1e-12);                   // the first picture alone
  EXPECT_NEAR(interval.high, 1, 1e-12);
  EXPECT_EQ(mean_iou(ClassCounts(3)), 0);
}

TEST(PatchCells, TellColoursAndDirections) {
  const std::vector<float> plain = patch_cells(test::plain_picture(32, 16, 255, 0, 51));
  ASSERT_EQ(plain.size(), 2U * kCellWidth);
  EXPECT_THAT(std::span(plain).subspan(kCellWidth, 3), ElementsAre(1, 0, ::testing::FloatNear(0.2f, 1e-6f)));
  EXPECT_THAT(std::span(plain).subspan(3, kCellWidth - 3), Each(::testing::FloatNear(0, 1e-3f)));
  Image stripes = test::plain_picture(16, 16, 0, 0, 0);
  for (std::size_t i = 0; i < 256; ++i) {
    if (i % 4 < 2) std::fill_n(stripes.rgb.begin() + std::ptrdiff_t(3 * i), 3, 255);
  }
  const std::vector<float> upright = patch_cells(stripes);
  EXPECT_GT(upright[6], 0.5f);  // across
  EXPECT_THAT(std::span(upright).subspan(7, kCellDirections - 1), Each(0));
}

// Red and blue halves; what "decodes" them gives each patch the token that the encoder made of its side.
class SegmentationProbe : public ::testing::Test {
 protected:
  static constexpr int kSide = 64;

  void SetUp() override {
    std::filesystem::create_directories(folder_ / "pictures");
    for (int i = 0; i < 12; ++i) {
      Image image = test::plain_picture(kSide, kSide, 20 + i, 20, 220);
      std::vector<std::uint8_t> mask(kSide * kSide, 1);
      const bool left = i % 2 == 0;
      for (int at = 0; at < kSide * kSide; ++at) {
        if ((at % kSide < kSide / 2) != left) continue;
        image.rgb[std::size_t(3 * at)] = 230;
        image.rgb[std::size_t(3 * at + 2)] = static_cast<std::uint8_t>(10 + i);
        mask[std::size_t(at)] = at / kSide < 16 ? 255 : 4;
      }
      const std::string name = "p" + std::to_string(10 + i);
      write_image(folder_ / ("pictures/" + name + ".png"), image);
      write_mask(folder_ / ("masks/" + name + ".png"), kSide, kSide, mask);
    }
    write_image(folder_ / "pictures/unmasked.png", test::plain_picture(kSide, kSide, 0, 0, 0));
    set_ = read_masks(folder_ / "masks", folder_ / "pictures");
    batches_.resize = {ResizeSpec::Mode::kSquare, kSide, 16};
    batches_.batch = 5;
    request_.encoder = &encoder_;
    request_.token_counts = {1, 2};
    request_.decode = [this](const EncodedBatch& encoded) {
      decoded_tokens_.push_back(encoded.token_count);
      DecodedBatch result;
      result.batch = encoded.batch;
      result.grid_height = encoded.grid_height;
      result.grid_width = encoded.grid_width;
      result.width = 3;
      for (int image = 0; image < encoded.batch; ++image) {
        // FakeEncoder: eight cells of 4 values, two columns; token 1 is turned by three values.
        const std::span<const float> token = encoded.image_tokens(image);
        for (int patch = 0; patch < encoded.grid_height * encoded.grid_width; ++patch) {
          const bool right = patch % encoded.grid_width >= encoded.grid_width / 2;
          const bool known = encoded.token_count > 1;  // one token tells nothing of places
          for (int c = 0; c < 3; ++c) result.dense.push_back(known ? token[right ? 4 + c : c] : token[0]);
        }
      }
      return result;
    };
  }
  SegmentationSide side(std::vector<std::size_t> pictures) const {
    return {set_.pictures, &set_.masks, std::move(pictures)};
  }
  SegmentationResult probe() {
    return probe_segmentation(side({0, 1, 2, 3, 4, 5}), side({6, 7, 8, 9, 10, 11}), request_, {}, batches_);
  }

  TempDir folder_;
  MaskedSet set_;
  FakeEncoder encoder_;
  BatchOptions batches_;
  SegmentationRequest request_;
  std::vector<int> decoded_tokens_;
};

TEST_F(SegmentationProbe, ReadsTheMasksOfPictures) {
  ASSERT_EQ(set_.pictures.pictures.size(), 12U);  // unmasked.png is left out
  EXPECT_EQ(set_.masks.path(3), folder_ / "masks/p13.png");
}

TEST_F(SegmentationProbe, EachNumberOfTokensHasARowBesideTheBaselines) {
  const SegmentationResult result = probe();
  std::vector<std::string> names;
  for (const MeasuredRow& row : result.measured.rows) names.push_back(row.name);
  EXPECT_THAT(names, ElementsAre("dense:1", "dense:2", "cell", "majority"));
  EXPECT_THAT(result.measured.figures, ElementsAre("mIoU", "right"));
  EXPECT_EQ(result.classes, 5);
  EXPECT_EQ(result.training_patches, 6U * 14);  // two of sixteen do not count
  EXPECT_EQ(result.measured.queries, 6U);
  EXPECT_THAT(std::set<int>(decoded_tokens_.begin(), decoded_tokens_.end()), ElementsAre(1, 2));
  const auto figures = [&](std::size_t row) { return result.measured.rows[row].figures; };
  EXPECT_EQ(figures(1)[0].mean, 100);  // two tokens tell the sides
  EXPECT_EQ(figures(1)[1].mean, 100);
  EXPECT_EQ(figures(2)[0].mean, 100);                     // and so do the colours
  EXPECT_NEAR(figures(3)[1].mean, 100 * 8.0 / 14, 1e-9);  // the larger half
  EXPECT_NEAR(figures(3)[0].mean, 50 * 8.0 / 14, 1e-9);   // of two classes
  EXPECT_NEAR(figures(0)[1].mean, 100 * 8.0 / 14, 1e-9);  // one token tells the sides apart in nothing
}

TEST_F(SegmentationProbe, BoxesAreClassesToo) {
  EvalSet boxed = set_.pictures;
  boxed.categories = {"red"};
  for (std::size_t i = 0; i < boxed.pictures.size(); ++i) {
    boxed.pictures[i].boxes = {{0, i % 2 == 0 ? 0.0 : 0.5, 0, 0.5, 1}};
  }
  const SegmentationResult result =
      probe_segmentation({boxed, nullptr, {0, 1, 2, 3, 4, 5}}, {boxed, nullptr, {6, 7, 8, 9}}, request_, {}, batches_);
  EXPECT_EQ(result.classes, 2);
  EXPECT_EQ(result.measured.rows[1].figures[0].mean, 100);
  EXPECT_EQ(result.measured.rows[3].figures[1].mean, 50);
}

TEST_F(SegmentationProbe, TrainsOnASampleOfPatches) {
  request_.patches = 3;
  const SegmentationResult result = probe();
  EXPECT_EQ(result.training_patches, 18U);
  EXPECT_EQ(result.measured.rows[1].figures[0].mean, 100);
}

TEST_F(SegmentationProbe, PicturesWithADamagedMaskTakeNoPart) {
  write_text(folder_ / "masks/p12.png", "no picture");
  write_text(folder_ / "masks/p20.png", "no picture");
  const SegmentationResult result = probe();
  ASSERT_EQ(result.training_failures.size(), 1U);
  EXPECT_EQ(result.training_failures[0].picture, 2U);
  EXPECT_THAT(result.training_failures[0].reason, HasSubstr("masks/p12.png"));
  ASSERT_EQ(result.test_failures.size(), 1U);
  EXPECT_EQ(result.measured.queries, 5U);
  EXPECT_EQ(result.training_patches, 5U * 14);
}

TEST_F(SegmentationProbe, RefusesSidesWithoutAClass) {
  request_.ignored = {255, 1, 4};
  error_of([&] { probe(); }, ErrorCode::kUnsupported);
  request_.token_counts.clear();
  error_of([&] { probe(); }, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace tessera::eval
