// tessera eval on sample_data and its ground truth: exit codes, reports, the cache, what cannot be read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <memory>
#include <set>

#include "format.h"
#include "run_tessera.h"
#include "test_paths.h"

namespace tessera::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::Outcome;
using testing::run_tessera;
using ::testing::StartsWith;
using testing::Surroundings;
using testing::TemporaryFolder;

const fs::path kSamples = test::source_dir() / "sample_data";
const std::string kBoxes = (kSamples / "boxes.csv").string();

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_text(const fs::path& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

// The altered copies of sample_data by their source, scenes by their objects, and what was extracted of them.
class EvalCommands : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TemporaryFolder>();
    const Json truth = Json::parse(text_of(kSamples / "ground_truth.json"));
    std::string copies = "name,group\n", sources = "name,label\n";
    std::set<std::string> named;
    for (const Json& query : truth["queries"]) {
      const std::string name = query["query"];
      if (!name.starts_with("photos/")) continue;
      for (const Json& entry : query["relevant"]) {
        const std::string path = entry["path"];
        if (!path.starts_with("variants/")) continue;
        copies += path + "," + name + "\n";
        if (named.insert(name).second) sources += name + "," + name + "\n";
      }
    }
    write_text(copies_csv(), copies);
    write_text(sources_csv(), sources);
  }
  static void TearDownTestSuite() { folder_.reset(); }

  static fs::path copies_csv() { return *folder_ / "copies.csv"; }
  static fs::path sources_csv() { return *folder_ / "sources.csv"; }
  static std::string report_file() { return (*folder_ / "report.json").string(); }

  // tessera eval ARGUMENTS, with the suite's cache.
  static Outcome eval(std::vector<std::string> arguments, bool cache = true) {
    arguments.insert(arguments.begin(), "eval");
    if (cache) arguments.insert(arguments.end(), {"--cache", (*folder_ / "cache").string()});
    Surroundings surroundings;
    surroundings.folder = folder_->path();
    return run_tessera(arguments, surroundings);
  }
  static Json eval_json(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--format", "json"});
    const Outcome outcome = eval(arguments);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return Json::parse(outcome.out);
  }
  static std::vector<std::string> copies(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"map", kSamples.string(), "--labels", copies_csv().string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  static std::vector<std::string> scenes(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"comp", kSamples.string(), "--boxes", kBoxes};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  static inline std::unique_ptr<TemporaryFolder> folder_;
};

double value(const Json& row, const std::string& figure) { return row.at(figure).at("value"); }

void expect_interval(const Json& figure) {
  ASSERT_TRUE(figure.is_object());
  EXPECT_LE(figure.at("low").get<double>(), figure.at("value").get<double>());
  EXPECT_GE(figure.at("high").get<double>(), figure.at("value").get<double>());
}

TEST_F(EvalCommands, MapFindsAlteredCopies) {
  const Json report = eval_json(
      copies({"--descriptor", "token0,summary,tokens:8,colorhist,dhash", "--rerank", "aligned:16,maxsim:4:0.5"}));
  EXPECT_EQ(report["measure"], "map");
  EXPECT_EQ(report["failed"], Json::array());
  for (const char* key :
       {"set", "set_pictures", "set_hash", "model", "weights_hash", "compute", "resize", "tokens", "weight_power",
        "stored", "queries", "seed", "candidates", "measured_queries", "queries_without_match"}) {
    EXPECT_TRUE(report["settings"].contains(key)) << key;
  }
  EXPECT_EQ(report["settings"]["set_pictures"], 48);  // three copies of sixteen photographs
  EXPECT_EQ(report["settings"]["measured_queries"], 48);
  std::vector<std::string> names;
  for (const Json& row : report["rows"]) {
    names.push_back(row["descriptor"]);
    for (const char* figure : {"mAP", "P@1", "P@3", "P@5", "P@10", "R@1", "R@5", "R@10", "R@50"})
      expect_interval(row[figure]);
    EXPECT_NEAR(value(row, "R@1"), value(row, "P@1") / 2, 1e-4);  // two others are right
    EXPECT_NEAR(value(row, "R@50"), 100, 1e-6);                   // the whole gallery
  }
  EXPECT_THAT(names, ElementsAre("token0", "summary", "tokens:8", "colorhist", "dhash", "aligned:16", "maxsim:4:0.5"));
  EXPECT_GT(value(report["rows"][0], "P@1"), 90);
  EXPECT_GT(value(report["rows"][0], "mAP"), value(report["rows"][4], "mAP") + 10);  // the model beside a hash
}

