// Marks, tags, collections and verdicts: what is set is read back, belongs to the content and outlives files.
#include "tessera/indexer/curation.h"

#include <gmock/gmock.h>

#include <array>

#include "catalog/sqlite.h"
#include "curation_fixture.h"
#include "test_paths.h"

namespace tessera {
namespace {

using namespace tessera::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class CurationTest : public ::testing::Test {
 protected:
  void SetUp() override { make_library(dir_ / "library"); }
  Curation open(OpenMode mode = OpenMode::kWrite) const { return Curation::open(dir_ / "library", mode); }

  TempDir dir_;
  const std::vector<ContentHash> contents_ = made_up_contents(8);
};

TEST_F(CurationTest, MarksChangeOnlyWhatIsAskedFor) {
  Curation curation = open();
  EXPECT_EQ(curation.marks(contents_[0]), Marks{});
  EXPECT_EQ(curation.set_marks(std::span(contents_).first(3), {.flag = Flag::kPick, .rating = 4}), 3);
  EXPECT_EQ(curation.set_marks(std::span(contents_).subspan(2, 2), {.label = ColorLabel::kBlue}), 2);
  EXPECT_EQ(curation.marks(contents_[0]), (Marks{Flag::kPick, 4, ColorLabel::kNone}));
  EXPECT_EQ(curation.marks(contents_[2]), (Marks{Flag::kPick, 4, ColorLabel::kBlue}));
  EXPECT_EQ(curation.marks(contents_[3]), (Marks{Flag::kNone, 0, ColorLabel::kBlue}));
  EXPECT_EQ(curation.set_marks(std::span(contents_).first(4), {.rating = 4}), 1) << "three have that rating already";
  EXPECT_EQ(open(OpenMode::kRead).marks(contents_[2]), (Marks{Flag::kPick, 4, ColorLabel::kBlue}));
}

TEST_F(CurationTest, EveryMarkSurvivesPacking) {
  Curation curation = open();
  for (int flag = -1; flag <= 1; ++flag) {
    for (int rating = 0; rating <= 5; ++rating) {
      for (int label = 0; label <= 5; ++label) {
        const Marks marks{static_cast<Flag>(flag), rating, static_cast<ColorLabel>(label)};
        curation.set_marks(std::array{contents_[0]}, {marks.flag, marks.rating, marks.label});
        ASSERT_EQ(curation.marks(contents_[0]), marks);
      }
    }
  }
}

TEST_F(CurationTest, NamesOfMarks) {
  for (const Flag flag : {Flag::kReject, Flag::kNone, Flag::kPick}) EXPECT_EQ(parse_flag(flag_name(flag)), flag);
  for (int label = 0; label <= 5; ++label) {
    EXPECT_EQ(parse_label(label_name(static_cast<ColorLabel>(label))), static_cast<ColorLabel>(label));
  }
  std::string message;
  EXPECT_EQ(code_of([] { parse_label("pink"); }, &message), ErrorCode::kInvalidArgument);
  EXPECT_THAT(message, HasSubstr("red, yellow"));
}

TEST_F(CurationTest, RefusesWhatMakesNoSense) {
  Curation curation = open();
  EXPECT_EQ(code_of([&] { curation.set_marks(contents_, {.rating = 6}); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of([&] { curation.set_marks(contents_, {.rating = -1}); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of([&] {
              curation.set_marks(std::array{contents_[0], ContentHash{}}, {.rating = 1});
            }),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(curation.marks(contents_[0]), Marks{}) << "a change is made as a whole or not at all";
  for (const std::string& name : {std::string(), std::string(257, 'a'), std::string("a\nb"), std::string("\xff"),
                                  std::string(" a"), std::string("a ")}) {
    EXPECT_EQ(code_of([&] { curation.change_tags(contents_, std::array{name}, {}); }), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code_of([&] { curation.create_collection(name); }), ErrorCode::kInvalidArgument);
  }
  EXPECT_EQ(code_of([&] {
              curation.set_verdicts(std::array{ContentPair{contents_[0], contents_[0]}}, {});
            }),
            ErrorCode::kInvalidArgument);
  Curation reader = open(OpenMode::kRead);
  EXPECT_EQ(code_of([&] { reader.set_marks(contents_, {.rating = 1}); }), ErrorCode::kReadOnly);
  EXPECT_EQ(code_of([&] { reader.undo(); }), ErrorCode::kReadOnly);
  EXPECT_EQ(code_of([&] { Curation::open(dir_ / "nothing", OpenMode::kWrite); }), ErrorCode::kNotFound);
}

TEST_F(CurationTest, TagsAreSetsOfNames) {
  Curation curation = open();
  const std::array names{std::string("Öl"), std::string("Places/Vienna")};
  EXPECT_EQ(curation.change_tags(std::span(contents_).first(3), names, {}), 3);
  EXPECT_EQ(curation.change_tags(std::span(contents_).first(2), {}, std::span(names).first(1)), 2);
  EXPECT_EQ(curation.change_tags(std::span(contents_).first(2), {}, std::span(names).first(1)), 0);
  EXPECT_THAT(curation.tags(contents_[0]), ElementsAre("Places/Vienna"));
  EXPECT_THAT(curation.tags(contents_[2]), ElementsAre("Places/Vienna", "Öl"));
  std::map<std::string, std::int64_t> counts;
  for (const Tag& tag : curation.tags()) counts[tag.name] = tag.contents;
  EXPECT_EQ(counts, (std::map<std::string, std::int64_t>{{"Öl", 1}, {"Places/Vienna", 3}}));
  EXPECT_EQ(curation.rename_tag("Öl", "Places/Vienna"), 1);
  EXPECT_THAT(curation.tags(contents_[2]), ElementsAre("Places/Vienna"));
  EXPECT_EQ(code_of([&] { curation.rename_tag("Öl", "x"); }), ErrorCode::kNotFound);
  curation.undo();
  EXPECT_THAT(curation.tags(contents_[2]), ElementsAre("Places/Vienna", "Öl"));
}

TEST_F(CurationTest, ACollectionMadeOfPicturesIsOneStep) {
  Curation curation = open();
  const CollectionId id = curation.create_collection("new", std::array{contents_[2], contents_[0], contents_[2]});
  EXPECT_THAT(curation.collection_contents(id), ElementsAre(contents_[2], contents_[0]));
  EXPECT_EQ(curation.next_undo()->title, "new collection 'new' with 2 pictures");
  EXPECT_TRUE(curation.undo());
  EXPECT_FALSE(curation.find_collection("new"));
  EXPECT_TRUE(curation.redo());
  EXPECT_THAT(curation.collection_contents(id), ElementsAre(contents_[2], contents_[0]));
}

TEST_F(CurationTest, CollectionsKeepTheirOrder) {
  Curation curation = open();
  const CollectionId best = curation.create_collection("best");
  EXPECT_EQ(code_of([&] { curation.create_collection("best"); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(curation.add_to_collection(best, std::array{contents_[3], contents_[1], contents_[2]}), 3);
  EXPECT_EQ(curation.add_to_collection(best, std::array{contents_[1], contents_[0]}), 1);
  EXPECT_THAT(curation.collection_contents(best), ElementsAre(contents_[3], contents_[1], contents_[2], contents_[0]));
  curation.order_collection(best, std::array{contents_[0], contents_[7], contents_[1]});
  EXPECT_THAT(curation.collection_contents(best), ElementsAre(contents_[0], contents_[1], contents_[3], contents_[2]));
  EXPECT_EQ(curation.remove_from_collection(best, std::array{contents_[3], contents_[7]}), 1);
  curation.rename_collection(best, "the best");
  const CollectionId red = curation.create_collection("red", CollectionKind::kSavedSearch, "label=red");
  curation.set_collection_search(red, "label=red rating=5");
  const auto all = curation.collections();
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[0].name, "red");
  EXPECT_EQ(all[0].kind, CollectionKind::kSavedSearch);
  EXPECT_EQ(all[0].search, "label=red rating=5");
  EXPECT_EQ(all[1].name, "the best");
  EXPECT_EQ(all[1].contents, 3);
  curation.remove_collection(best);
  EXPECT_FALSE(curation.find_collection("the best"));
  EXPECT_EQ(code_of([&] { curation.add_to_collection(best, contents_); }), ErrorCode::kNotFound);
  EXPECT_TRUE(curation.undo());
  ASSERT_TRUE(curation.find_collection("the best"));
  EXPECT_THAT(curation.collection_contents(best), ElementsAre(contents_[0], contents_[1], contents_[2]));
}

TEST_F(CurationTest, VerdictsAreOfUnorderedPairs) {
  Curation curation = open();
  curation.set_marks(contents_, {.rating = 1});  // contents get their numbers in this order
  const ContentPair pair{contents_[5], contents_[2]};
  EXPECT_EQ(curation.set_verdicts(std::array{pair, ContentPair{pair.b, pair.a}}, Verdict::kNotDuplicate), 1);
  EXPECT_EQ(curation.verdict(pair.a, pair.b), Verdict::kNotDuplicate);
  EXPECT_EQ(curation.verdict(pair.b, pair.a), Verdict::kNotDuplicate);
  EXPECT_FALSE(curation.verdict(pair.a, contents_[3]));
  EXPECT_EQ(curation.set_verdicts(std::array{ContentPair{pair.b, pair.a}}, Verdict::kDuplicate), 1);
  ASSERT_THAT(curation.verdicts(), SizeIs(1));
  EXPECT_EQ(curation.verdicts()[0].verdict, Verdict::kDuplicate);
  EXPECT_EQ(curation.set_verdicts(std::array{pair}, std::nullopt), 1);
  EXPECT_THAT(curation.verdicts(), IsEmpty());
}

TEST_F(CurationTest, MarksOutliveTheirFiles) {
  const auto photo = dir_ / "photos" / "a.png";
  write_picture(photo, 1);
  FakeEncoder encoder;
  ContentHash hash;
  {
    Library library = Library::open(dir_ / "library", OpenMode::kWrite);
    index(library, {dir_ / "photos"}, encoder);
    const ImageRecord record = library.image(*library.find_path(photo));
    hash = record.hash;
    Curation curation = open();  // beside the writer
    curation.set_marks(std::array{hash}, {.flag = Flag::kPick, .rating = 5});
    curation.change_tags(std::array{hash}, std::array{std::string("cat")}, {});
    const auto pictures = curation.picture_marks();
    ASSERT_THAT(pictures, SizeIs(1));
    EXPECT_EQ(pictures[0].id, record.id);
    EXPECT_EQ(pictures[0].marks.rating, 5);
    EXPECT_THAT(pictures[0].tags, ElementsAre(curation.tags()[0].id));
    library.remove(std::array{photo});
    library.compact();
    EXPECT_THAT(curation.picture_marks(), IsEmpty());
    index(library, {dir_ / "photos"}, encoder);
    EXPECT_THAT(problems_of(library), IsEmpty());
  }
  EXPECT_EQ(open().marks(hash), (Marks{Flag::kPick, 5, ColorLabel::kNone}));
  EXPECT_THAT(open().picture_marks(), SizeIs(1));
}

TEST_F(CurationTest, TheGenerationGrowsWithChangesOnly) {
  Curation curation = open();
  const Curation reader = open(OpenMode::kRead);
  const std::int64_t start = reader.generation();
  curation.set_marks(contents_, {.rating = 2});
  EXPECT_EQ(reader.generation(), start + 1);
  curation.set_marks(contents_, {.rating = 2});
  EXPECT_EQ(reader.generation(), start + 1);
  curation.undo();
  EXPECT_EQ(reader.generation(), start + 2);
  EXPECT_EQ(curation.undo(), std::nullopt);
  EXPECT_EQ(reader.generation(), start + 2);
}

TEST(CurationVersion1, IsReadAsEmptyAndBroughtUpToDateForWriting) {
  TempDir dir;
  const auto library_dir = dir / "library";
  std::filesystem::copy(test::data_dir() / "library_v1", library_dir, std::filesystem::copy_options::recursive);
  const auto version = [&] {
    catalog::Database db(library_dir / "catalog.sqlite", catalog::Database::Access::kRead);
    return db.query_int("PRAGMA user_version");
  };
  Library library = Library::open(library_dir, OpenMode::kRead);
  const ImageRecord record = library.image(*library.find_path("/photos/b.png"));
  EXPECT_FALSE(record.taken);
  {
    const Curation reader = Curation::open(library_dir, OpenMode::kRead);
    EXPECT_EQ(reader.generation(), 0);
    EXPECT_EQ(reader.marks(record.hash), Marks{});
    EXPECT_THAT(reader.tags(), IsEmpty());
    EXPECT_THAT(reader.tags(record.hash), IsEmpty());
    EXPECT_THAT(reader.picture_marks(), IsEmpty());
    EXPECT_THAT(reader.collections(), IsEmpty());
    EXPECT_THAT(reader.verdicts(), IsEmpty());
    EXPECT_THAT(reader.journal(), IsEmpty());
  }
  EXPECT_EQ(version(), 1);
  Curation curation = Curation::open(library_dir, OpenMode::kWrite);
  EXPECT_EQ(version(), 2);
  curation.set_marks(std::array{record.hash}, {.rating = 3});
  EXPECT_THAT(Curation::open(library_dir, OpenMode::kRead).picture_marks(), SizeIs(1));
  EXPECT_THAT(list_all(library), SizeIs(4)) << "who had it open for reading goes on";
  library.refresh();
  EXPECT_THAT(list_all(library), SizeIs(4));
  EXPECT_THAT(problems_of(Library::open(library_dir, OpenMode::kRead)), IsEmpty());
}

}  // namespace
}  // namespace tessera
