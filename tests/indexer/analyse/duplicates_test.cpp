// Labels of pairs on altered pictures, groups out of pairs, and the duplicates of a small library.
#include "tessera/indexer/duplicates.h"

#include <gtest/gtest.h>

#include <set>

#include "analyse/duplicate_groups.h"
#include "analyse/pair_label.h"
#include "catalog/library_fixture.h"
#include "tessera/indexer/eval_copies.h"
#include "tessera/resize.h"

namespace tessera {
namespace {

using testing::make_picture;
using testing::TempDir;

// Rectangles and waves of each picture's own, so that no part of the picture is flat, in colours far from black and
// white.
Image busy_picture(unsigned seed, int width = 320, int height = 240) {
  Image image = make_picture(seed, width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      std::uint8_t* pixel = &image.rgb[3 * (std::size_t(y) * std::size_t(width) + std::size_t(x))];
      const double wave = 30 * std::sin(x / (15.0 + 4 * (seed % 7))) * std::cos(y / (17.0 + 5 * (seed % 5)));
      for (int c = 0; c < 3; ++c)
        pixel[c] = static_cast<std::uint8_t>(std::clamp(64 + pixel[c] / 2.0 + wave, 0.0, 255.0));
    }
  }
  return image;
}

std::optional<DuplicateLabel> label_of(const Image& a, const Image& b, float similarity = 0.75f) {
  const Look la = make_look(a);
  const Look lb = make_look(b);
  const auto judgement = judge_pair(&la, &lb, similarity);
  return judgement ? std::optional(judgement->label) : std::nullopt;
}

TEST(PairLabel, AlteredPicturesAreReencodedOrEdited) {
  using eval::Alteration;
  for (const unsigned seed : {1U, 2U, 3U, 4U}) {
    const Image picture = busy_picture(seed);
    const auto altered = [&](Alteration alteration) { return eval::altered(picture, alteration, seed); };
    EXPECT_EQ(label_of(picture, altered(Alteration::kRecompress)), DuplicateLabel::kReencoded) << seed;
    EXPECT_EQ(label_of(picture, resize_bicubic(picture, 480, 360)), DuplicateLabel::kReencoded) << seed;
    EXPECT_EQ(label_of(resize_bicubic(picture, 160, 120), picture), DuplicateLabel::kReencoded) << seed;
    for (const Alteration alteration :
         {Alteration::kCrop, Alteration::kRotate, Alteration::kMirror, Alteration::kBorder, Alteration::kColor}) {
      EXPECT_EQ(label_of(picture, altered(alteration)), DuplicateLabel::kEdited)
          << eval::alteration_name(alteration) << seed;
      EXPECT_EQ(label_of(altered(alteration), picture), DuplicateLabel::kEdited)
          << eval::alteration_name(alteration) << seed;
    }
  }
}

TEST(PairLabel, OtherPicturesAreASceneOnlyIfTheTokensSaySo) {
  const Image a = busy_picture(1), b = busy_picture(2);
  EXPECT_EQ(label_of(a, b, 0.80f), std::nullopt);
  EXPECT_EQ(label_of(a, b, 0.95f), DuplicateLabel::kSameScene);
  const Look look = make_look(a);
  EXPECT_EQ(judge_pair(&look, nullptr, 0.80f), std::nullopt);
  EXPECT_EQ(judge_pair(nullptr, &look, 0.99f)->label, DuplicateLabel::kSameScene);
  const auto near = judge_pair(nullptr, nullptr, 0.99f), far = judge_pair(nullptr, nullptr, 0.87f);
  EXPECT_GT(near->certainty, far->certainty);
}

TEST(PairLabel, APlacementSaysWhereTheInnerPictureLies) {
  const Image picture = busy_picture(9);
  const Placement placed = match_placed(make_look(picture), make_look(crop_image(picture, 40, 30, 240, 180)));
  EXPECT_FALSE(placed.a_is_inner);
  EXPECT_FALSE(placed.mirrored);
  EXPECT_NEAR(placed.scale, 0.75, 0.02);
  EXPECT_NEAR(placed.angle, 0, 1.0);
  EXPECT_GT(placed.correlation, 0.98f);
}

DuplicatePair pair_of(ImageId a, ImageId b, DuplicateLabel label, double certainty) {
  return {a, b, label, certainty, 0.9f, true};
}

std::set<std::pair<DuplicateLabel, std::vector<ImageId>>> shape_of(const std::vector<DuplicateGroup>& groups) {
  std::set<std::pair<DuplicateLabel, std::vector<ImageId>>> shape;
  for (const DuplicateGroup& group : groups) shape.emplace(group.label, group.images);
  return shape;
}

TEST(DuplicateGroups, EachKindContainsTheOneBefore) {
  using L = DuplicateLabel;
  const std::vector<DuplicatePair> pairs = {pair_of(1, 2, L::kReencoded, 0.99), pair_of(2, 3, L::kEdited, 0.9),
                                            pair_of(3, 4, L::kSameScene, 0.6), pair_of(7, 8, L::kSameScene, 0.5)};
  const auto groups = group_pairs(pairs, {});
  EXPECT_EQ(
      shape_of(groups),
      (std::set<std::pair<L, std::vector<ImageId>>>{
          {L::kReencoded, {1, 2}}, {L::kEdited, {1, 2, 3}}, {L::kSameScene, {1, 2, 3, 4}}, {L::kSameScene, {7, 8}}}));
  for (const DuplicateGroup& group : groups) {
    if (group.label == L::kEdited) {
      EXPECT_EQ(group.certainty, 0.9);
    }
  }
}

TEST(DuplicateGroups, VerdictsAndUnlikeMembersKeepGroupsApart) {
  using L = DuplicateLabel;
  const std::vector<DuplicatePair> pairs = {pair_of(1, 2, L::kEdited, 0.9), pair_of(2, 3, L::kEdited, 0.8)};
  GroupRules rules;
  rules.ruled_out = [](ImageId a, ImageId b) { return std::minmax(a, b) == std::minmax<ImageId>(1, 3); };
  EXPECT_EQ(shape_of(group_pairs(pairs, rules)), (std::set<std::pair<L, std::vector<ImageId>>>{{L::kEdited, {1, 2}}}));
  const std::vector<DuplicatePair> drift = {pair_of(1, 2, L::kSameScene, 0.7), pair_of(2, 3, L::kSameScene, 0.6),
                                            pair_of(3, 4, L::kSameScene, 0.65)};
  rules = {};
  rules.same_scene = [](ImageId a, ImageId b) { return std::abs(a - b) < 2; };
  EXPECT_EQ(shape_of(group_pairs(drift, rules)),
            (std::set<std::pair<L, std::vector<ImageId>>>{{L::kSameScene, {1, 2}}, {L::kSameScene, {3, 4}}}));
}

class Duplicates : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(dir_ / "photos");
    for (unsigned i = 0; i < 5; ++i) write_image(photo("p" + std::to_string(i)), busy_picture(20 + i));
    std::filesystem::copy_file(photo("p0"), photo("p0-again"));
    write_image(dir_ / "photos" / "p1.jpg", busy_picture(21), 60);
    write_image(photo("p2-cut"), crop_image(busy_picture(22), 16, 12, 288, 216));
    testing::index(library_, {dir_ / "photos"}, encoder_);
  }
  std::filesystem::path photo(const std::string& name) const { return dir_ / "photos" / (name + ".png"); }
  ImageId id(const std::filesystem::path& path) const { return library_.find_path(path).value(); }
  std::vector<ImageId> ids(const std::filesystem::path& a, const std::filesystem::path& b) const {
    std::vector<ImageId> both = {id(a), id(b)};
    std::sort(both.begin(), both.end());
    return both;
  }
  // The cheap encoder's similarities are all high, so only what pixels say is asked for.
  DuplicateOptions options() const {
    DuplicateOptions wanted;
    wanted.least = DuplicateLabel::kEdited;
    wanted.least_similarity = 0.5;
    return wanted;
  }

  TempDir dir_;
  testing::FakeEncoder encoder_;
  Library library_ = Library::open(dir_ / "lib", OpenMode::kCreate);
};

