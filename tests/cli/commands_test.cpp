// The commands on a real library: index, search, export and the rest, as a shell sees them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>

#include "format.h"
#include "run_tessera.h"
#include "tessera/encoder.h"
#include "tessera/indexer/library.h"
#include "tessera/resize.h"
#include "tessera/safetensors.h"
#include "test_paths.h"

namespace tessera::cli {
namespace {

using testing::disc_picture;
using testing::goldens_model;
using ::testing::HasSubstr;
using testing::Outcome;
using testing::run_tessera;
using testing::RunningTessera;
using ::testing::StartsWith;
using testing::Surroundings;
using testing::TemporaryFolder;

constexpr int kPictures = 8;

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A library of eight pictures, one of them twice and one with a name that is no UTF-8, and of a file that is no
// picture.
class Commands : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(photos() / "sub");
    for (int i = 0; i < kPictures; ++i) write_image(photo(i), disc_picture(96 + 8 * i, 128, static_cast<unsigned>(i)));
    std::filesystem::copy_file(photo(1), photos() / "sub" / "copy.png");
    std::filesystem::rename(photo(7), latin_photo());
    std::ofstream(photos() / "broken.jpg") << "\xFF\xD8\xFF\xE0 cut off";
    indexed_ = tessera({"index", photos().string(), "--resize", "square:128", "--tokens", "8"});
  }

  std::filesystem::path photos() const { return folder_ / "photos"; }
  std::filesystem::path photo(int i) const { return photos() / ("p" + std::to_string(i) + ".png"); }
  std::filesystem::path latin_photo() const { return photos() / "sub" / "caf\xE9.png"; }
  std::string library() const { return (folder_ / "lib").string(); }

  Outcome tessera(std::vector<std::string> arguments, Surroundings surroundings = {}) const {
    surroundings.variables["TESSERA_LIBRARY"] = library();
    if (surroundings.folder.empty()) surroundings.folder = folder_.path();
    return run_tessera(arguments, surroundings);
  }
  Json tessera_json(const std::vector<std::string>& arguments) const { return Json::parse(tessera(arguments).out); }

  TemporaryFolder folder_;
  Outcome indexed_;
};

TEST_F(Commands, IndexReportsFailuresAndASecondRunReadsNothing) {
  EXPECT_EQ(indexed_.exit_code, 3) << indexed_.err;
  EXPECT_EQ(indexed_.out, "");
  EXPECT_THAT(indexed_.err, HasSubstr("8 new pictures, 1 moved or copied"));
  EXPECT_THAT(indexed_.err, HasSubstr("broken.jpg"));
  EXPECT_THAT(indexed_.err, HasSubstr("1 file could not be read; 'tessera list --failed' shows them"));
  const Outcome failed = tessera({"list", "--failed", "--format", "paths"});
  EXPECT_EQ(failed.out, (photos() / "broken.jpg").string() + "\n");

  const Outcome again = tessera({"index", photos().string(), "--format", "json"});
  EXPECT_EQ(again.exit_code, 3);
  const Json report = Json::parse(again.out);
  EXPECT_EQ(report["encoded"], 0);
  EXPECT_EQ(report["unchanged"], 10);
  EXPECT_EQ(report["failed_before"], 1);

  std::filesystem::remove(photos() / "broken.jpg");
  EXPECT_EQ(tessera({"rm", (photos() / "broken.jpg").string()}).exit_code, 0);
  EXPECT_EQ(tessera({"index", photos().string(), "-q"}).exit_code, 0);
}

TEST_F(Commands, IndexRefusesWhatCannotBeMeant) {
  EXPECT_EQ(tessera({"index", (folder_ / "nowhere").string()}).err,
            "tessera: no folder " + (folder_ / "nowhere").string() + "\n");
  EXPECT_EQ(tessera({"index", photo(0).string()}).exit_code, 1);
  const Outcome resized = tessera({"index", photos().string(), "--resize", "square:256"});
  EXPECT_EQ(resized.exit_code, 1);
  const Outcome other_model = tessera({"index", photos().string(), "-m", goldens_model().string()});
  EXPECT_EQ(other_model.exit_code, 1);
  EXPECT_THAT(other_model.err, HasSubstr("was made with the model"));
  const Outcome no_model = tessera({"index", photos().string(), "-L", (folder_ / "new").string(), "-m", "nowhere"});
  EXPECT_EQ(no_model.exit_code, 1);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "new"));
}