TEST_F(EvalCommands, KnnTakesAGallery) {
  const Json report =
      eval_json({"knn", kSamples.string(), "--labels", copies_csv().string(), "--gallery", kSamples.string(),
                 "--gallery-labels", sources_csv().string(), "--descriptor", "token0,random"});
  EXPECT_EQ(report["measure"], "knn");
  EXPECT_EQ(report["settings"]["set_pictures"], 48);
  EXPECT_EQ(report["settings"]["gallery_pictures"], 16);
  EXPECT_EQ(report["settings"]["measured_queries"], 48);
  EXPECT_GT(value(report["rows"][0], "k=1"), 90);
  EXPECT_GT(value(report["rows"][0], "k=1"), value(report["rows"][1], "k=1") + 20);
}

TEST_F(EvalCommands, CompComparesStagesAndTheOracle) {
  const Json report = eval_json(scenes({"--candidates", "0", "--rerank", "aligned:16,aligned:16:0"}));
  EXPECT_EQ(report["measure"], "comp");
  EXPECT_EQ(report["settings"]["measured_queries"], 48);
  ASSERT_EQ(report["rows"].size(), 4U);
  EXPECT_EQ(report["rows"][3]["descriptor"], "oracle");
  for (const Json& row : report["rows"]) {
    for (const char* figure : {"Comp@1", "Comp@5", "Recall@1", "Recall@5", "+Comp@1", "+Comp@5"}) {
      expect_interval(row[figure]);
    }
    EXPECT_NEAR(value(row, "+Comp@1"), value(row, "Comp@1") - value(report["rows"][0], "Comp@1"), 1e-4);
    EXPECT_LE(value(row, "Comp@1"), value(report["rows"][3], "Comp@1"));
  }
  EXPECT_NEAR(value(report["rows"][3], "Comp@1"), 100, 1e-6);
  EXPECT_EQ(report["rows"][2]["Comp@5"], report["rows"][0]["Comp@5"]);  // a weight of 0 changes nothing
}

TEST_F(EvalCommands, CurveHasTheRowsOfItsMeasureAndAPlot) {
  const std::string svg = (*folder_ / "curve.svg").string();
  const Json curve = eval_json({"curve", "comp", kSamples.string(), "--boxes", kBoxes, "--token-counts", "1,4,16",
                                "--methods", "aligned,maxsim:0.5", "--svg", svg});
  ASSERT_EQ(curve["rows"].size(), 6U);
  const Json comp = eval_json(scenes({"--rerank", "aligned:4,maxsim:16:0.5"}));
  for (const char* figure : {"Comp@1", "Comp@5", "Recall@1", "+Comp@5"}) {
    EXPECT_EQ(curve["rows"][1][figure], comp["rows"][1][figure]) << figure;
    EXPECT_EQ(curve["rows"][5][figure], comp["rows"][2][figure]) << figure;
  }
  EXPECT_EQ(curve["rows"][5]["method"], "maxsim:0.5");
  EXPECT_EQ(curve["rows"][5]["tokens"], 16);
  EXPECT_EQ(curve["rows"][5]["queries"], 48);
  const std::string drawn = text_of(svg);
  EXPECT_THAT(drawn, StartsWith("<svg "));
  EXPECT_THAT(drawn, HasSubstr("Comp@5 maxsim:0.5"));

  const Outcome sizes =
      eval({"curve", "map", kSamples.string(), "--labels", copies_csv().string(), "--token-counts", "1", "--resizes",
            "square:64,square:96", "--figures", "P@1", "--svg", svg, "--format", "csv"});
  EXPECT_EQ(sizes.exit_code, 0) << sizes.err;
  EXPECT_THAT(sizes.out, StartsWith("resize,method,tokens,queries,mAP,mAP_low,mAP_high,P@1,"));
  EXPECT_EQ(std::count(sizes.out.begin(), sizes.out.end(), '\n'), 3);
  EXPECT_THAT(text_of(svg), HasSubstr("pixels (resize)"));
}

