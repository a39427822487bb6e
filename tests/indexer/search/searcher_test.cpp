// Both stages against the brute-force oracle: segments, deletes, filters, exclusions, budgets, approximate indexes.
#include "search/searcher.h"

#include <gtest/gtest.h>

#include <thread>

#include "search/search_fixture.h"
#include "tessera/error.h"

namespace tessera {
namespace {

using test::TestLibrary;

// Scores of the oracle are double sums; two candidates closer than the fixed-point error may change places.
void expect_like_oracle(const SearchResult& result, const std::vector<SearchHit>& expected, const std::string& what) {
  ASSERT_EQ(result.hits.size(), expected.size()) << what;
  std::map<ImageId, SearchHit> by_id;
  for (const SearchHit& hit : expected) by_id[hit.id] = hit;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const SearchHit& hit = result.hits[i];
    EXPECT_NEAR(hit.score, expected[i].score, 3e-4) << what << " rank " << i;
    const auto found = by_id.find(hit.id);
    if (found == by_id.end()) {
      EXPECT_NEAR(hit.score, expected.back().score, 3e-4) << what << " rank " << i;
      continue;
    }
    EXPECT_NEAR(hit.coarse_score, found->second.coarse_score, 1e-5) << what;
    EXPECT_NEAR(hit.rerank_score, found->second.rerank_score, 3e-4) << what;
    EXPECT_EQ(hit.coarse_rank, found->second.coarse_rank) << what;
    if (i > 0) {
      EXPECT_TRUE(result.hits[i - 1].score > hit.score ||
                  (result.hits[i - 1].score == hit.score && result.hits[i - 1].id < hit.id))
          << what;
    }
  }
}

class SearcherOfWidth : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Widths, SearcherOfWidth, testing::Values(6, 64, 384, 768, 2560));

TEST_P(SearcherOfWidth, IsTheOracleForEveryMethodBudgetAndSize) {
  TestLibrary library(GetParam(), 8, {90, 0, 33, 150}, 5);
  for (const double deleted : {0.0, 0.4}) {
    library.delete_rows(deleted);
    const Searcher searcher(library.parts());
    for (const RerankMethod method : {RerankMethod::kNone, RerankMethod::kAligned, RerankMethod::kMaxSim}) {
      for (const int k : {1, 10, 1000}) {
        SearchOptions options;
        options.k = k;
        options.rerank = method;
        options.candidates = 50;
        options.tokens = k == 10 ? 3 : 0;
        options.rerank_weight = k == 10 ? 1.0f : k == 1000 ? 0.0f : SearchOptions{}.rerank_weight;
        const Query query = library.query();
        const SearchResult result = searcher.search(query, options);
        EXPECT_EQ(result.coarse_used, CoarseMethod::kExact);
        EXPECT_EQ(result.searched, searcher.images());
        expect_like_oracle(result, test::oracle_search(library.parts(), query, options),
                           std::string(rerank_method_name(method)) + " k " + std::to_string(k));
      }
    }
  }
}

TEST(Searcher, FiltersAndExclusions) {
  TestLibrary library(32, 4, {100, 57}, 6);
  const int deleted = library.delete_rows(0.2);
  const Searcher searcher(library.parts());
  EXPECT_EQ(searcher.images(), 157 - deleted);
  const Query query = library.query();
  SearchOptions options;
  options.k = 12;
  options.exclude = {3, 99999, -5, 20, 21};
  std::vector<ImageId> allowed;
  for (ImageId id = 157; id > 0; id -= 3) allowed.push_back(id);
  const auto in_allowed = [&](ImageId id) { return std::count(allowed.begin(), allowed.end(), id) > 0; };
  const SearchResult result = searcher.search(query, options, allowed);
  expect_like_oracle(result, test::oracle_search(library.parts(), query, options, in_allowed), "dense ids");
  EXPECT_LT(result.searched, 60);

  allowed.push_back(ImageId{1} << 60);  // too far apart for one bit per id
  const SearchResult sparse = searcher.search(query, options, allowed);
  ASSERT_EQ(sparse.hits.size(), result.hits.size());
  for (std::size_t i = 0; i < sparse.hits.size(); ++i) EXPECT_EQ(sparse.hits[i].id, result.hits[i].id);

  const SearchResult none = searcher.search(query, options, std::span<const ImageId>());
  EXPECT_TRUE(none.hits.empty());
  EXPECT_EQ(none.searched, 0);
}