TEST_F(Commands, SearchFindsThePictureItselfFirst) {
  const Outcome table = tessera({"search", photo(3).string(), "-k", "3"});
  EXPECT_EQ(table.exit_code, 0) << table.err;
  EXPECT_THAT(table.out, HasSubstr("  photos/p3.png\n"));
  const Json found = tessera_json({"search", photo(3).string(), "-k", "3", "--format", "json"});
  ASSERT_EQ(found["hits"].size(), 3U);
  EXPECT_EQ(found["hits"][0]["path"], photo(3).string());
  EXPECT_GT(found["hits"][0]["score"], 0.99);
  EXPECT_GE(found["hits"][0]["score"], found["hits"][1]["score"]);
  EXPECT_EQ(found["searched"], kPictures);

  const Outcome others = tessera({"search", photo(3).string(), "--exclude-self", "--format", "paths"});
  EXPECT_EQ(others.out.find("p3.png"), std::string::npos);
  EXPECT_EQ(std::count(others.out.begin(), others.out.end(), '\n'), kPictures - 1);
}

TEST_F(Commands, SearchTakesRegionsSeveralExamplesAndFolders) {
  const std::string whole = tessera({"search", photo(2).string(), "--region", "0,0,1.0,1.0", "--format", "csv"}).out;
  EXPECT_EQ(whole, tessera({"search", photo(2).string(), "--format", "csv"}).out);
  EXPECT_NE(whole, tessera({"search", photo(2).string(), "--region", "0,0,40,40", "--format", "csv"}).out);
  const Outcome outside = tessera({"search", photo(2).string(), "--region", "0,0,4000,40"});
  EXPECT_EQ(outside.exit_code, 2);
  EXPECT_THAT(outside.err, HasSubstr("p2.png has 112 x 128 pixels"));

  const Json both = tessera_json({"search", photo(2).string(), photo(4).string(), "-k", "2", "--format", "json"});
  std::set<std::string> paths;
  for (const Json& hit : both["hits"]) paths.insert(hit["path"]);
  EXPECT_EQ(paths, (std::set<std::string>{photo(2).string(), photo(4).string()}));
  const Outcome without = tessera({"search", photo(2).string(), "--not", photo(2).string(), "--not-weight", "0.9"});
  EXPECT_EQ(without.exit_code, 0) << without.err;

  const Outcome under = tessera({"search", photo(1).string(), "--under", "photos/sub", "--format", "paths0"});
  EXPECT_EQ(under.out, (photos() / "sub" / "copy.png").string() + '\0' + latin_photo().string() + '\0');
}

TEST_F(Commands, EveryMethodOfBothStagesAnswers) {
  for (const std::string rerank : {"aligned", "maxsim", "none"}) {
    const Json found = tessera_json({"similar", photo(5).string(), "--include-self", "--rerank", rerank, "--tokens",
                                     "4", "--candidates", "5", "-k", "1", "--format", "json"});
    EXPECT_EQ(found["rerank"], rerank);
    EXPECT_EQ(found["hits"][0]["path"], photo(5).string());
  }
}

TEST_F(Commands, OfFewPicturesNothingIsSaidAboutChance) {
  const Json found = tessera_json({"search", photo(3).string(), "--format", "json"});
  EXPECT_EQ(found["background"], 0);
  EXPECT_TRUE(found["hits"][0]["by_chance"].is_null());
  const Outcome cut = tessera({"search", photo(3).string(), "--auto-cut"});
  EXPECT_EQ(cut.exit_code, 2);
  EXPECT_THAT(cut.err, HasSubstr("an automatic cut needs at least 50 pictures to search; there are 8"));
  const Outcome alone = tessera({"search", photo(3).string(), "--precision", "0.8"});
  EXPECT_EQ(alone.exit_code, 2);
  EXPECT_THAT(alone.err, HasSubstr("--auto-cut"));
  EXPECT_EQ(tessera({"search", photo(3).string(), "--auto-cut", "--precision", "1"}).exit_code, 2);
}

