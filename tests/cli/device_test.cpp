// The whole way from the command line through the backend library to results, on an emulated device; and what is said
// where driver, library or device are missing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "run_tessera.h"
#include "tessera/memory_plan.h"
#include "tessera/safetensors.h"

namespace tessera::cli {
namespace {

using testing::disc_picture;
using testing::goldens_model;
using ::testing::HasSubstr;
using testing::Outcome;
using testing::run_tessera;
using testing::Surroundings;
using testing::TemporaryFolder;
using Json = nlohmann::json;

// Child processes that find the emulated driver, and a backend library of the test's choice.
class DeviceCommands : public ::testing::Test {
 protected:
  DeviceCommands() {
    for (unsigned i = 0; i < 4; ++i) {
      write_image(folder_ / ("p" + std::to_string(i) + ".png"), disc_picture(64, 48, i + 1));
    }
  }

  Outcome tessera(std::vector<std::string> arguments, std::map<std::string, std::string> more = {}) const {
    Surroundings surroundings;
    surroundings.folder = folder_.path();
    surroundings.variables = {{"LD_LIBRARY_PATH", TESSERA_EMULATED_DRIVER_FOLDER},
                              {"TESSERA_CUDA_LIBRARY", TESSERA_EMULATED_LIBRARY},
                              {"TESSERA_MODEL", goldens_model().string()}};
    for (const auto& [name, value] : more) surroundings.variables[name] = value;
    return run_tessera(arguments, surroundings);
  }
  std::map<std::string, std::vector<float>> encoded(const std::string& file, std::vector<std::string> options,
                                                    const std::string& device) const {
    std::vector<std::string> arguments = {"encode", "p0.png", "p1.png", "-o", file, "--resize", "none"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const Outcome outcome = tessera(arguments);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    const SafetensorsFile result(folder_ / file);
    EXPECT_EQ(result.metadata().at("device"), device);
    std::map<std::string, std::vector<float>> tensors;
    for (const auto& [name, view] : result.tensors()) tensors[name] = to_float(view);
    return tensors;
  }

  TemporaryFolder folder_;
};

TEST_F(DeviceCommands, TheDeviceGivesTheNumbersOfTheCpu) {
  const auto expected = encoded("cpu", {"--device", "cpu", "--dtype", "f32", "--dense"}, "cpu");
  const auto actual = encoded("cuda", {"--device", "cuda", "--dtype", "f32", "--dense"}, "cuda:0");
  ASSERT_EQ(actual.size(), 6u);
  for (const auto& [name, values] : expected) {
    ASSERT_EQ(actual.at(name).size(), values.size()) << name;
    for (std::size_t i = 0; i < values.size(); ++i) ASSERT_NEAR(actual.at(name)[i], values[i], 5e-5) << name;
  }
}

TEST_F(DeviceCommands, HalfPrecisionPointsTheSameWay) {
  const std::vector<float> expected = encoded("cpu", {"--device", "cpu", "--dtype", "f32"}, "cpu").at("p0.tokens");
  for (const char* type : {"f16", "bf16", "auto"}) {
    const std::vector<float> actual = encoded("cuda", {"--device", "auto", "--dtype", type}, "cuda:0").at("p0.tokens");
    double dot = 0, aa = 0, bb = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      dot += double{actual[i]} * expected[i];
      aa += double{actual[i]} * actual[i];
      bb += double{expected[i]} * expected[i];
    }
    EXPECT_GT(dot / std::sqrt(aa * bb), 0.999) << type;
    EXPECT_NE(actual, expected) << type;
  }
}

TEST_F(DeviceCommands, IndexAndSearchRunOnTheDevice) {
  for (const char* device : {"cpu", "cuda"}) {
    const std::string library = std::string("library-") + device;
    const Outcome index = tessera({"index", ".", "-L", library, "--resize", "square:48", "--device", device});
    ASSERT_EQ(index.exit_code, 0) << index.err;
    EXPECT_THAT(index.err, HasSubstr("4 new pictures"));
  }
  const auto found = [&](const char* library, const char* device) {
    const Outcome outcome = tessera({"search", "p2.png", "-L", library, "--device", device, "--format", "paths"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return outcome.out;
  };
  const std::string expected = found("library-cpu", "cpu");
  EXPECT_THAT(expected, ::testing::StartsWith((folder_ / "p2.png").string()));
  EXPECT_EQ(found("library-cuda", "cuda"), expected);
  EXPECT_EQ(found("library-cpu", "cuda"), expected);
}

TEST_F(DeviceCommands, SeveralDevicesShareTheWork) {
  for (unsigned i = 4; i < 9; ++i)
    write_image(folder_ / ("p" + std::to_string(i) + ".png"), disc_picture(64, 48, i + 1));
  const std::map<std::string, std::string> two = {{"TESSERA_EMULATED_DEVICES", "2 8 0"}};
  const auto index = [&](const std::string& devices, const std::string& library) {
    return tessera({"index", ".", "-L", library, "--resize", "square:48", "--batch", "1", "--device", devices}, two);
  };
  std::vector<std::vector<float>> tokens;
  for (const char* devices : {"cuda:1", "cuda:0,cuda:1"}) {
    const std::string library = "library-" + std::to_string(tokens.size());
    const Outcome outcome = index(devices, library);
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("9 new pictures"));
    const Outcome exported = tessera({"export", "-L", library, "-o", library + ".safetensors"});
    ASSERT_EQ(exported.exit_code, 0) << exported.err;
    tokens.push_back(to_float(SafetensorsFile(folder_ / (library + ".safetensors")).tensors().at("tokens")));
  }
  EXPECT_EQ(tokens[0], tokens[1]);

  const Outcome missing = index("cuda:0,cuda:2", "none");
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(missing.err, HasSubstr("no device cuda:2; this machine has 2"));
  const Outcome twice = index("cuda:0,cuda", "none");
  EXPECT_EQ(twice.exit_code, 2);
  EXPECT_THAT(twice.err, HasSubstr("the device cuda is named twice"));
  EXPECT_EQ(tessera({"search", "p2.png", "-L", "library-0", "--device", "cuda:0,cuda:1"}, two).exit_code, 2);
}

struct Finding {
  std::string verdict;
  std::string text;
};

// The finding of doctor's report with this subject.
Finding finding(const Outcome& doctor, const std::string& subject) {
  for (const Json& entry : Json::parse(doctor.out)) {
    if (entry["subject"] == subject) return {entry["verdict"].get<std::string>(), entry["text"].get<std::string>()};
  }
  return {"missing", doctor.err};
}

TEST_F(DeviceCommands, DoctorShowsTheDevice) {
  const Finding cuda = finding(tessera({"doctor", "--device", "cpu", "--format", "json"}), "cuda");
  EXPECT_EQ(cuda.verdict, "ok");
  EXPECT_THAT(cuda.text, HasSubstr("cuda:0 Emulated device, sm_80"));
  EXPECT_THAT(cuda.text, HasSubstr(TESSERA_EMULATED_LIBRARY));
}

TEST_F(DeviceCommands, DoctorSaysWhatIsMissing) {
  const auto cuda = [&](std::map<std::string, std::string> variables) {
    const Outcome doctor = tessera({"doctor", "--device", "cpu", "--format", "json"}, std::move(variables));
    EXPECT_EQ(doctor.exit_code, 0) << doctor.err;
    return finding(doctor, "cuda");
  };
  const Finding library = cuda({{"TESSERA_CUDA_LIBRARY", "/nonexistent/backend.so"}});
  EXPECT_EQ(library.verdict, "note");
  EXPECT_THAT(library.text, HasSubstr("/nonexistent/backend.so"));
  const Finding abi = cuda({{"TESSERA_CUDA_LIBRARY", TESSERA_WRONG_ABI_LIBRARY}});
  EXPECT_EQ(abi.verdict, "warning");
  EXPECT_THAT(abi.text, HasSubstr("another build"));
  const Finding device = cuda({{"TESSERA_EMULATED_DEVICES", "0 8 0"}});
  EXPECT_EQ(device.verdict, "note");
  EXPECT_THAT(device.text, HasSubstr("no device"));
}

TEST_F(DeviceCommands, WithoutADeviceAutoIsTheCpuAndCudaAnError) {
  const std::map<std::string, std::string> none = {{"TESSERA_CUDA_LIBRARY", "/nonexistent/backend.so"}};
  const std::vector<std::string> encode = {"encode", "p0.png", "-o", "x", "--resize", "none", "--device"};
  const auto with = [&](std::vector<std::string> more, const std::map<std::string, std::string>& variables) {
    std::vector<std::string> arguments = encode;
    arguments.insert(arguments.end(), more.begin(), more.end());
    return tessera(arguments, variables);
  };
  const Outcome automatic = with({"auto"}, none);
  EXPECT_EQ(automatic.exit_code, 0) << automatic.err;
  EXPECT_THAT(automatic.err, ::testing::Not(HasSubstr("GPU")));
  EXPECT_EQ(SafetensorsFile(folder_ / "x").metadata().at("device"), "cpu");
  const Outcome asked = with({"cuda"}, none);
  EXPECT_EQ(asked.exit_code, 1);
  EXPECT_THAT(asked.err, HasSubstr("the device cuda cannot be used: the CUDA backend cannot be opened"));
  const Outcome half = with({"auto", "--dtype", "f16"}, none);
  EXPECT_EQ(half.exit_code, 1);
  EXPECT_THAT(half.err, HasSubstr("f16 needs a CUDA device"));
  const Outcome cpu = with({"cpu", "--dtype", "f16"}, none);
  EXPECT_EQ(cpu.exit_code, 1);
  EXPECT_THAT(cpu.err, HasSubstr("the CPU does not compute in f16"));
  const Outcome other = with({"cuda:7"}, {});
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_THAT(other.err, HasSubstr("no device cuda:7; this machine has 1"));
  const Outcome name = with({"tpu"}, {});
  EXPECT_EQ(name.exit_code, 2);
  EXPECT_THAT(name.err, HasSubstr("devices are auto, cpu, cuda and cuda:N"));
}

// A GPU that is there and cannot be used: the CPU does the work, and the user hears why.
TEST_F(DeviceCommands, AutoSaysWhyItPassesOverAGpu) {
  const std::vector<std::string> encode = {"encode", "p0.png", "-o", "x", "--resize", "none"};
  for (const auto& [variables, reason] : std::vector<std::pair<std::map<std::string, std::string>, std::string>>{
           {{{"TESSERA_EMULATED_DEVICES", "1 6 1"}}, "too old"},
           {{{"TESSERA_CUDA_LIBRARY", TESSERA_THROWING_LIBRARY}}, "no context"},
           {{{"TESSERA_CUDA_LIBRARY", TESSERA_WRONG_ABI_LIBRARY}}, "another build"}}) {
    const Outcome outcome = tessera(encode, variables);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("warning: the GPU is not used: "));
    EXPECT_THAT(outcome.err, HasSubstr(reason));
    EXPECT_EQ(SafetensorsFile(folder_ / "x").metadata().at("device"), "cpu");
  }
}

// Four pictures at once do not fit, two do.
TEST_F(DeviceCommands, TooLittleMemoryHalvesTheBatch) {
  const std::array<EncoderPass, 2> passes = {EncoderPass{2, 128, 128}, {4, 128, 128}};
  const std::vector<MemoryPlan> plans = plan_memory(goldens_model(), ComputeType::kF32, passes);
  const std::uint64_t limit = plans[0].total() + (256 << 10);
  ASSERT_LT(limit, plans[1].total());
  const std::vector<std::string> index = {"index",   ".",   "--resize", "square:128", "--batch", "4",
                                          "--dtype", "f32", "--device", "cuda",       "-L"};
  const auto with = [&](std::vector<std::string> more, const std::map<std::string, std::string>& variables = {}) {
    std::vector<std::string> arguments = index;
    arguments.insert(arguments.end(), more.begin(), more.end());
    return tessera(arguments, variables);
  };
  const Outcome limited = with({"limited", "--vram-limit", std::to_string(limit)});
  EXPECT_EQ(limited.exit_code, 0) << limited.err;
  EXPECT_THAT(limited.err, HasSubstr("4 new pictures"));
  const Outcome small_device = with({"small"}, {{"TESSERA_EMULATED_MEMORY", std::to_string(limit)}});
  EXPECT_EQ(small_device.exit_code, 0) << small_device.err;
  const Outcome refused = with({"refused", "--vram-limit", "100K"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("not enough memory on the CUDA device"));
  EXPECT_THAT(refused.err, HasSubstr("the limit is 1 MiB"));

  ASSERT_EQ(with({"whole"}).exit_code, 0);
  const auto tokens = [&](const std::string& library) {
    const Outcome outcome = tessera({"export", "-L", library, "-o", library + ".safetensors"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return to_float(SafetensorsFile(folder_ / (library + ".safetensors")).tensors().at("tokens"));
  };
  const std::vector<float> expected = tokens("whole");
  for (const char* library : {"limited", "small"}) {
    const std::vector<float> actual = tokens(library);
    ASSERT_EQ(actual.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(actual[i], expected[i], 1e-5) << library;
  }
}

// The device fails in the second picture.
TEST_F(DeviceCommands, AFailingDeviceStopsCleanlyOrLeavesTheWorkToTheCpu) {
  const std::map<std::string, std::string> failing = {{"TESSERA_EMULATED_FAILURE", "120"}};
  std::vector<std::string> index = {"index", ".", "--resize", "square:64", "--batch", "1", "-L", "stopped", "--device"};
  index.push_back("cuda");
  const Outcome stopped = tessera(index, failing);
  EXPECT_EQ(stopped.exit_code, 1);
  EXPECT_THAT(stopped.err, ::testing::ContainsRegex("CUDA device failed at or before kernel [a-z_]+ \\[[0-9, ]+\\]"));
  const Json before = Json::parse(tessera({"stats", "-L", "stopped", "--format", "json"}).out);
  EXPECT_GE(before["images"], 1);
  EXPECT_LT(before["images"], 4);
  EXPECT_EQ(tessera(index).exit_code, 0);
  EXPECT_EQ(Json::parse(tessera({"stats", "-L", "stopped", "--format", "json"}).out)["images"], 4);

  const Outcome moved = tessera({"index", ".", "--resize", "square:64", "--batch", "1", "-L", "moved"}, failing);
  EXPECT_EQ(moved.exit_code, 0) << moved.err;
  EXPECT_THAT(moved.err, HasSubstr("warning: cuda:0 failed, the CPU goes on: "));
  EXPECT_THAT(moved.err, HasSubstr("4 new pictures"));
}

TEST_F(DeviceCommands, DoctorPlansMemory) {
  const Outcome doctor = tessera({"doctor", "--plan", "--device", "cpu", "--dtype", "bf16"});
  EXPECT_EQ(doctor.exit_code, 0) << doctor.err;
  EXPECT_THAT(doctor.out, HasSubstr("on a GPU in bf16: weights "));
  EXPECT_THAT(doctor.out,
              ::testing::ContainsRegex("512 x 512: [0-9.]+ [MG]B with batch 1, [0-9.]+ [MG]B with batch 8"));
}

TEST_F(DeviceCommands, BenchComparesDevices) {
  const Outcome bench = tessera({"bench", "--size", "32", "--batch", "2", "--seconds", "0", "--format", "json"});
  ASSERT_EQ(bench.exit_code, 0) << bench.err;
  const Json all = Json::parse(bench.out);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0]["device"], "cpu");
  EXPECT_EQ(all[0]["ratio"], 1.0);
  EXPECT_EQ(all[1]["device"], "cuda:0");
  EXPECT_GT(all[1]["images_per_second"], 0.0);
  EXPECT_EQ(all[1]["size"], 32);
  EXPECT_EQ(all[1]["batch"], 2);
  const Outcome one = tessera({"bench", "--device", "cpu", "--size", "32", "--batch", "1", "--seconds", "0"});
  EXPECT_EQ(one.exit_code, 0) << one.err;
  EXPECT_THAT(one.out, ::testing::ContainsRegex("^cpu .* pictures/s +1.00 x  32 x 32, batch 1"));
  EXPECT_EQ(tessera({"bench", "--device", "cuda:3", "--seconds", "0"}).exit_code, 1);
}

TEST_F(DeviceCommands, OlderDevicesComputeInF16) {
  const std::map<std::string, std::string> turing = {{"TESSERA_EMULATED_DEVICES", "1 7 5"}};
  const std::vector<std::string> encode = {"encode", "p0.png", "-o", "x", "--resize", "none", "--device", "cuda"};
  EXPECT_EQ(tessera(encode, turing).exit_code, 0);
  EXPECT_EQ(SafetensorsFile(folder_ / "x").metadata().at("compute"), "f16");
  std::vector<std::string> bf16 = encode;
  bf16.insert(bf16.end(), {"--dtype", "bf16"});
  const Outcome refused = tessera(bf16, turing);
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("has no bf16; use f16 or f32"));
}

}  // namespace
}  // namespace tessera::cli