TEST(Searcher, EmptyLibraryHasNoHits) {
  const Searcher nothing({});
  const Query query{{{{1, 0}, 1, 1.0f}}, 2};
  EXPECT_TRUE(nothing.search(query, {}).hits.empty());
  TestLibrary library(2, 2, {5}, 1);
  library.delete_rows(1.0);
  const Searcher deleted(library.parts());
  EXPECT_EQ(deleted.images(), 0);
  EXPECT_TRUE(deleted.search(query, {}).hits.empty());
}

TEST(Searcher, EqualPicturesComeInOrderOfId) {
  TestLibrary library(16, 4, {}, 2);
  test::ImageMaker maker(16, 4, 8);
  const std::vector<test::TestImage> same(30, maker.image(4));
  std::vector<SearchPart> parts;
  for (int s = 0; s < 3; ++s) {
    const auto segment =
        test::write_segment(library.folder() / ("same" + std::to_string(s)), test::test_spec(16, 4), same);
    SearchPart part{segment, {}};
    for (int i = 0; i < 30; ++i) part.ids.push_back(1 + (i * 7 % 30) * 3 + s);
    parts.push_back(part);
  }
  const Searcher searcher(parts);
  for (const RerankMethod method : {RerankMethod::kNone, RerankMethod::kAligned, RerankMethod::kMaxSim}) {
    SearchOptions options;
    options.k = 25;
    options.candidates = 40;
    options.rerank = method;
    const SearchResult result = searcher.search({{{same[0].tokens, 4, 1.0f}}, 16}, options);
    ASSERT_EQ(result.hits.size(), 25u);
    for (int i = 0; i < 25; ++i) EXPECT_EQ(result.hits[std::size_t(i)].id, i + 1);
  }
}

TEST(Searcher, RefusesBadQueriesAndOptions) {
  TestLibrary library(8, 4, {20}, 3);
  const Searcher searcher(library.parts());
  SearchOptions options;
  EXPECT_THROW(searcher.search({{{{1, 0}, 1, 1.0f}}, 2}, options), Error);
  EXPECT_THROW(searcher.search({{}, 8}, options), Error);
  options.k = 0;
  EXPECT_THROW(searcher.search(library.query(), options), Error);
  options.k = 5;
  options.tokens = -1;
  EXPECT_THROW(searcher.search(library.query(), options), Error);
  options.tokens = 0;
  options.coarse = CoarseMethod::kIvfPq;
  try {
    searcher.search(library.query(), options);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  }
  library.parts()[0].ids.pop_back();
  EXPECT_THROW(Searcher(library.parts()), Error);
}

class SearcherIndex : public testing::TestWithParam<std::tuple<CoarseMethod, int>> {};
INSTANTIATE_TEST_SUITE_P(Methods, SearcherIndex,
                         testing::Combine(testing::Values(CoarseMethod::kIvfPq, CoarseMethod::kHnsw),
                                          testing::Values(6, 64)));

double overlap(const SearchResult& a, const SearchResult& b) {
  int common = 0;
  for (const SearchHit& hit : a.hits) {
    common += static_cast<int>(std::count_if(b.hits.begin(), b.hits.end(), [&](const SearchHit& h) {
      return h.id == hit.id && h.score == hit.score && h.coarse_score == hit.coarse_score;
    }));
  }
  return double(common) / double(b.hits.size());
}

TEST_P(SearcherIndex, FindsWhatTheExactScanFindsWithDeletesFiltersAndNewerSegments) {
  const auto [method, width] = GetParam();
  TestLibrary library(width, 4, {700, 0, 300}, 7);
  const auto path = library.folder() / "coarse.faiss";
  CoarseIndex::build(path, method, library.segments());
  library.add_segment(150);
  library.delete_rows(0.25);
  const CoarseIndex::Opened opened = CoarseIndex::open(path, width);
  ASSERT_TRUE(opened.index) << opened.reason;
  const Searcher searcher(library.parts(), opened.index);
  EXPECT_EQ(searcher.index_problem(), "");
  std::vector<ImageId> allowed;
  for (ImageId id = 2; id < 1150; id += 2) allowed.push_back(id);
  double found = 0, filtered = 0;
  for (int q = 0; q < 20; ++q) {
    const Query query = library.query();
    SearchOptions exact;
    exact.k = 10;
    exact.rerank = q % 2 == 0 ? RerankMethod::kNone : RerankMethod::kAligned;
    exact.candidates = 30;
    exact.coarse = CoarseMethod::kExact;
    SearchOptions approximate = exact;
    approximate.coarse = method;
    const SearchResult result = searcher.search(query, approximate);
    EXPECT_EQ(result.coarse_used, method);
    EXPECT_EQ(result.searched, searcher.images());
    found += overlap(result, searcher.search(query, exact));
    const SearchResult some = searcher.search(query, approximate, allowed);
    for (const SearchHit& hit : some.hits) EXPECT_EQ(hit.id % 2, 0);
    filtered += overlap(some, searcher.search(query, exact, allowed));
  }
  EXPECT_GE(found / 20, 0.9);
  EXPECT_GE(filtered / 20, 0.9);
}

