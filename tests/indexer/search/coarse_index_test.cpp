// The coarse index as a file: recall it promises, tiny libraries, damage, other widths, failed writes.
#include "search/coarse_index.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iterator>
#include <set>

#include "search/coarse_index_impl.h"
#include "search/exact_scan.h"
#include "search/search_fixture.h"
#include "tessera/error.h"

namespace tessera {
namespace {

using test::TestLibrary;

class CoarseIndexOf : public testing::TestWithParam<CoarseMethod> {};
INSTANTIATE_TEST_SUITE_P(Methods, CoarseIndexOf, testing::Values(CoarseMethod::kIvfPq, CoarseMethod::kHnsw));

std::string read_all(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_all(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

TEST_P(CoarseIndexOf, ReachesItsRecallTarget) {
  TestLibrary library(48, 2, {1500, 1200}, 1);
  const auto path = library.folder() / "coarse.faiss";
  const CoarseIndexInfo built = CoarseIndex::build(path, GetParam(), library.segments());
  EXPECT_GE(built.recall, 0.95);
  EXPECT_EQ(built.rows, 2700);
  EXPECT_EQ(built.file_bytes, std::filesystem::file_size(path));
  const CoarseIndex::Opened opened = CoarseIndex::open(path, 48);
  ASSERT_TRUE(opened.index) << opened.reason;
  EXPECT_EQ(opened.index->info().probes, built.probes);
  EXPECT_EQ(opened.index->info().breadth, built.breadth);
  ASSERT_EQ(opened.index->info().segments.size(), 2u);
  EXPECT_EQ(opened.index->info().segments[1].checksum, library.parts()[1].segment->checksum());
  // Every row finds itself among its proposals nearly always.
  int self = 0;
  for (std::uint32_t row = 0; row < 1200; row += 12) {
    std::vector<float> query(48);
    library.parts()[1].segment->decode_coarse(row, query);
    std::set<std::pair<std::uint32_t, std::uint32_t>> rows;
    for (const CoarseRow& r : opened.index->propose(query, 10)) EXPECT_TRUE(rows.emplace(r.segment, r.row).second);
    self += static_cast<int>(rows.count({1, row}));
  }
  EXPECT_GE(self, 97);
}

// What the build promises is for queries that it has not seen: neither rows of the index nor those it tuned itself
// with.
TEST_P(CoarseIndexOf, NewQueriesReachThePromisedRecall) {
  for (const int themes : {12, 1500}) {
    TestLibrary library(64, 2, {1500, 1500}, 9, themes);
    const auto path = library.folder() / "coarse.faiss";
    const CoarseIndexInfo built = CoarseIndex::build(path, GetParam(), library.segments());
    EXPECT_EQ(built.held_out, 200);
    EXPECT_GE(built.recall, 0.95);
    const CoarseIndex::Opened opened = CoarseIndex::open(path, 64);
    ASSERT_TRUE(opened.index) << opened.reason;
    std::vector<ScanSource> sources;
    std::vector<RowMask> masks;
    for (const SearchPart& part : library.parts()) masks.push_back(make_row_mask(part.segment->rows(), true));
    for (std::size_t s = 0; s < masks.size(); ++s) {
      sources.push_back({library.parts()[s].segment.get(), library.parts()[s].ids, &masks[s]});
    }
    int found = 0;
    constexpr int kQueries = 300;
    for (int q = 0; q < kQueries; ++q) {
      const std::vector<float> query = test::unit_tokens(library.query()).front();
      std::set<std::pair<std::uint32_t, std::uint32_t>> nearest;
      const auto exact = exact_scan(sources, query, 64, {10});
      for (const ScanHit& hit : exact[0]) nearest.emplace(hit.source, hit.row);
      for (const CoarseRow& row : opened.index->propose(query, 10)) {
        found += static_cast<int>(nearest.count({row.segment, row.row}));
      }
    }
    EXPECT_GE(found, 0.95 * 10 * kQueries) << themes << " themes, " << built.recall << " when built";
    RecordProperty("recall_of_" + std::to_string(themes) + "_themes", std::to_string(found / (10.0 * kQueries)));
  }
}

TEST(RowOrder, IsAPermutationWithTheHeldOutRowsLast) {
  for (const std::int64_t rows : {1, 2, 5, 17, 100}) {
    for (const std::int64_t held_out : {std::int64_t{0}, std::int64_t{1}, rows / 5, rows / 2, rows}) {
      const RowOrder order(rows, held_out);
      std::vector<std::int64_t> positions;
      for (std::int64_t label = 0; label < rows; ++label) positions.push_back(order.position(label));
      const auto last = positions.end() - held_out;
      EXPECT_TRUE(std::is_sorted(positions.begin(), last));
      EXPECT_TRUE(std::equal(last, positions.end(), order.held_out().begin(), order.held_out().end()));
      std::sort(positions.begin(), positions.end());
      for (std::int64_t i = 0; i < rows; ++i) EXPECT_EQ(positions[std::size_t(i)], i) << rows << ' ' << held_out;
    }
  }
}

TEST_P(CoarseIndexOf, BuildsFromVeryFewImages) {
  for (const int rows : {1, 2, 15, 40, 300}) {
    for (const int width : {1, 3, 8, 13}) {
      TestLibrary library(width, 2, {rows}, 2);
      const auto path = library.folder() / "coarse.faiss";
      testing::internal::CaptureStderr();
      testing::internal::CaptureStdout();
      CoarseIndex::build(path, GetParam(), library.segments());
      const CoarseIndex::Opened opened = CoarseIndex::open(path, width);
      EXPECT_EQ(testing::internal::GetCapturedStderr(), "") << rows << " x " << width;
      EXPECT_EQ(testing::internal::GetCapturedStdout(), "") << rows << " x " << width;
      ASSERT_TRUE(opened.index) << opened.reason;
      std::vector<float> query(static_cast<std::size_t>(width));
      library.parts()[0].segment->decode_coarse(0, query);
      const auto proposed = opened.index->propose(query, 3);
      EXPECT_GE(proposed.size(), 1u);
      for (const CoarseRow& row : proposed) EXPECT_LT(row.row, std::uint32_t(rows));
    }
  }
}

TEST_P(CoarseIndexOf, DamageIsNoticedNeverFollowed) {
  TestLibrary library(8, 2, {200}, 3);
  const auto path = library.folder() / "coarse.faiss";
  CoarseIndex::build(path, GetParam(), library.segments());
  const std::string good = read_all(path);
  const auto expect_refused = [&](const std::string& bytes, const std::string& what) {
    write_all(path, bytes);
    const CoarseIndex::Opened opened = CoarseIndex::open(path, 8);
    EXPECT_FALSE(opened.index) << what;
    EXPECT_NE(opened.reason.find("coarse.faiss"), std::string::npos) << what;
  };
  for (std::size_t at = 0; at < good.size(); at += at < 150 || at + 500 > good.size() ? 3 : 211) {
    std::string bytes = good;
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << at % 8));
    expect_refused(bytes, "byte " + std::to_string(at));
  }
  for (std::size_t length = 0; length < good.size(); length += 397) {
    expect_refused(good.substr(0, length), "length " + std::to_string(length));
  }
  expect_refused(good + good, "twice");
  expect_refused("", "empty");
  write_all(path, good);
  EXPECT_TRUE(CoarseIndex::open(path, 8).index);
}

TEST_P(CoarseIndexOf, OtherWidthAndAbsenceAreReasons) {
  TestLibrary library(8, 2, {50}, 4);
  const auto path = library.folder() / "coarse.faiss";
  EXPECT_NE(CoarseIndex::open(path, 8).reason, "");
  CoarseIndex::build(path, GetParam(), library.segments());
  const CoarseIndex::Opened opened = CoarseIndex::open(path, 16);
  EXPECT_FALSE(opened.index);
  EXPECT_NE(opened.reason.find("width 8"), std::string::npos);
  EXPECT_NE(CoarseIndex::open(library.folder().path(), 8).reason, "");
}

TEST_P(CoarseIndexOf, AFailedWriteKeepsTheOldIndex) {
  TestLibrary library(8, 2, {400}, 5);
  const auto path = library.folder() / "coarse.faiss";
  CoarseIndex::build(path, GetParam(), library.segments());
  const std::string before = read_all(path);
  library.add_segment(100);
  rlimit old{};
  ::getrlimit(RLIMIT_FSIZE, &old);
  void (*handler)(int) = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{2000, old.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  EXPECT_THROW(CoarseIndex::build(path, GetParam(), library.segments()), Error);
  ::setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(read_all(path), before);
  EXPECT_FALSE(std::filesystem::exists(library.folder() / "coarse.faiss.tmp"));
}

TEST_P(CoarseIndexOf, StopsWhenAsked) {
  TestLibrary library(8, 2, {200}, 6);
  std::stop_source stop;
  stop.request_stop();
  try {
    CoarseIndex::build(library.folder() / "coarse.faiss", GetParam(), library.segments(), {}, stop.get_token());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kCancelled);
  }
  EXPECT_FALSE(std::filesystem::exists(library.folder() / "coarse.faiss"));
}

TEST(CoarseIndex, RefusesWhatCannotBeBuilt) {
  TestLibrary library(8, 2, {20}, 7);
  const auto path = library.folder() / "coarse.faiss";
  EXPECT_THROW(CoarseIndex::build(path, CoarseMethod::kExact, library.segments()), Error);
  EXPECT_THROW(CoarseIndex::build(path, CoarseMethod::kAuto, library.segments()), Error);
  EXPECT_THROW(CoarseIndex::build(path, CoarseMethod::kIvfPq, {}), Error);
  TestLibrary wider(16, 2, {20}, 7);
  auto mixed = library.segments();
  mixed.push_back(wider.segments()[0]);
  EXPECT_THROW(CoarseIndex::build(path, CoarseMethod::kIvfPq, mixed), Error);
}

}  // namespace
}  // namespace tessera
