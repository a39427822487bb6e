// Indexes sample_data with the built program and searches it: exit codes, output schema, and rankings against ground
// truth.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "tessera_process.h"
#include "test_paths.h"

namespace tessera::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

const fs::path kSampleData = test::source_dir() / "sample_data";

struct Relevant {
  fs::path path;
  std::string relation;
};

// The collection, indexed once for all cases of this program.
class SampleCollection : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    std::string name = (fs::temp_directory_path() / "tessera-e2e-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    work_ = name;
    first_index_ = tessera({"index", kSampleData.string(), "--format", "json"});
    for (const auto& entry : fs::recursive_directory_iterator(kSampleData)) {
      const std::string extension = entry.path().extension();
      if (extension == ".jpg" || extension == ".png" || extension == ".webp") pictures_.insert(entry.path());
    }
    std::ifstream file(kSampleData / "ground_truth.json");
    const json truth = json::parse(file);
    for (const json& query : truth.at("queries")) {
      std::vector<Relevant>& relevant = truth_[kSampleData / query.at("query").get<std::string>()];
      for (const json& entry : query.at("relevant")) {
        relevant.push_back({kSampleData / entry.at("path").get<std::string>(), entry.at("relation")});
      }
    }
  }
  static void TearDownTestSuite() { fs::remove_all(work_); }

  static fs::path library() { return work_ / "library"; }
  static fs::path photo(const std::string& name) { return kSampleData / "photos" / name; }

  static ProcessResult tessera(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--library", library().string()});
    return run_tessera(arguments, work_, work_);
  }

  // All pictures but the query, the most similar first.
  static std::vector<fs::path> ranking(const fs::path& query) {
    const ProcessResult result = tessera({"similar", query.string(), "-k", "1000", "--format", "paths"});
    EXPECT_EQ(result.exit_code, 0) << query << ": " << result.err;
    std::vector<fs::path> paths;
    for (const std::string& line : result.lines()) paths.emplace_back(line);
    return paths;
  }

  static inline fs::path work_;
  static inline ProcessResult first_index_;
  static inline std::set<fs::path> pictures_;
  static inline std::map<fs::path, std::vector<Relevant>> truth_;
};

TEST_F(SampleCollection, EveryPictureIsIndexed) {
  EXPECT_EQ(first_index_.exit_code, 0) << first_index_.err;
  ASSERT_GE(pictures_.size(), 150u);
  const ProcessResult list = tessera({"list", "--format", "jsonl"});
  ASSERT_EQ(list.exit_code, 0) << list.err;
  std::set<fs::path> listed;
  for (const std::string& line : list.lines()) {
    const json picture = json::parse(line);
    EXPECT_GT(picture.at("tokens").get<int>(), 0) << line;
    EXPECT_TRUE(picture.at("error").is_null()) << line;
    for (const json& file : picture.at("files")) listed.insert(fs::path(file.at("path").get<std::string>()));
  }
  EXPECT_EQ(listed, pictures_);
}

TEST_F(SampleCollection, SecondRunReadsNothing) {
  const json first = json::parse(first_index_.out);
  EXPECT_EQ(first.at("encoded").get<std::size_t>(), pictures_.size());
  const ProcessResult again = tessera({"index", kSampleData.string(), "--format", "json"});
  ASSERT_EQ(again.exit_code, 0) << again.err;
  const json second = json::parse(again.out);
  EXPECT_EQ(second.at("encoded").get<int>(), 0);
  EXPECT_EQ(second.at("unchanged").get<std::size_t>(), pictures_.size());
  EXPECT_EQ(second.at("decode_seconds").get<double>(), 0);
  EXPECT_EQ(second.at("encode_seconds").get<double>(), 0);
}

TEST_F(SampleCollection, SearchFindsTheQueryItselfFirst) {
  for (const char* name : {"cat.jpg", "pagoda.jpg", "bricks.jpg", "galaxies.jpg", "room.jpg"}) {
    const ProcessResult result = tessera({"search", photo(name).string(), "-k", "3", "--format", "json"});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    const json document = json::parse(result.out);
    ASSERT_EQ(document.at("hits").size(), 3u);
    const json& best = document.at("hits").at(0);
    EXPECT_EQ(best.at("path"), photo(name).string());
    EXPECT_GT(best.at("score").get<double>(), 0.98);
    EXPECT_GT(best.at("coarse_score").get<double>(), 0.98);
  }
}