TEST_P(SearcherIndex, AFilterThatLeavesLittleIsAnsweredExactly) {
  const auto [method, width] = GetParam();
  TestLibrary library(width, 4, {600}, 8);
  const auto path = library.folder() / "coarse.faiss";
  CoarseIndex::build(path, method, library.segments());
  const Searcher searcher(library.parts(), CoarseIndex::open(path, width).index);
  const std::vector<ImageId> allowed{5, 77, 300, 301, 302, 599};
  SearchOptions options;
  options.k = 6;
  options.coarse = method;
  const Query query = library.query();
  const SearchResult result = searcher.search(query, options, allowed);
  expect_like_oracle(
      result,
      test::oracle_search(library.parts(), query, options,
                          [&](ImageId id) { return std::count(allowed.begin(), allowed.end(), id) > 0; }),
      "six images");
}

TEST_P(SearcherIndex, AutoTakesTheIndexAboveTheLimit) {
  const auto [method, width] = GetParam();
  TestLibrary library(width, 4, {300}, 9);
  const auto path = library.folder() / "coarse.faiss";
  CoarseIndex::build(path, method, library.segments());
  const Searcher searcher(library.parts(), CoarseIndex::open(path, width).index);
  SearchOptions options;
  options.candidates = 20;
  EXPECT_EQ(searcher.search(library.query(), options).coarse_used, CoarseMethod::kExact);
  options.exact_limit = 299;
  EXPECT_EQ(searcher.search(library.query(), options).coarse_used, method);
  options.exact_limit = 300;
  EXPECT_EQ(searcher.search(library.query(), options).coarse_used, CoarseMethod::kExact);
}

TEST(Searcher, AStaleIndexIsNotUsedAndSaysSo) {
  TestLibrary library(16, 4, {300, 200}, 10);
  const auto path = library.folder() / "coarse.faiss";
  CoarseIndex::build(path, CoarseMethod::kIvfPq, library.segments());
  library.parts().erase(library.parts().begin());
  const Searcher searcher(library.parts(), CoarseIndex::open(path, 16).index);
  EXPECT_NE(searcher.index_problem().find("other segments"), std::string::npos);
  SearchOptions options;
  options.exact_limit = 0;
  EXPECT_EQ(searcher.search(library.query(), options).coarse_used, CoarseMethod::kExact);
  options.coarse = CoarseMethod::kIvfPq;
  EXPECT_THROW(searcher.search(library.query(), options), Error);
}

TEST(Searcher, SeveralThreadsMaySearchAtOnce) {
  TestLibrary library(64, 4, {400, 200}, 11);
  const auto path = library.folder() / "coarse.faiss";
  auto segments = library.segments();
  segments.pop_back();
  CoarseIndex::build(path, CoarseMethod::kIvfPq, segments);
  const Searcher searcher(library.parts(), CoarseIndex::open(path, 64).index);
  const Query query = library.query();
  SearchOptions options;
  std::vector<SearchResult> expected;
  for (const CoarseMethod method : {CoarseMethod::kExact, CoarseMethod::kIvfPq}) {
    options.coarse = method;
    expected.push_back(searcher.search(query, options));
  }
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      SearchOptions mine;
      mine.coarse = t % 2 == 0 ? CoarseMethod::kExact : CoarseMethod::kIvfPq;
      for (int i = 0; i < 10; ++i) {
        const SearchResult result = searcher.search(query, mine);
        ASSERT_EQ(result.hits.size(), expected[std::size_t(t % 2)].hits.size());
        EXPECT_EQ(overlap(result, expected[std::size_t(t % 2)]), 1.0);
      }
    });
  }
}

}  // namespace
}  // namespace tessera