TEST_F(EvalCommands, RecallMeasuresALibrary) {
  Surroundings surroundings;
  surroundings.folder = folder_->path();
  ASSERT_EQ(run_tessera({"index", (kSamples / "scenes").string(), "--library", "lib", "-q"}, surroundings).exit_code,
            0);
  const Outcome outcome = run_tessera({"eval", "recall", "--library", "lib", "--queries", "20", "-k", "1,5",
                                       "--candidates", "5,48", "--rerank", "maxsim", "--format", "json"},
                                      surroundings);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const Json report = Json::parse(outcome.out);
  EXPECT_EQ(report["settings"]["pictures"], 48);
  EXPECT_EQ(report["settings"]["queries"], 20);
  ASSERT_EQ(report["rows"].size(), 4U);
  std::vector<std::string> stages;
  for (const Json& row : report["rows"]) {
    stages.push_back(row["stage"]);
    expect_interval(row["recall@5"]);
    EXPECT_GT(row["p50_ms"].get<double>(), 0);
    EXPECT_GE(row["p99_ms"].get<double>(), row["p50_ms"].get<double>());
  }
  EXPECT_THAT(stages, ElementsAre("coarse", "K=5", "K=48", "exhaustive"));
  EXPECT_EQ(value(report["rows"][2], "recall@5"), 100);
  EXPECT_LE(value(report["rows"][0], "recall@5"), value(report["rows"][2], "recall@5"));
  EXPECT_EQ(run_tessera({"eval", "recall", "--library", "lib", "--rerank", "none"}, surroundings).exit_code, 2);
  EXPECT_EQ(run_tessera({"eval", "recall", "--library", "nowhere"}, surroundings).exit_code, 1);
}

TEST_F(EvalCommands, TheSameInputGivesTheSameBytesWithAndWithoutTheCache) {
  std::set<std::string> files, tables;
  for (const bool cache : {false, true, true}) {
    const Outcome outcome = eval(copies({"--rerank", "aligned:4", "--out", report_file()}), cache);
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    tables.insert(outcome.out);
    files.insert(text_of(report_file()));
  }
  EXPECT_EQ(tables.size(), 1U);
  EXPECT_EQ(files.size(), 1U);
  const Outcome stored = eval(copies({"--stored", "--format", "json"}));
  EXPECT_EQ(Json::parse(stored.out)["settings"]["stored"], "int8");
  EXPECT_EQ(stored.err, "");  // nothing is encoded again, so there is no progress either
}

TEST_F(EvalCommands, PicturesThatCannotBeReadAreNamedAndCounted) {
  const fs::path set = *folder_ / "damaged set";
  fs::create_directories(set / "cat");
  fs::create_directories(set / "pagoda");
  fs::copy_file(kSamples / "photos/cat.jpg", set / "cat/a.jpg");
  fs::copy_file(kSamples / "variants/cat_grey.png", set / "cat/b.png");
  fs::copy_file(kSamples / "photos/pagoda.jpg", set / "pagoda/a.jpg");
  fs::copy_file(kSamples / "variants/pagoda_grey.png", set / "pagoda/b.png");
  fs::copy_file(kSamples / "photos/dahlia.jpg", set / "pagoda/cut.jpg");
  fs::resize_file(set / "pagoda/cut.jpg", 3000);
  const Outcome some = eval({"map", set.string(), "--descriptor", "token0,gist", "--out", report_file()});
  EXPECT_EQ(some.exit_code, 3);
  EXPECT_THAT(some.err, HasSubstr("failed: " + (set / "pagoda/cut.jpg").string() + ": "));
  EXPECT_THAT(some.err, HasSubstr("1 picture could not be read and took no part"));
  EXPECT_THAT(some.out, HasSubstr("gist"));
  const Json report = Json::parse(text_of(report_file()));
  EXPECT_EQ(report["failed"].size(), 1U);
  EXPECT_EQ(report["settings"]["set_pictures"], 4);

  write_text(*folder_ / "absent.csv", "name,label\ncat/a.jpg,cat\ncat/none.jpg,cat\ncat/b.png,cat\n");
  const Outcome absent = eval({"knn", set.string(), "--labels", "absent.csv"});
  EXPECT_EQ(absent.exit_code, 3);
  EXPECT_THAT(absent.err, HasSubstr("none.jpg"));
  write_text(*folder_ / "elsewhere.csv", "name,label\nx/a.jpg,cat\nx/b.jpg,cat\n");
  const Outcome elsewhere = eval({"map", set.string(), "--labels", "elsewhere.csv"});
  EXPECT_EQ(elsewhere.exit_code, 1);
  EXPECT_THAT(elsewhere.err, HasSubstr("failed: cannot read " + (set / "x/a.jpg").string() + ": No such file"));
  EXPECT_THAT(elsewhere.err, HasSubstr("no picture of " + set.string() + " could be read"));
}

