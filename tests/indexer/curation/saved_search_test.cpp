// Saved searches: text and back, damaged text, and where their examples are later.
#include "tessera/indexer/saved_search.h"

#include <array>

#include "curation_fixture.h"

namespace tessera {
namespace {

using namespace tessera::testing;

SavedSearch whole_search() {
  SavedSearch search;
  search.examples.push_back({made_up_content(7), "/photos/a b.jpg", {}, false});
  search.examples.push_back({{}, "/tmp/\xff.png", PictureRegion{0.125, 0.25, 0.5, 0.75, true}, false});
  search.examples.push_back({made_up_content(8), "/photos/c.jpg", {}, true});
  search.tokens = 4;
  search.rerank_weight = 0.7F;
  search.precision = 0.9;
  search.not_weight = 0.3F;
  search.filter.rating.least = 3;
  search.filter.tags = {"like it"};
  return search;
}

TEST(SavedSearch, ComesBackAsItWas) {
  const SavedSearch search = whole_search();
  const std::string text = saved_search_text(search);
  const SavedSearch back = parse_saved_search(text);
  ASSERT_EQ(back.examples.size(), 3U);
  EXPECT_EQ(back.examples[0].content, search.examples[0].content);
  EXPECT_EQ(back.examples[0].file, search.examples[0].file);
  EXPECT_FALSE(back.examples[0].region);
  EXPECT_FALSE(back.examples[1].content);
  EXPECT_EQ(back.examples[1].file, search.examples[1].file);
  EXPECT_EQ(back.examples[1].region->x, 0.125);
  EXPECT_EQ(back.examples[1].region->height, 0.75);
  EXPECT_TRUE(back.examples[1].region->fractions);
  EXPECT_TRUE(back.examples[2].negative);
  EXPECT_EQ(back.tokens, 4);
  EXPECT_EQ(back.rerank_weight, 0.7F);
  EXPECT_EQ(back.precision, 0.9);
  EXPECT_EQ(back.not_weight, 0.3F);
  EXPECT_EQ(back.filter, search.filter);
  EXPECT_EQ(saved_search_text(back), text);
}

TEST(SavedSearch, AFilterAloneIsItsOwnText) {
  SavedSearch search;
  search.filter.rating.least = 3;
  EXPECT_EQ(saved_search_text(search), filter_text(search.filter));
  EXPECT_TRUE(parse_saved_search("rating 3..\n").examples.empty());
  EXPECT_EQ(parse_saved_search("rating 3..\n").filter, search.filter);
}

TEST(SavedSearch, WhatIsDamagedIsRefused) {
  const std::string content(32, 'a');
  const std::string like = "like " + content + ":5 /a.jpg\n";
  ASSERT_EQ(parse_saved_search(like).examples.size(), 1U);
  const std::array damaged{
      "like " + content + " /a.jpg\n",
      "like " + content + ":x /a.jpg\n",
      "like " + std::string(32, 'g') + ":5 /a.jpg\n",
      "like " + content + ":5\n",
      std::string("like - a.jpg\n"),
      std::string("unlike - /a.jpg\n"),
      std::string("region 0,0,1,1\n"),
      like + "region 0,0,1\n",
      like + "region 0.5,0,0.6,1\n",
      like + "region 0,0,0,1\n",
      like + "region 0,0,nan,1\n",
      like + "tokens -1\n",
      like + "rerank-weight 1.5\n",
      like + "precision 1\n",
      like + "not-weight 0\n",
      like + "nonsense 3\n",
      like + "rating 9\n",
  };
  for (const std::string& text : damaged) {
    EXPECT_EQ(code_of([&] { parse_saved_search(text); }), ErrorCode::kInvalidArgument) << text;
  }
}

TEST(SavedSearch, WhatCannotBeWrittenIsRefused) {
  SavedSearch search;
  search.examples.push_back({{}, "/a.jpg", {}, true});
  EXPECT_EQ(code_of([&] { saved_search_text(search); }), ErrorCode::kInvalidArgument) << "nothing is wanted";
  search.examples.push_back({{}, "/a\nb.jpg", {}, false});
  EXPECT_EQ(code_of([&] { saved_search_text(search); }), ErrorCode::kInvalidArgument);
  search.examples.back().file = "a.jpg";
  EXPECT_EQ(code_of([&] { saved_search_text(search); }), ErrorCode::kInvalidArgument);
}

TEST(SavedSearch, ExamplesAreFoundWhereTheyAreNow) {
  const TempDir dir;
  std::filesystem::create_directories(dir / "photos");
  write_picture(dir / "photos" / "a.png", 1, 64, 64);
  write_picture(dir / "outside.png", 2, 64, 64);
  FakeEncoder encoder;
  Library library = Library::open(dir / "library", OpenMode::kCreate);
  index(library, {dir / "photos"}, encoder);
  const ImageRecord record = list_all(library).at(0);
  const SavedExample kept{record.hash, dir / "photos" / "a.png", {}, false};
  EXPECT_EQ(find_example(library, kept).id, record.id);
  std::filesystem::rename(dir / "photos" / "a.png", dir / "photos" / "b.png");
  index(library, {dir / "photos"}, encoder);
  EXPECT_EQ(find_example(library, kept).id, record.id);
  EXPECT_EQ(find_example(library, kept).file, dir / "photos" / "b.png");
  const SavedExample outside{{}, dir / "outside.png", {}, false};
  EXPECT_EQ(find_example(library, outside).id, 0);
  EXPECT_EQ(find_example(library, outside).file, outside.file);
  const SavedExample gone{made_up_content(3), dir / "gone.png", {}, false};
  EXPECT_EQ(code_of([&] { find_example(library, gone); }), ErrorCode::kNotFound);
}

TEST(SavedSearch, ItsConditionsAndThoseOfTheMomentBothCount) {
  const TempDir dir;
  for (const char* folder : {"lagoon", "hills"}) {
    std::filesystem::create_directories(dir / "photos" / folder);
    write_picture(dir / "photos" / folder / "small.png", folder[0], 48, 48);
    write_picture(dir / "photos" / folder / "large.png", folder[0] + 1, 96, 96);
  }
  FakeEncoder encoder;
  Library library = Library::open(dir / "library", OpenMode::kCreate);
  index(library, {dir / "photos"}, encoder);
  CatalogFilter lagoon, large;
  lagoon.text = "lagoon";
  large.pixels.least = 64 * 64;
  EXPECT_EQ(passing_both(library, {}, {}), std::nullopt);
  EXPECT_EQ(passing_both(library, lagoon, {}), library.matching(lagoon));
  EXPECT_EQ(passing_both(library, {}, large), library.matching(large));
  const auto both = passing_both(library, lagoon, large);
  ASSERT_TRUE(both);
  ASSERT_EQ(both->size(), 1U);
  EXPECT_EQ(library.image(both->front()).files.at(0).path, dir / "photos" / "lagoon" / "large.png");
}

TEST(SavedSearch, OneByPicturesIsNoCondition) {
  const TempDir dir;
  const Library library = Library::open(dir / "library", OpenMode::kCreate);
  Curation::open(dir / "library", OpenMode::kWrite)
      .create_collection("like it", CollectionKind::kSavedSearch, saved_search_text(whole_search()));
  CatalogFilter filter;
  filter.collection = "like it";
  EXPECT_EQ(code_of([&] { library.matching(filter); }), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace tessera