TEST_F(SampleCollection, SearchResultHasTheDocumentedFields) {
  const ProcessResult result = tessera({"search", photo("cat.jpg").string(), "-k", "5", "--format", "json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json document = json::parse(result.out);
  EXPECT_EQ(document.at("query").at(0).at("path"), photo("cat.jpg").string());
  EXPECT_EQ(document.at("searched").get<std::size_t>(), pictures_.size());
  EXPECT_EQ(document.at("background").get<std::size_t>(), pictures_.size());
  EXPECT_LT(document.at("hits").at(0).at("by_chance").get<double>(), 0.01);  // the query itself
  double previous = 2;
  double by_chance = 0;
  int rank = 0;
  for (const json& hit : document.at("hits")) {
    EXPECT_EQ(hit.at("rank").get<int>(), ++rank);
    EXPECT_TRUE(fs::exists(hit.at("path").get<std::string>()));
    EXPECT_LE(hit.at("score").get<double>(), previous);
    previous = hit.at("score").get<double>();
    for (const char* key : {"coarse_score", "rerank_score"}) {
      EXPECT_GE(hit.at(key).get<double>(), -1.001);
      EXPECT_LE(hit.at(key).get<double>(), 1.001);
    }
    EXPECT_GE(hit.at("by_chance").get<double>(), by_chance);
    by_chance = hit.at("by_chance").get<double>();
    EXPECT_GE(hit.at("coarse_rank").get<int>(), 1);
    EXPECT_GT(hit.at("id").get<long>(), 0);
  }
  EXPECT_EQ(rank, 5);
}

TEST_F(SampleCollection, UnderKeepsResultsInTheFolder) {
  const ProcessResult result = tessera({"search", photo("cat.jpg").string(), "--under",
                                        (kSampleData / "scenes").string(), "-k", "7", "--format", "paths"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  ASSERT_EQ(result.lines().size(), 7u);
  for (const std::string& line : result.lines()) EXPECT_EQ(fs::path(line).parent_path(), kSampleData / "scenes");
}

TEST_F(SampleCollection, RegionOfThePictureDiffersFromTheWhole) {
  const std::string picture = photo("two_dogs.jpg").string();
  const ProcessResult whole = tessera({"search", picture, "-k", "20", "--format", "paths"});
  const ProcessResult all = tessera({"search", picture, "--region", "0,0,298,448", "-k", "20", "--format", "paths"});
  const ProcessResult part = tessera({"search", picture, "--region", "60,60,180,180", "-k", "20", "--format", "paths"});
  ASSERT_EQ(whole.exit_code, 0) << whole.err;
  ASSERT_EQ(all.exit_code, 0) << all.err;
  ASSERT_EQ(part.exit_code, 0) << part.err;
  // The region that is all of the picture may be decoded at another scale, which moves scores in the third decimal.
  EXPECT_EQ(whole.lines().front(), picture);
  EXPECT_EQ(all.lines().front(), picture);
  EXPECT_NE(whole.out, part.out);
  const ProcessResult outside = tessera({"search", picture, "--region", "400,0,50,50"});
  EXPECT_NE(outside.exit_code, 0);
  EXPECT_THAT(outside.err, HasSubstr("two_dogs.jpg"));
}

TEST_F(SampleCollection, TwoExamplesBringBothToTheTop) {
  const ProcessResult result =
      tessera({"search", photo("cat.jpg").string(), photo("brook.jpg").string(), "-k", "5", "--format", "paths"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.lines(), testing::IsSupersetOf({photo("cat.jpg").string(), photo("brook.jpg").string()}));
  const ProcessResult without = tessera({"search", photo("cat.jpg").string(), "--not", photo("brook.jpg").string(),
                                         "-k", std::to_string(pictures_.size()), "--format", "paths"});
  ASSERT_EQ(without.exit_code, 0) << without.err;
  const std::vector<std::string> lines = without.lines();
  const auto brook = std::find(lines.begin(), lines.end(), photo("brook.jpg").string());
  EXPECT_GT(brook - lines.begin(), static_cast<std::ptrdiff_t>(pictures_.size() / 2));
}

TEST_F(SampleCollection, ContactSheetIsAPicture) {
  fs::create_directory(work_ / "sheets");
  const fs::path sheet = work_ / "sheets" / "cat.jpg";
  const ProcessResult result = tessera({"search", photo("cat.jpg").string(), "-k", "6", "--sheet", sheet.string()});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const ProcessResult index = run_tessera(
      {"index", sheet.parent_path().string(), "--library", (work_ / "sheet library").string(), "--format", "json"},
      work_, work_);
  EXPECT_EQ(index.exit_code, 0) << index.err;
  EXPECT_EQ(json::parse(index.out).at("encoded").get<int>(), 1);
}

TEST_F(SampleCollection, BadInputIsOneSentenceAndAnExitCode) {
  const ProcessResult missing = tessera({"search", (work_ / "no such picture.jpg").string()});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(missing.err, HasSubstr("no such picture.jpg"));
  EXPECT_THAT(missing.err, HasSubstr("No such file"));
  EXPECT_EQ(missing.out, "");

  EXPECT_EQ(tessera({"search"}).exit_code, 2);
  EXPECT_EQ(tessera({"no-such-command"}).exit_code, 2);

  const fs::path folder = work_ / "damaged";
  fs::create_directory(folder);
  fs::copy_file(photo("cat.jpg"), folder / "cut.jpg");
  fs::resize_file(folder / "cut.jpg", fs::file_size(folder / "cut.jpg") / 2);
  fs::copy_file(photo("coffee.jpg"), folder / "good.jpg");
  const std::vector<std::string> other = {"--library", (work_ / "damaged library").string()};
  std::vector<std::string> index = {"index", folder.string()}, failed = {"list", "--failed", "--format", "jsonl"};
  index.insert(index.end(), other.begin(), other.end());
  failed.insert(failed.end(), other.begin(), other.end());
  EXPECT_EQ(run_tessera(index, work_, work_).exit_code, 3);
  const ProcessResult list = run_tessera(failed, work_, work_);
  ASSERT_EQ(list.lines().size(), 1u) << list.out << list.err;
  const json row = json::parse(list.lines().front());
  EXPECT_EQ(row.at("error_code"), "damaged");
  EXPECT_EQ(row.at("files").at(0).at("path"), (folder / "cut.jpg").string());
}

TEST_F(SampleCollection, TheLibraryVerifies) {
  const ProcessResult result = tessera({"verify"});
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
}

// How well one relation of the ground truth is found.
struct RelationScore {
  int queries = 0;
  double first = 0;            // share of queries whose first answer stands in this relation
  double first_by_chance = 0;  // the same for an order drawn by lot
  double precision = 0;        // mean average precision
  double precision_by_chance = 0;
};

// Pictures that stand in another relation to the query count neither for nor against.
std::map<std::string, RelationScore> score_relations(const std::map<fs::path, std::vector<Relevant>>& truth,
                                                     const std::map<fs::path, std::vector<fs::path>>& rankings) {
  std::map<std::string, RelationScore> scores;
  for (const auto& [query, relevant] : truth) {
    std::map<fs::path, std::string> relation_of;
    for (const Relevant& entry : relevant) relation_of[entry.path] = entry.relation;
    std::map<std::string, int> wanted;
    for (const Relevant& entry : relevant) ++wanted[entry.relation];
    for (const auto& [relation, count] : wanted) {
      int rank = 0, found = 0;
      double precision = 0;
      bool first = false;
      for (const fs::path& path : rankings.at(query)) {
        const auto known = relation_of.find(path);
        if (known != relation_of.end() && known->second != relation) continue;
        ++rank;
        if (known == relation_of.end()) continue;
        first |= rank == 1;
        precision += double(++found) / rank;
      }
      RelationScore& score = scores[relation];
      ++score.queries;
      score.first += first;
      score.first_by_chance += double(count) / rank;
      score.precision += precision / count;
      // Expected average precision of a random order, to a good approximation for few relevant pictures among many.
      double harmonic = 0;
      for (int i = 1; i <= rank; ++i) harmonic += 1.0 / i;
      score.precision_by_chance += ((count - 1.0) / (rank - 1.0) * (rank - harmonic) + harmonic) / rank;
    }
  }
  for (auto& [relation, score] : scores) {
    score.first /= score.queries;
    score.first_by_chance /= score.queries;
    score.precision /= score.queries;
    score.precision_by_chance /= score.queries;
  }
  return scores;
}

TEST_F(SampleCollection, RankingsFollowTheGroundTruth) {
  std::map<fs::path, std::vector<fs::path>> rankings;
  for (const auto& [query, relevant] : truth_) {
    rankings[query] = ranking(query);
    ASSERT_EQ(rankings[query].size() + 1, pictures_.size()) << query;
    EXPECT_EQ(std::count(rankings[query].begin(), rankings[query].end(), query), 0) << query;
  }
  const auto scores = score_relations(truth_, rankings);
  std::printf("%-14s %7s %14s %14s\n", "relation", "queries", "first (chance)", "mAP (chance)");
  for (const auto& [relation, score] : scores) {
    std::printf("%-14s %7d %6.3f (%.3f) %6.3f (%.3f)\n", relation.c_str(), score.queries, score.first,
                score.first_by_chance, score.precision, score.precision_by_chance);
  }
  // What the shipped model must reach: below what it measured (README.md), well above a random order, which has
  // `first` 0.01 to 0.04 and mAP 0.04 to 0.07.
  struct Expectation {
    const char* relation;
    double first;
    double precision;
  };
  for (const Expectation& expected : std::initializer_list<Expectation>{{"recompressed", 0.95, 0.95},
                                                                        {"recoloured", 0.90, 0.90},
                                                                        {"grey", 0.90, 0.90},
                                                                        {"rotated", 0.90, 0.90},
                                                                        {"mirrored", 0.90, 0.90},
                                                                        {"crop", 0.90, 0.90},
                                                                        {"same_source", 0.85, 0.85},
                                                                        {"same_place", 0.85, 0.85},
                                                                        {"same_objects", 0.40, 0.35},
                                                                        {"same_layout", 0.03, 0.09},
                                                                        {"shares_object", 0.06, 0.10}}) {
    ASSERT_TRUE(scores.contains(expected.relation)) << expected.relation;
    const RelationScore& score = scores.at(expected.relation);
    EXPECT_GE(score.first, expected.first) << expected.relation;
    EXPECT_GE(score.precision, expected.precision) << expected.relation;
    EXPECT_GT(score.precision, 1.4 * score.precision_by_chance) << expected.relation;
  }
  EXPECT_EQ(scores.size(), 11u);
}

}  // namespace
}  // namespace tessera::e2e