TEST_F(Commands, AutoCutEndsTheListByItself) {
  for (int i = 8; i < 70; ++i) write_image(photo(i), disc_picture(128, 128, static_cast<unsigned>(i)));
  ASSERT_EQ(tessera({"index", photos().string(), "-q"}).exit_code, 3);  // broken.jpg
  const std::string query = photo(3).string();
  const Json all = tessera_json({"search", query, "-k", "1000", "--format", "json"});
  ASSERT_EQ(all["hits"].size(), 70U);
  EXPECT_EQ(all["background"], 70);
  EXPECT_LT(all["hits"][0]["by_chance"], 0.1);  // the query itself
  EXPECT_GT(all["hits"][69]["by_chance"], 10);

  const auto kept = [&](double precision) {
    std::size_t longest = 0;
    for (std::size_t k = 1; k <= all["hits"].size(); ++k) {
      if (all["hits"][k - 1]["by_chance"] <= (1 - precision) * static_cast<double>(k)) longest = k;
    }
    return longest;
  };
  const Json cut = tessera_json({"search", query, "--auto-cut", "--format", "json"});
  EXPECT_EQ(cut["hits"].size(), kept(0.9));
  EXPECT_GE(cut["hits"].size(), 1U);
  EXPECT_EQ(cut["precision"], 0.9);
  EXPECT_EQ(cut["cut"], true);
  const Json loose = tessera_json({"search", query, "--auto-cut", "--precision", "0.05", "--format", "json"});
  EXPECT_EQ(loose["hits"].size(), kept(0.05));
  EXPECT_GT(loose["hits"].size(), cut["hits"].size());
  const Json first = tessera_json({"search", query, "--auto-cut", "-k", "1", "--format", "json"});
  EXPECT_EQ(first["hits"].size(), 1U);
  EXPECT_EQ(first["cut"], false);
  const std::string paths = tessera({"search", query, "--auto-cut", "--format", "paths"}).out;
  EXPECT_EQ(std::count(paths.begin(), paths.end(), '\n'), static_cast<std::ptrdiff_t>(cut["hits"].size()));

  // Nothing of it needs the library to be writable, or shows where it costs without being seen.
  EXPECT_THAT(tessera({"search", query}).err, HasSubstr(", chance "));
  EXPECT_THAT(tessera({"search", query, "--format", "paths"}).err, ::testing::Not(HasSubstr(", chance ")));
}

TEST_F(Commands, SimilarNeedsNoModelAndLeavesThePictureOut) {
  Surroundings no_model;
  no_model.variables["TESSERA_MODEL"] = "/nowhere";
  const Outcome outcome = tessera({"similar", "photos/p0.png", "-k", "20", "--format", "paths"}, no_model);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(std::count(outcome.out.begin(), outcome.out.end(), '\n'), kPictures - 1);
  EXPECT_EQ(outcome.out.find("p0.png"), std::string::npos);
  const Outcome unreadable = tessera({"similar", (photos() / "broken.jpg").string()});
  EXPECT_EQ(unreadable.exit_code, 1);
  EXPECT_THAT(unreadable.err, HasSubstr("could not be read when it was indexed"));
  EXPECT_EQ(tessera({"similar", "99999"}).exit_code, 1);
  EXPECT_EQ(tessera({"similar", "123456789012345678901234567890"}).exit_code, 1);
}

