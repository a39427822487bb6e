// Search results in every output format; the schema of docs/CLI.md.
#include "hits.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <array>
#include <cmath>

namespace tessera::cli {
namespace {

using ::testing::HasSubstr;

HitList two_hits() {
  HitList list;
  list.query = {{"/photos/q.jpg", 1, "0,0,9,9"}, {"/photos/n.jpg", -0.5F, ""}};
  list.tokens = 16;
  list.result.searched = 1234;
  list.result.coarse_used = CoarseMethod::kExact;
  list.result.coarse_ms = 3.25;
  list.result.rerank_ms = 1.5;
  list.result.calibrate_ms = 0.75;
  list.result.background = 512;
  HitRow first;
  first.hit = {7, 0.75F, 0.5F, 0.75F, 3, 0.0213456};
  first.record.id = 7;
  first.record.width = 640;
  first.record.height = 480;
  first.record.format = "jpeg";
  first.record.files = {{"/old/a.jpg", FileState::kMissing, 1, 1}, {"/photos/a.jpg", FileState::kPresent, 1, 1}};
  HitRow second;
  second.hit = {12, -0.25F, 0.125F, -0.25F, 0};
  second.record.id = 12;
  second.record.format = "png";
  second.record.files = {{"/disk/caf\xE9.png", FileState::kOffline, 1, 1}};
  list.rows = {first, second};
  return list;
}

std::string written(Format format, const HitList& list) {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe(ends.data()), 0);
  Output out(ends[1], ColorMode::kNever);
  write_hits(out, format, list, "/photos");
  out.flush();
  ::close(ends[1]);
  std::string text(8192, '\0');
  const ssize_t bytes = ::read(ends[0], text.data(), text.size());
  ::close(ends[0]);
  text.resize(bytes < 0 ? 0 : static_cast<std::size_t>(bytes));
  return text;
}

TEST(Hits, TableShowsShortPathsBothScoresAndCopies) {
  const std::string text = written(Format::kTable, two_hits());
  EXPECT_NE(text.find("  1   0.750  "), std::string::npos) << text;
  EXPECT_THAT(text, HasSubstr(" by chance  coarse  "));
  EXPECT_THAT(text, HasSubstr("       0.02   0.500   7  a.jpg"));
  EXPECT_THAT(text, HasSubstr("          -   0.125  12  "));
  EXPECT_NE(text.find("   0.500   7  a.jpg  (+1 copy)\n"), std::string::npos) << text;
  EXPECT_NE(text.find("  2  -0.250  "), std::string::npos) << text;
  EXPECT_NE(text.find("   0.125  12  /disk/caf\\xe9.png  (offline)\n"), std::string::npos) << text;
}

TEST(Hits, JsonHoldsTheDocumentedFields) {
  const Json document = Json::parse(written(Format::kJson, two_hits()));
  std::vector<std::string> keys;
  for (const auto& [key, value] : document.items()) keys.push_back(key);
  EXPECT_EQ(keys,
            (std::vector<std::string>{"query", "searched", "coarse", "rerank", "rerank_weight", "tokens", "coarse_ms",
                                      "rerank_ms", "calibrate_ms", "background", "precision", "cut", "hits"}));
  EXPECT_EQ(document["background"], 512);
  EXPECT_TRUE(document["precision"].is_null());
  EXPECT_EQ(document["cut"], false);
  EXPECT_EQ(document["query"][0]["region"], "0,0,9,9");
  EXPECT_TRUE(document["query"][1]["region"].is_null());
  EXPECT_EQ(document["query"][1]["weight"], -0.5);
  const Json& hit = document["hits"][0];
  keys.clear();
  for (const auto& [key, value] : hit.items()) keys.push_back(key);
  EXPECT_EQ(keys,
            (std::vector<std::string>{"rank", "id", "score", "coarse_score", "rerank_score", "coarse_rank", "by_chance",
                                      "path", "state", "width", "height", "format", "hash", "copies"}));
  EXPECT_EQ(hit["rank"], 1);
  EXPECT_EQ(hit["coarse_rank"], 4);
  EXPECT_EQ(hit["by_chance"], 0.0213);
  EXPECT_TRUE(document["hits"][1]["by_chance"].is_null());
  EXPECT_EQ(hit["path"], "/photos/a.jpg");
  EXPECT_EQ(hit["copies"][0]["path"], "/old/a.jpg");
  EXPECT_EQ(document["hits"][1]["path_bytes"], "L2Rpc2svY2Fm6S5wbmc=");
}

TEST(Hits, JsonlIsOneHitALine) {
  const std::string text = written(Format::kJsonl, two_hits());
  const std::size_t end = text.find('\n');
  EXPECT_EQ(Json::parse(text.substr(0, end))["id"], 7);
  EXPECT_EQ(Json::parse(text.substr(end + 1))["score"], -0.25);
}

TEST(Hits, CsvAndPathsKeepEveryByte) {
  EXPECT_EQ(written(Format::kCsv, two_hits()),
            "rank,id,score,coarse_score,rerank_score,coarse_rank,by_chance,width,height,format,state,path\r\n"
            "1,7,0.750000,0.500000,0.750000,4,2.13e-02,640,480,jpeg,present,/photos/a.jpg\r\n"
            "2,12,-0.250000,0.125000,-0.250000,1,,0,0,png,offline,/disk/caf\xE9.png\r\n");
  EXPECT_EQ(written(Format::kPaths, two_hits()), "/photos/a.jpg\n/disk/caf\xE9.png\n");
  EXPECT_EQ(written(Format::kPaths0, two_hits()), std::string("/photos/a.jpg\0/disk/caf\xE9.png\0", 29));
}

TEST(Hits, TheFileShownIsBelowTheFolderAskedFor) {
  const HitList list = two_hits();
  EXPECT_EQ(shown_file(list.rows[0].record, {"/old"}).path, "/old/a.jpg");
  EXPECT_EQ(shown_file(list.rows[0].record, {"/ol"}).path, "/photos/a.jpg");
}

TEST(Hits, SummaryNamesBothStages) {
  HitList list = two_hits();
  const std::string times = "2 of 1,234 pictures; exact recall 3.2 ms, aligned rerank with 16 tokens 1.5 ms";
  EXPECT_EQ(hits_summary(list), times + ", chance 0.8 ms");
  list.result.background = 0;
  EXPECT_EQ(hits_summary(list), times);
}

TEST(Hits, SummarySaysWhereAnAutomaticCutIs) {
  HitList list = two_hits();
  list.precision = 0.9;
  EXPECT_THAT(hits_summary(list), HasSubstr("; the list ends before the cut"));
  list.result.cut = true;
  EXPECT_THAT(hits_summary(list), HasSubstr("; cut where more than 10 % would be by chance"));
  EXPECT_EQ(Json::parse(written(Format::kJson, list))["precision"], 0.9);
}

TEST(Hits, NumbersByChanceAreShort) {
  EXPECT_EQ(by_chance_text(std::nan("")), "-");
  EXPECT_EQ(by_chance_text(1e-9), "<0.001");
  EXPECT_EQ(by_chance_text(0.0042), "0.004");
  EXPECT_EQ(by_chance_text(0.314), "0.31");
  EXPECT_EQ(by_chance_text(2.72), "2.7");
  EXPECT_EQ(by_chance_text(1234.5), "1234");
}

}  // namespace
}  // namespace tessera::cli
