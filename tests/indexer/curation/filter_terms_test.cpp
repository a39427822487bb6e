// Conditions of a filter as text: what is understood, what is refused, and text that comes back as it was.
#include <gmock/gmock.h>

#include <array>

#include "library_fixture.h"
#include "tessera/indexer/catalog_filter.h"

namespace tessera {
namespace {

using namespace tessera::testing;
using ::testing::ElementsAre;

CatalogFilter term(std::string_view name, std::string_view value) {
  CatalogFilter filter;
  add_filter_term(filter, name, value);
  return filter;
}

TEST(FilterTerms, Ranges) {
  EXPECT_EQ(term("rating", "3").rating, (Range<int>{3, 3}));
  EXPECT_EQ(term("rating", "3..").rating, (Range<int>{3, {}}));
  EXPECT_EQ(term("rating", "..2").rating, (Range<int>{{}, 2}));
  EXPECT_EQ(term("rating", "0..4").rating, (Range<int>{0, 4}));
  EXPECT_EQ(term("size", "1.5M..").bytes, (Range<std::int64_t>{1'500'000, {}}));
  EXPECT_EQ(term("pixels", "..12M").pixels, (Range<std::int64_t>{{}, 12'000'000}));
  EXPECT_EQ(term("side", "1920..4000").side, (Range<std::int64_t>{1920, 4000}));
  EXPECT_EQ(term("size", "20k").bytes, (Range<std::int64_t>{20'000, 20'000}));
}

TEST(FilterTerms, Dates) {
  constexpr std::int64_t kDay = 86'400;
  constexpr std::int64_t k2019 = 1'546'300'800;  // 1 January, 0:00
  EXPECT_EQ(term("date", "2019").date, (Range<std::int64_t>{k2019, k2019 + 365 * kDay - 1}));
  EXPECT_EQ(term("date", "2019-02").date, (Range<std::int64_t>{k2019 + 31 * kDay, k2019 + 59 * kDay - 1}));
  EXPECT_EQ(term("date", "2019-01-31").date, (Range<std::int64_t>{k2019 + 30 * kDay, k2019 + 31 * kDay - 1}));
  EXPECT_EQ(term("date", "2019..2019-02").date, (Range<std::int64_t>{k2019, k2019 + 59 * kDay - 1}));
  EXPECT_EQ(term("date", "..2018").date, (Range<std::int64_t>{{}, k2019 - 1}));
  EXPECT_EQ(term("date", "2019-01-01..").date, (Range<std::int64_t>{k2019, {}}));
}

TEST(FilterTerms, Names) {
  EXPECT_THAT(term("flag", "pick,none").flags, ElementsAre(Flag::kPick, Flag::kNone));
  EXPECT_THAT(term("label", "red,red,purple").labels, ElementsAre(ColorLabel::kRed, ColorLabel::kPurple));
  EXPECT_EQ(term("state", "offline").state, FileState::kOffline);
  CatalogFilter filter = term("tag", "a b");
  add_filter_term(filter, "tag", "c");
  add_filter_term(filter, "text", "one");
  add_filter_term(filter, "text", "two");
  EXPECT_THAT(filter.tags, ElementsAre("a b", "c"));
  EXPECT_EQ(filter.text, "one two");
}

TEST(FilterTerms, WhatIsNotUnderstoodIsRefused) {
  const std::array<std::pair<const char*, const char*>, 31> kWrong{{
      {"rating", ""},
      {"rating", "6"},
      {"rating", "-1"},
      {"rating", "x"},
      {"rating", ".."},
      {"rating", "4..2"},
      {"rating", "1...2"},
      {"flag", "maybe"},
      {"flag", "pick,"},
      {"label", "pink"},
      {"label", ""},
      {"date", "2019-13"},
      {"date", "2019-02-30"},
      {"date", "19"},
      {"date", "2019-1"},
      {"date", "2019/01"},
      {"date", "2020..2019"},
      {"date", "2019-01-01T"},
      {"size", "M"},
      {"size", "1e3"},
      {"size", "-5"},
      {"size", "5MB"},
      {"size", "99999999999G"},
      {"pixels", "nan"},
      {"side", "1..x"},
      {"state", "gone"},
      {"tag", ""},
      {"tag", "a\nb"},
      {"text", ""},
      {"wish", "x"},
      {"size", "inf"},
  }};
  for (const auto& [name, value] : kWrong) {
    EXPECT_EQ(code_of([&, n = name, v = value] { term(n, v); }), ErrorCode::kInvalidArgument)
        << name << " '" << value << "'";
  }
}

TEST(FilterTerms, TextComesBackAsItWas) {
  const std::string text =
      "rating 3..\nflag pick,none\nlabel red\ntag a b\ntag c\nany-tag d\nno-tag e\nuntagged\nunder /photos/my cats\n"
      "date 2019-02-01..2020-12-31\nsize ..5000\npixels 100..200\nside 5\ntext one two\ncollection best of\n"
      "state missing\n";
  const CatalogFilter filter = parse_filter(text);
  EXPECT_EQ(filter_text(filter), text);
  EXPECT_EQ(parse_filter(filter_text(filter)), filter);
  EXPECT_FALSE(filter.empty());
  EXPECT_TRUE(parse_filter("").empty());
  EXPECT_EQ(filter_text({}), "");
  EXPECT_EQ(filter_text(term("date", "2019-05-17")), "date 2019-05-17\n");
  EXPECT_EQ(code_of([] { parse_filter("rating 3\nnonsense"); }), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace tessera