TEST_F(Duplicates, OfALibraryInOrderOfCertainty) {
  double furthest = 0;
  DuplicateOptions wanted = options();
  wanted.progress = [&](double share) { furthest = share; };
  const DuplicateReport report = find_duplicates(library_, wanted);
  ASSERT_EQ(report.groups.size(), 3U);
  EXPECT_EQ(report.groups[0].label, DuplicateLabel::kExact);
  EXPECT_EQ(report.groups[0].images, std::vector<ImageId>{id(photo("p0"))});
  EXPECT_EQ(report.groups[1].label, DuplicateLabel::kReencoded);
  EXPECT_EQ(report.groups[1].images, ids(photo("p1"), dir_ / "photos" / "p1.jpg"));
  EXPECT_EQ(report.groups[2].label, DuplicateLabel::kEdited);
  EXPECT_EQ(report.groups[2].images, ids(photo("p2"), photo("p2-cut")));
  EXPECT_GT(report.groups[1].certainty, report.groups[2].certainty);
  EXPECT_EQ(report.unreadable, 0);
  EXPECT_DOUBLE_EQ(furthest, 1);
}

TEST_F(Duplicates, AVerdictHoldsAndANewMemberBringsOnlyItself) {
  const ContentHash first = library_.image(id(photo("p2"))).hash;
  const ContentHash cut = library_.image(id(photo("p2-cut"))).hash;
  DuplicateOptions wanted = options();
  wanted.ruled_out = [&](const ContentHash& a, const ContentHash& b) {
    return (a == first && b == cut) || (a == cut && b == first);
  };
  EXPECT_EQ(find_duplicates(library_, wanted).groups.size(), 2U);
  write_image(dir_ / "photos" / "p2.jpg", busy_picture(22), 70);
  testing::index(library_, {dir_ / "photos"}, encoder_);
  const DuplicateReport report = find_duplicates(library_, wanted);
  std::set<std::vector<ImageId>> groups;
  for (const DuplicateGroup& group : report.groups) groups.insert(group.images);
  EXPECT_TRUE(groups.contains(ids(photo("p2"), dir_ / "photos" / "p2.jpg")));
  for (const auto& images : groups) {
    EXPECT_FALSE(std::count(images.begin(), images.end(), id(photo("p2"))) > 0 &&
                 std::count(images.begin(), images.end(), id(photo("p2-cut"))) > 0);
  }
}

TEST_F(Duplicates, UnreadableFilesAreCountedAndNeverCalledCopies) {
  std::filesystem::resize_file(photo("p2-cut"), 100);
  const DuplicateReport report = find_duplicates(library_, options());
  EXPECT_EQ(report.unreadable, 1);
  EXPECT_EQ(report.groups.size(), 2U);
  DuplicateOptions some = options();
  some.among = {id(photo("p0")), id(photo("p3"))};
  EXPECT_EQ(find_duplicates(library_, some).groups.size(), 1U);
  some.among.reset();
  some.least = DuplicateLabel::kExact;
  EXPECT_EQ(find_duplicates(library_, some).compared, 0);
  std::stop_source source;
  source.request_stop();
  some.stop = source.get_token();
  EXPECT_THROW(find_duplicates(library_, some), Error);
}

}  // namespace
}  // namespace tessera