TEST_F(Commands, ContactSheetsArePicturesAndPages) {
  const Outcome outcome = tessera({"search", photo(0).string(), "-q", "--sheet", "sheet.png", "--open", "sheet.html"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_GT(load_image(folder_ / "sheet.png").width, 5 * 240);
  EXPECT_THAT(read_text(folder_ / "sheet.html"), HasSubstr("caf%E9.png"));
  EXPECT_EQ(tessera({"similar", "1", "--sheet", "sheet.gif"}).exit_code, 2);
  const Outcome nowhere = tessera({"similar", "1", "--sheet", "no/such/folder.html"});
  EXPECT_EQ(nowhere.exit_code, 1);
  EXPECT_THAT(nowhere.err, HasSubstr("cannot write no/such/folder.html"));
}

TEST_F(Commands, InfoFindsMovedPicturesByContent) {
  const std::filesystem::path moved = folder_ / "moved.png";
  std::filesystem::rename(photo(6), moved);
  const Json info = tessera_json({"info", moved.string(), "--format", "json"});
  EXPECT_EQ(info[0]["files"][0]["path"], photo(6).string());
  EXPECT_THAT(tessera({"info", moved.string()}).out, HasSubstr("144 x 128 png"));
  const Outcome unknown = tessera({"info", "nothing.png"});
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_THAT(unknown.err, HasSubstr("is neither in the library"));
}

TEST_F(Commands, FilesCanBeForgottenPrunedAndMoved) {
  EXPECT_EQ(tessera({"rm", photo(0).string(), "photos/none.png"}).exit_code, 3);
  EXPECT_EQ(tessera({"rm", "photos/none.png"}).exit_code, 1);
  std::filesystem::remove(photo(2));
  tessera({"index", photos().string(), "-q"});
  EXPECT_EQ(tessera({"list", "--missing", "--format", "paths"}).out, photo(2).string() + "\n");
  EXPECT_THAT(tessera({"prune"}).err, HasSubstr("forgot 1 missing file"));
  EXPECT_EQ(tessera_json({"stats", "--format", "json"})["missing_files"], 0);

  std::filesystem::rename(photos(), folder_ / "elsewhere");
  EXPECT_EQ(tessera({"relocate", "photos", "elsewhere"}).exit_code, 0);
  EXPECT_THAT(tessera({"list", "--format", "paths"}).out, HasSubstr((folder_ / "elsewhere" / "p3.png").string()));
  EXPECT_EQ(tessera({"relocate", "photos", "elsewhere"}).exit_code, 1);
  EXPECT_EQ(tessera({"compact"}).exit_code, 0);
  EXPECT_EQ(tessera_json({"stats", "--format", "json"})["deleted_rows"], 0);
  const Outcome whole = tessera({"verify", "--photos"});
  EXPECT_EQ(whole.exit_code, 0) << whole.out << whole.err;
}

TEST_F(Commands, VerifyNamesADamagedSegment) {
  EXPECT_EQ(tessera({"verify"}).exit_code, 0);
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(library()) / "segments")) {
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(-20, std::ios::end);
    file << "damage";
  }
  const Outcome outcome = tessera({"verify"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.out, HasSubstr("segments/"));
}

TEST_F(Commands, ListKeepsNamesThatAreNoUtf8) {
  EXPECT_THAT(tessera({"list", "--format", "paths0"}).out, HasSubstr(latin_photo().string() + '\0'));
  EXPECT_THAT(tessera({"list"}).out, HasSubstr("photos/sub/caf\\xe9.png\n"));
  bool found = false;
  for (const Json& record : tessera_json({"list", "--format", "json"})) {
    for (const Json& file : record["files"]) found = found || file.contains("path_bytes");
  }
  EXPECT_TRUE(found);
}

TEST_F(Commands, ExportWritesRecordsAndVectors) {
  EXPECT_EQ(tessera({"export", "-o", "all.csv"}).exit_code, 0);
  EXPECT_EQ(read_text(folder_ / "all.csv"), tessera({"list", "--format", "csv"}).out);
  EXPECT_EQ(tessera({"export", "-o", "v.npy", "--tokens", "2"}).exit_code, 0);
  EXPECT_EQ(tessera({"export", "-o", "t.safetensors", "--tokens", "2"}).exit_code, 0);
  EXPECT_EQ(tessera({"export", "-o", "t.safetensors", "--tokens", "9"}).exit_code, 2);

  const SafetensorsFile file(folder_ / "t.safetensors");
  const TensorView& tensor = file.tensors().at("tokens");
  const Library opened = Library::open(library(), OpenMode::kRead);
  const int width = opened.encoder()->token_width;
  EXPECT_EQ(tensor.shape, (std::vector<std::int64_t>{kPictures, 2, width}));
  const std::string npy = read_text(folder_ / "v.npy");
  EXPECT_THAT(npy, StartsWith("\x93NUMPY"));
  const std::size_t header = 10 + static_cast<unsigned char>(npy[8]) + 256 * static_cast<unsigned char>(npy[9]);
  EXPECT_EQ(header % 64, 0U);
  EXPECT_THAT(npy.substr(0, header), HasSubstr("'shape': (8, 2, " + std::to_string(width) + ")"));
  ASSERT_EQ(npy.size() - header, tensor.data.size());
  EXPECT_EQ(std::memcmp(npy.data() + header, tensor.data.data(), tensor.data.size()), 0);

  std::istringstream index(read_text(folder_ / "v.jsonl"));
  const std::vector<float> values = to_float(tensor);
  std::size_t row = 0;
  for (std::string line; std::getline(index, line); ++row) {
    const Json record = Json::parse(line);
    const QueryPart stored = opened.tokens(record["id"], 2);
    EXPECT_TRUE(std::equal(stored.tokens.begin(), stored.tokens.end(), values.begin() + row * 2 * width));
  }
  EXPECT_EQ(row, static_cast<std::size_t>(kPictures));
}

TEST_F(Commands, BuildIndexIsUsedByTheNextSearch) {
  ASSERT_EQ(tessera({"build-index", "--method", "hnsw"}).exit_code, 0);
  EXPECT_GT(tessera_json({"stats", "--format", "json"})["coarse_index_bytes"], 0);
  const Json found =
      tessera_json({"similar", photo(4).string(), "--include-self", "--coarse", "hnsw", "-k", "1", "--format", "json"});
  EXPECT_EQ(found["coarse"], "hnsw");
  EXPECT_EQ(found["hits"][0]["path"], photo(4).string());
}

TEST_F(Commands, EncodeGivesTheEncodersNumbers) {
  write_image(folder_ / "plain.png", disc_picture(64, 96, 5));
  const Outcome outcome = tessera({"encode", "plain.png", "-o", "x.safetensors", "--tokens", "4", "--dense", "--resize",
                                   "none", "--dtype", "f32", "--device", "cpu"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EncoderOptions options;
  options.device = "cpu";
  options.compute = ComputeType::kF32;
  options.load_decoder = true;
  const auto encoder = Encoder::load(test::source_dir() / "models" / "default", options);
  const std::vector<Image> images = {load_image(folder_ / "plain.png")};
  const EncodedBatch expected = encoder->encode(images, 4);
  const DecodedBatch dense = encoder->decode(expected);
  const SafetensorsFile file(folder_ / "x.safetensors");
  const auto expect_near = [&](const std::string& name, std::vector<std::int64_t> shape,
                               const std::vector<float>& values) {
    const TensorView& tensor = file.tensors().at(name);
    EXPECT_EQ(tensor.shape, shape);
    const std::vector<float> written = to_float(tensor);
    ASSERT_EQ(written.size(), values.size());
    for (std::size_t i = 0; i < values.size(); ++i) ASSERT_NEAR(written[i], values[i], 1e-5) << name;
  };
  expect_near("plain.prefix", {expected.prefix_count, expected.width}, expected.prefix);
  expect_near("plain.tokens", {4, expected.width}, expected.tokens);
  expect_near("plain.dense", {24, dense.width}, dense.dense);
  EXPECT_EQ(file.tensors().size(), 3U);
}

TEST_F(Commands, EncodeReportsWhatItCannotRead) {
  const Outcome some = tessera({"encode", photo(0).string(), "photos/broken.jpg", "-o", "some.safetensors"});
  EXPECT_EQ(some.exit_code, 3) << some.err;
  EXPECT_THAT(some.err, HasSubstr("photos/broken.jpg"));
  EXPECT_EQ(SafetensorsFile(folder_ / "some.safetensors").tensors().count("p0.tokens"), 1U);
  write_image(folder_ / "odd.png", disc_picture(65, 96, 5));
  const Outcome odd = tessera({"encode", "odd.png", "-o", "odd.safetensors", "--resize", "none"});
  EXPECT_EQ(odd.exit_code, 1);
  EXPECT_THAT(odd.err, HasSubstr("odd.png"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "odd.safetensors"));
}

TEST_F(Commands, DoctorWorksWithAndWithoutALibrary) {
  const Outcome here = tessera({"doctor"});
  EXPECT_EQ(here.exit_code, 0) << here.out;
  EXPECT_THAT(here.out, HasSubstr("8 pictures in 10 files, 1 failed"));
  const Outcome none = tessera({"doctor", "-L", "nowhere", "--format", "json"});
  EXPECT_EQ(none.exit_code, 0);
  EXPECT_EQ(Json::parse(none.out).back()["verdict"], "note");
  const Outcome bad = tessera({"doctor", "-m", "nowhere"});
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_THAT(bad.out, HasSubstr("bad      model"));
}

TEST_F(Commands, ALibraryBesideThePhotosIsFoundUpward) {
  std::filesystem::rename(library(), photos() / ".tessera");
  Surroundings below;
  below.folder = photos() / "sub";
  const Outcome outcome = run_tessera({"similar", "copy.png", "-k", "1", "--include-self", "--format", "paths"}, below);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("photos/"));
}

TEST(EvalCommand, CopiesAndCutReportWhatTheyMeasured) {
  const TemporaryFolder folder;
  for (unsigned i = 0; i < 60; ++i) {
    const std::string group = "photos/" + std::string(i % 2 == 0 ? "even" : "odd");
    std::filesystem::create_directories(folder / group);
    write_image(folder / (group + "/p" + std::to_string(i) + ".png"), disc_picture(80, 64, i));
  }
  const std::string photos = (folder / "photos").string();
  const std::vector<std::string> common = {"--resize",  "square:64", "--tokens", "4", "--rerank",
                                           "aligned:4", "--format",  "json",     "-q"};
  const auto eval = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "eval");
    arguments.insert(arguments.end(), common.begin(), common.end());
    return run_tessera(arguments);
  };
  const Outcome copies = eval({"copies", photos, "--queries", "6", "--seed", "3"});
  ASSERT_EQ(copies.exit_code, 0) << copies.err;
  const Json report = Json::parse(copies.out);
  EXPECT_EQ(report["measure"], "copies");
  EXPECT_EQ(report["settings"]["set_pictures"], 60);
  EXPECT_EQ(report["settings"]["measured_queries"], 9 * 6);
  ASSERT_EQ(report["rows"].size(), 4U);
  for (const Json& row : report["rows"]) {
    for (const char* figure : {"crop", "rotate", "mirror", "jpeg20", "resize", "text", "border", "colour", "blur",
                               "total", "found", "precision"}) {
      EXPECT_GE(row[figure]["value"], 0) << figure;
      EXPECT_LE(row[figure]["value"], 100) << figure;
    }
  }
  EXPECT_EQ(report["rows"][3]["descriptor"], "aligned:4");
  EXPECT_GE(report["rows"][0]["jpeg20"]["value"], 20);  // by accident it would be 2
  EXPECT_EQ(eval({"copies", photos, "--queries", "6", "--seed", "3"}).out, copies.out);

  const Outcome cut = eval({"cut", photos, "--precision", "0.8"});
  ASSERT_EQ(cut.exit_code, 0) << cut.err;
  const Json lists = Json::parse(cut.out);
  EXPECT_EQ(lists["settings"]["claimed_precision"], 0.8);
  EXPECT_EQ(lists["settings"]["measured_queries"], 60);
  ASSERT_EQ(lists["rows"].size(), 2U);
  EXPECT_GE(lists["rows"][1]["empty"]["value"], 0);
  EXPECT_EQ(eval({"cut", photos, "--precision", "2"}).exit_code, 2);

  write_image(folder / "photos/even/small.png", disc_picture(12, 12, 1));  // can be encoded, not altered
  const Outcome some = eval({"copies", photos});
  EXPECT_EQ(some.exit_code, 3);
  const Json failed = Json::parse(some.out)["failed"];
  ASSERT_EQ(failed.size(), 1U);
  EXPECT_THAT(failed[0].get<std::string>(), HasSubstr("small.png"));
  EXPECT_THAT(failed[0].get<std::string>(), HasSubstr("too small to be altered"));
}

TEST(IndexCommand, CtrlCKeepsWhatIsFinished) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "photos");
  for (unsigned i = 0; i < 60; ++i) {
    write_image(folder / ("photos/p" + std::to_string(i) + ".png"), disc_picture(160, 128, i));
  }
  const std::string library = (folder / "lib").string();
  RunningTessera running(
      {"index", (folder / "photos").string(), "-L", library, "--resize", "short:768", "--batch", "1"});
  ASSERT_TRUE(running.wait_for_message("new library"));
  running.send(SIGINT);
  const Outcome outcome = running.finish();
  EXPECT_EQ(outcome.exit_code, 130) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("stopping; what is finished is kept"));
  EXPECT_THAT(outcome.err, HasSubstr("Stopped: "));
  EXPECT_EQ(run_tessera({"verify", "-L", library}).exit_code, 0);
}

}  // namespace
}  // namespace tessera::cli