TEST_F(EvalCommands, BadSetsAreOneSentenceThatNamesTheFile) {
  fs::create_directories(*folder_ / "empty");
  write_text(*folder_ / "unlabelled.csv", "name,kind\na.jpg,x\n");
  write_text(*folder_ / "header.csv", "name,label\n");
  write_text(*folder_ / "flat.csv", "name,category,x,y,w\na.jpg,dog,0,0,1\n");
  const std::string samples = kSamples.string();
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"map", "empty"}, "no pictures to measure with in empty"},
      {{"map", "nowhere"}, "no folder nowhere"},
      {{"map", (kSamples / "scenes").string()}, "lies in no class folder"},
      {{"knn", samples, "--labels", "unlabelled.csv"}, "unlabelled.csv:1: the header has no column 'label' or 'group'"},
      {{"knn", samples, "--labels", "header.csv"}, "no pictures to measure with"},
      {{"knn", samples, "--labels", "absent file.csv"}, "cannot read absent file.csv"},
      {{"comp", samples, "--boxes", "flat.csv"}, "flat.csv:1: the header has no column 'h'"},
      {{"map", samples, "--labels", sources_csv().string()}, "no picture has another one of its label"}};
  for (const auto& [arguments, message] : cases) {
    const Outcome outcome = eval(arguments);
    EXPECT_EQ(outcome.exit_code, 1) << message;
    EXPECT_EQ(outcome.out, "") << message;
    EXPECT_THAT(outcome.err, HasSubstr(message));
  }
}

TEST_F(EvalCommands, CommandLinesThatMakeNoSenseAreRefused) {
  const std::string samples = kSamples.string();
  const std::vector<std::vector<std::string>> cases = {{"comp", samples},
                                                       {"map", samples, "--rerank", "aligned:17"},
                                                       {"map", samples, "--rerank", "nearest:4"},
                                                       {"map", samples, "--rerank", "aligned:4:2"},
                                                       {"map", samples, "--rerank", "aligned:4:0.5:1"},
                                                       {"map", samples, "--rerank", "aligned:x"},
                                                       {"map", samples, "--descriptor", "tokens"},
                                                       {"map", samples, "--gallery-labels", "x.csv"},
                                                       {"comp", samples, "--boxes", kBoxes, "--gallery", samples},
                                                       {"curve", "comp", samples},
                                                       {"curve", "map", samples, "--boxes", kBoxes},
                                                       {"curve", "map", samples, "--token-counts", "1,32"},
                                                       {"curve", "speed", samples},
                                                       {"knn", samples, "--format", "xml"}};
  for (const std::vector<std::string>& arguments : cases) {
    const Outcome outcome = eval(arguments);
    EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
    EXPECT_THAT(outcome.err, EndsWith("--help'.\n"));
  }
  EXPECT_EQ(run_tessera({"eval"}).exit_code, 2);
}

}  // namespace
}  // namespace tessera::cli
