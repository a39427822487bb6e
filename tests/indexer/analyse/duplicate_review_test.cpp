// Groups of duplicates for a person: verdicts, files that have gone, and what stays for each file that goes.
#include "tessera/indexer/duplicate_review.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "catalog/library_fixture.h"

namespace tessera {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::TempDir;

// a.png and its copy, b.png, c.png. What is a group is said by the tests.
class DuplicateReview : public ::testing::Test {
 protected:
  DuplicateReview() {
    unsigned seed = 1;
    for (const char* name : {"a.png", "b.png", "c.png"}) testing::write_picture(photo(name), seed++);
    std::filesystem::copy_file(photo("a.png"), photo("z copy.png"));
    testing::index(library_, {dir_ / "photos"}, encoder_);
  }
  std::filesystem::path photo(const std::string& name) const { return dir_ / "photos" / name; }
  ImageId id(const std::string& name) const { return library_.find_path(photo(name)).value(); }
  ContentHash hash(const std::string& name) const { return library_.image(id(name)).hash; }
  DuplicateGroup exact() const { return {DuplicateLabel::kExact, 1, {id("a.png")}}; }
  DuplicateGroup near(std::vector<ImageId> images) const {
    std::sort(images.begin(), images.end());
    return {DuplicateLabel::kReencoded, 0.97, std::move(images)};
  }
  std::vector<ReviewedGroup> review(const std::vector<DuplicateGroup>& groups) {
    return review_duplicates(library_, Curation::open(library_.dir(), OpenMode::kRead), groups,
                             parse_keep_rules(kStandardKeepRules));
  }
  static auto by_rule() {
    return [](const KeepDecision& decision) { return !decision.keep; };
  }

  TempDir dir_;
  testing::FakeEncoder encoder_;
  Library library_ = Library::open(dir_ / "lib", OpenMode::kCreate);
};

TEST_F(DuplicateReview, FilesComeWithWhatTheRulesSay) {
  const auto groups = review({exact(), near({id("b.png"), id("c.png")})});
  ASSERT_THAT(groups, SizeIs(2));
  EXPECT_THAT(groups[0].files, SizeIs(2));
  EXPECT_THAT(groups[0].pictures(), ElementsAre(id("a.png")));
  EXPECT_THAT(groups[0].pairs(), IsEmpty());
  EXPECT_THAT(groups[1].pictures(), SizeIs(2));
  EXPECT_THAT(groups[1].pairs(), SizeIs(1));
  EXPECT_TRUE(groups[1].files[0].keep && !groups[1].files[1].keep);
}

TEST_F(DuplicateReview, AGroupEndsWhenAllItsPairsAreRuledOut) {
  const std::vector<DuplicateGroup> groups = {exact(), near({id("a.png"), id("b.png"), id("c.png")})};
  Curation curation = Curation::open(library_.dir(), OpenMode::kWrite);
  const auto rule_out = [&](const char* a, const char* b) {
    const ContentPair pair{hash(a), hash(b)};
    curation.set_verdicts({&pair, 1}, Verdict::kNotDuplicate);
  };
  rule_out("b.png", "a.png");
  EXPECT_TRUE(ruled_out_pairs(curation)(hash("a.png"), hash("b.png")));
  EXPECT_TRUE(ruled_out_pairs(curation)(hash("b.png"), hash("a.png")));
  EXPECT_FALSE(ruled_out_pairs(curation)(hash("a.png"), hash("c.png")));
  rule_out("a.png", "c.png");
  EXPECT_THAT(review(groups), SizeIs(2));
  rule_out("b.png", "c.png");
  ASSERT_THAT(review(groups), SizeIs(1));  // copies of one content are no pair to rule out
  EXPECT_EQ(review(groups)[0].label, DuplicateLabel::kExact);
}

TEST_F(DuplicateReview, FilesThatHaveGoneMakeAGroupSmallerOrNone) {
  const std::vector<DuplicateGroup> groups = {exact(), near({id("b.png"), id("c.png")})};
  std::filesystem::remove(photo("z copy.png"));
  testing::index(library_, {dir_ / "photos"}, encoder_);
  EXPECT_THAT(review(groups), SizeIs(1));
  std::filesystem::remove(photo("c.png"));
  testing::index(library_, {dir_ / "photos"}, encoder_);
  EXPECT_THAT(review(groups), IsEmpty());
  EXPECT_THAT(review({near({id("b.png"), 4711})}), IsEmpty());
}

TEST_F(DuplicateReview, WhatStaysIsAFileThatDoesNotGo) {
  const auto groups = review({exact(), near({id("b.png"), id("c.png")})});
  const auto files = files_to_trash(groups, by_rule());
  ASSERT_THAT(files, SizeIs(2));
  EXPECT_EQ(files[0].file, groups[1].files[1].file.file.path);
  EXPECT_EQ(files[0].kept, groups[1].files[0].file.image->hash);
  EXPECT_EQ(files[1].file, photo("z copy.png"));
  EXPECT_EQ(files[1].kept, hash("a.png"));
}

// a.png stays in one group, and all of the other one it is in shall go: what stays is found in the first.
TEST_F(DuplicateReview, AFileOfTwoGroupsStandsOnTheOneThatKeepsAPicture) {
  const auto groups = review({near({id("b.png"), id("c.png")}), near({id("a.png"), id("b.png")})});
  const auto goes = [&](const KeepDecision& decision) {
    return decision.file.file.path == photo("b.png") || decision.file.file.path == photo("c.png");
  };
  const auto files = files_to_trash(groups, goes);
  ASSERT_THAT(files, SizeIs(2));
  EXPECT_EQ(files[0].file, photo("b.png"));
  EXPECT_EQ(files[0].kept, hash("a.png"));
  EXPECT_EQ(files[1].file, photo("c.png"));  // nothing of its group stays: refused later
  Curation curation = Curation::open(library_.dir(), OpenMode::kWrite);
  ::setenv("XDG_DATA_HOME", (dir_ / "data").c_str(), 1);
  const ActionReport report = FileActions(curation).trash_duplicates(files);
  EXPECT_EQ(report.done, 1);
  EXPECT_TRUE(std::filesystem::exists(photo("c.png")));
  EXPECT_FALSE(std::filesystem::exists(photo("b.png")));
}

}  // namespace
}  // namespace tessera
