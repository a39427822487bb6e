// Opening the CUDA backend library: what may be missing or wrong is said, and never more than said.
#include "device/cuda_library.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "device/choose_backend.h"
#include "tessera/error.h"
#include "test_paths.h"

namespace tessera {
namespace {

using testing::HasSubstr;

constexpr const char* kDriver = TESSERA_EMULATED_DRIVER;

struct Refusal {
  ErrorCode code;
  std::string text;
};

template <typename Call>
Refusal refusal(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

TEST(CudaLibrary, NoDriver) {
  const CudaLibrary library(TESSERA_EMULATED_LIBRARY, "libno-such-driver.so.1");
  EXPECT_EQ(library.status().state, CudaState::kNoDriver);
  EXPECT_THAT(library.status().reason, HasSubstr("no NVIDIA driver: libno-such-driver.so.1"));
  EXPECT_TRUE(library.status().devices.empty());
  const Refusal refused = refusal([&] { library.make({}); });
  EXPECT_EQ(refused.code, ErrorCode::kNotFound);
  EXPECT_EQ(refused.text, library.status().reason);
}

TEST(CudaLibrary, NoLibrary) {
  const CudaLibrary library("/nonexistent/libtessera_cuda.so", kDriver);
  EXPECT_EQ(library.status().state, CudaState::kNoLibrary);
  EXPECT_THAT(library.status().reason, HasSubstr("/nonexistent/libtessera_cuda.so"));
}

TEST(CudaLibrary, NoSharedLibrary) {
  const CudaLibrary library(__FILE__, kDriver);
  EXPECT_EQ(library.status().state, CudaState::kNoLibrary);
  EXPECT_THAT(library.status().reason, HasSubstr("cuda_library_test.cpp"));
}

TEST(CudaLibrary, AnotherKindOfLibrary) {
  const CudaLibrary library(kDriver, kDriver);
  EXPECT_EQ(library.status().state, CudaState::kWrongLibrary);
  EXPECT_THAT(library.status().reason, HasSubstr("is no backend library"));
}

TEST(CudaLibrary, AnotherInterface) {
  const CudaLibrary library(TESSERA_WRONG_ABI_LIBRARY, kDriver);
  EXPECT_EQ(library.status().state, CudaState::kWrongLibrary);
  EXPECT_THAT(library.status().reason, HasSubstr("another build of Tessera (interface 0123456789abcdef"));
  EXPECT_TRUE(library.status().devices.empty());
  EXPECT_EQ(refusal([&] { library.make({}); }).code, ErrorCode::kNotFound);
}

TEST(CudaLibrary, WhatItThrowsBecomesAnError) {
  const CudaLibrary library(TESSERA_THROWING_LIBRARY, kDriver);
  ASSERT_EQ(library.status().state, CudaState::kReady) << library.status().reason;
  EXPECT_EQ(library.status().devices.size(), 3u);
  const Refusal standard = refusal([&] { library.make({.device = 0}); });
  EXPECT_EQ(standard.code, ErrorCode::kInternal);
  EXPECT_THAT(standard.text, HasSubstr("throwing_library"));
  EXPECT_THAT(standard.text, HasSubstr("no context"));
  EXPECT_THAT(refusal([&] { library.make({.device = 1}); }).text, HasSubstr("unknown reason"));
  const Refusal own = refusal([&] { library.make({.device = 2}); });
  EXPECT_EQ(own.code, ErrorCode::kLimit);
  EXPECT_EQ(own.text, "no memory");
}

// An Error that a backend's operation throws is caught as one on this side.
TEST(CudaLibrary, BackendsWorkAndTheirErrorsArrive) {
  const CudaLibrary library(TESSERA_EMULATED_LIBRARY, kDriver);
  ASSERT_EQ(library.status().state, CudaState::kReady) << library.status().reason;
  ASSERT_EQ(library.status().devices.size(), 1u);
  EXPECT_THAT(library.status().devices[0], HasSubstr("Emulated device, sm_80"));
  const auto backend = library.make({.memory_limit = std::uint64_t{64} << 20});
  EXPECT_EQ(backend->name(), "cuda:0");
  EXPECT_EQ(backend->activation_type(), DType::kBF16);
  const std::array<float, 3> values = {1.0f, -2.5f, 1e-3f};
  const Buffer buffer(*backend, 3, DType::kF32);
  backend->upload(buffer.tensor(), values);
  std::array<float, 3> back{};
  backend->download(buffer.tensor(), back);
  EXPECT_EQ(back, values);
  const Refusal full = refusal([&] { Buffer(*backend, 16 << 20, DType::kF32); });
  EXPECT_EQ(full.code, ErrorCode::kLimit);
  EXPECT_THAT(full.text, HasSubstr("the limit is 64 MiB"));
  const Refusal absent = refusal([&] { library.make({.device = 4}); });
  EXPECT_EQ(absent.code, ErrorCode::kNotFound);
  EXPECT_THAT(absent.text, HasSubstr("no device cuda:4; this machine has 1"));
}

double cpu_seconds(int who) {
  struct rusage usage;
  EXPECT_EQ(::getrusage(who, &usage), 0);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void start_smallest_program() {
  char name[] = "/bin/true";
  char* const arguments[] = {name, nullptr};
  pid_t child = 0;
  ASSERT_EQ(::posix_spawn(&child, name, nullptr, nullptr, arguments, environ), 0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
}

// Every command that encodes looks for a GPU: where there is none, that costs less processor time than starting the
// smallest program, of which a command is one. Sums over many, since the clock is coarse.
TEST(CudaLibrary, LookingForADeviceCostsLessThanStartingAProgram) {
  constexpr int kRuns = 40;
  double best_look = 1e9, best_start = 1e9;
  for (int round = 0; round < 5; ++round) {
    double begin = cpu_seconds(RUSAGE_CHILDREN);
    for (int i = 0; i < kRuns; ++i) start_smallest_program();
    best_start = std::min(best_start, cpu_seconds(RUSAGE_CHILDREN) - begin);
    begin = cpu_seconds(RUSAGE_SELF);
    for (int i = 0; i < kRuns; ++i) {
      const CudaLibrary library("/nonexistent/libtessera_cuda.so", "libno-such-driver.so.1");
      EXPECT_EQ(library.status().state, CudaState::kNoDriver);
    }
    best_look = std::min(best_look, cpu_seconds(RUSAGE_SELF) - begin);
  }
  RecordProperty("look_microseconds", static_cast<int>(1e6 * best_look / kRuns));
  RecordProperty("start_microseconds", static_cast<int>(1e6 * best_start / kRuns));
  EXPECT_LT(best_look, best_start);
}

TEST(CudaLibrary, IsLookedForBesideTheProgram) {
  ASSERT_EQ(::unsetenv("TESSERA_CUDA_LIBRARY"), 0);
  const std::filesystem::path path = cuda_library_path();
  EXPECT_EQ(path.filename(), "libtessera_cuda.so");
  EXPECT_EQ(path.parent_path().filename(), "tessera");
  EXPECT_THAT(path.string(), testing::StartsWith((test::build_dir() / "lib").string()));
  ASSERT_EQ(::setenv("TESSERA_CUDA_LIBRARY", "/elsewhere/backend.so", 1), 0);
  EXPECT_EQ(cuda_library_path(), "/elsewhere/backend.so");
  ASSERT_EQ(::unsetenv("TESSERA_CUDA_LIBRARY"), 0);
}

TEST(DeviceNames, OnlyKnownOnes) {
  for (const char* name : {"auto", "cpu", "cuda", "cuda:0", "cuda:15"})
    EXPECT_NO_THROW(check_device_name(name)) << name;
  for (const char* name : {"", "gpu", "cuda:", "cuda:-1", "cuda:1x", "cuda0", "CUDA", "cuda:0,cuda:1", "cuda:99999"}) {
    EXPECT_EQ(refusal([&] { check_device_name(name); }).code, ErrorCode::kInvalidArgument) << name;
  }
}

TEST(ChooseBackend, TheCpuHasNoF16) {
  EncoderOptions options;
  options.device = "cpu";
  options.compute = ComputeType::kF16;
  const Refusal refused = refusal([&] { choose_backend(options); });
  EXPECT_EQ(refused.code, ErrorCode::kUnsupported);
  EXPECT_THAT(refused.text, HasSubstr("does not compute in f16"));
}

TEST(DeviceNames, ListsNameDifferentCudaDevices) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(parse_device_list("auto"), Names{"auto"});
  EXPECT_EQ(parse_device_list("cuda:1"), Names{"cuda:1"});
  EXPECT_EQ(parse_device_list("cuda:1,cuda,cuda:12"), (Names{"cuda:1", "cuda", "cuda:12"}));
  for (const char* names : {"", "cuda:0,", ",cuda", "cuda,cuda:0", "cpu,cuda", "cuda,auto", "cuda;cuda:1"}) {
    EXPECT_EQ(refusal([&] { parse_device_list(names); }).code, ErrorCode::kInvalidArgument) << names;
  }
}

}  // namespace
}  // namespace tessera
