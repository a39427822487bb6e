// The emulator itself: what it computes against plain arithmetic, and that it finds every kind of mistake it looks for.
#include "emulator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "cuda/arena.h"
#include "cuda/device.cuh"
#include "cuda/launch.h"

namespace tessera::cuda {
namespace {

using testing::HasSubstr;

// A stream and a tensor of `kCount` floats 0, 1, 2, ...
class EmulatorTest : public testing::Test {
 protected:
  static constexpr int kCount = 256;

  EmulatorTest() {
    emulation::reset_device();
    data_ = static_cast<float*>(arena_.allocate(kCount * sizeof(float)));
    std::iota(data_, data_ + kCount, 0.0f);
  }
  ~EmulatorTest() override {
    emulation::set_order(emulation::Order::kNatural);
    emulation::reset_device();
  }

  // Runs a kernel on `data_`; the reason why the emulator stopped it, or "".
  std::string run(void (*kernel)(Global<float>), unsigned threads = 64, std::int64_t blocks = 1) {
    stream_.launch("test", {kCount}, kernel, blocks, threads, data_);
    try {
      stream_.synchronize();
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("test [256]"));
    }
    return emulation::fault();
  }

  Arena arena_{0};
  Stream stream_{0};
  float* data_ = nullptr;
};

TEST_F(EmulatorTest, IndexesBlocksAndThreads) {
  EXPECT_EQ(run(
                [](Global<float> data) {
                  data[blockIdx.x * blockDim.x + threadIdx.x] = static_cast<float>(1000 * blockIdx.x + threadIdx.x);
                },
                64, 4),
            "");
  EXPECT_EQ(data_[0], 0.0f);
  EXPECT_EQ(data_[3 * 64 + 63], 3063.0f);
}

TEST_F(EmulatorTest, BarriersOrderSharedMemory) {
  EXPECT_EQ(run([](Global<float> data) {
              __shared__ SharedArray<float, 64> mirror;
              const auto i = static_cast<int>(threadIdx.x);
              mirror[i] = data[i];
              __syncthreads();
              data[i] = mirror[63 - i];
            }),
            "");
  EXPECT_EQ(data_[0], 63.0f);
  EXPECT_EQ(data_[63], 0.0f);
}

TEST_F(EmulatorTest, ShufflesGiveEveryLaneItsPartnersValue) {
  EXPECT_EQ(run([](Global<float> data) {
              const auto i = static_cast<int>(threadIdx.x);
              const float sum = warp_sum(data[i]);
              const float fifth = __shfl_sync(kAllLanes, data[i], 5);
              const float largest = warp_max(data[i]);
              data[i] = sum + 10000.0f * fifth + 1000000.0f * largest;
            }),
            "");
  EXPECT_EQ(data_[0], 496.0f + 50000.0f + 31000000.0f);
  EXPECT_EQ(data_[40], 1520.0f + 370000.0f + 63000000.0f);
}

TEST_F(EmulatorTest, FindsGlobalAccessesOutsideTheirTensor) {
  EXPECT_THAT(run([](Global<float> data) { data[threadIdx.x + 193] = 0.0f; }),
              HasSubstr("byte 1024 of a tensor of 1024"));
}

TEST_F(EmulatorTest, FindsGlobalAccessesBeforeTheirTensor) {
  EXPECT_THAT(run([](Global<float> data) { data[static_cast<int>(threadIdx.x) - 1] = 0.0f; }), HasSubstr("byte -4"));
}

TEST_F(EmulatorTest, FindsUnalignedWideAccesses) {
  EXPECT_THAT(run([](Global<float> data) { load_as<Pack<float, 4>>(Global<const float>(data + 2)); }),
              HasSubstr("not aligned"));
}

TEST_F(EmulatorTest, FindsUseOfFreedMemory) {
  arena_.deallocate(data_);
  EXPECT_THAT(run([](Global<float> data) { data[0] = 1.0f; }), HasSubstr("no tensor"));
}

TEST_F(EmulatorTest, FindsSharedAccessesOutsideTheArray) {
  EXPECT_THAT(run([](Global<float>) {
                __shared__ SharedArray<float, 32> small;
                small[static_cast<int>(threadIdx.x)] = 0.0f;
              }),
              HasSubstr("element 32 of a shared array of 32"));
}

TEST_F(EmulatorTest, FindsReadsThatRaceWithWrites) {
  const auto kernel = [](Global<float> data) {
    __shared__ SharedArray<float, 64> mirror;
    const auto i = static_cast<int>(threadIdx.x);
    mirror[i] = data[i];
    data[i] = mirror[63 - i];
  };
  EXPECT_THAT(run(kernel), HasSubstr("race"));
}

TEST_F(EmulatorTest, FindsWritesThatRaceWithReads) {
  const auto kernel = [](Global<float> data) {
    __shared__ SharedArray<float, 64> mirror;
    const auto i = static_cast<int>(threadIdx.x);
    mirror[i] = data[i];
    __syncthreads();
    data[i] = mirror[i < 63 ? i + 1 : i];
    mirror[i] = 0.0f;
  };
  EXPECT_THAT(run(kernel), HasSubstr("a write after a read"));
}

TEST_F(EmulatorTest, AWarpBarrierOrdersOneWarpOnly) {
  const auto kernel = [](Global<float> data) {
    __shared__ SharedArray<float, 64> mirror;
    const auto i = static_cast<int>(threadIdx.x);
    mirror[i] = data[i];
    __syncwarp();
    data[i] = mirror[i ^ 31];
  };
  EXPECT_EQ(run(kernel), "");
  EXPECT_EQ(data_[0], 31.0f);
  EXPECT_EQ(data_[63], 32.0f);
  const auto across = [](Global<float> data) {
    __shared__ SharedArray<float, 64> mirror;
    const auto i = static_cast<int>(threadIdx.x);
    mirror[i] = data[i];
    __syncwarp();
    data[i] = mirror[63 - i];
  };
  EXPECT_THAT(run(across), HasSubstr("race"));
}

TEST_F(EmulatorTest, FindsBarriersThatSomeThreadsNeverReach) {
  EXPECT_THAT(run([](Global<float>) {
                if (threadIdx.x < 32) __syncthreads();
              }),
              HasSubstr("never reach"));
}

TEST_F(EmulatorTest, FindsDifferentBarriers) {
  EXPECT_THAT(run([](Global<float>) {
                if (threadIdx.x < 32) {
                  __syncthreads();
                } else {
                  __syncthreads();
                }
              }),
              HasSubstr("different barriers"));
}

TEST_F(EmulatorTest, FindsWarpOperationsThatLanesMiss) {
  EXPECT_THAT(run([](Global<float> data) {
                if (threadIdx.x % 2 == 0) data[0] = __shfl_xor_sync(kAllLanes, 1.0f, 1);
              }),
              HasSubstr("never reach"));
}

TEST_F(EmulatorTest, SharedMemoryOfANewBlockIsNotANumber) {
  EXPECT_EQ(run(
                [](Global<float> data) {
                  __shared__ SharedArray<float, 64> values;
                  const auto i = static_cast<int>(threadIdx.x);
                  data[64 * blockIdx.x + i] = values[i];
                  values[i] = 1.0f;
                },
                64, 2),
            "");
  EXPECT_TRUE(std::isnan(data_[0]));
  EXPECT_TRUE(std::isnan(data_[64]));
}

TEST_F(EmulatorTest, AsynchronousCopiesArriveNoEarlierThanTheirWait) {
  const auto kernel = [](Global<float> data) {
    __shared__ SharedArray<float, 512> values;
    const auto i = static_cast<int>(threadIdx.x);
    copy_async(values.at(4 * i), Global<const float>(data + 4 * i), i != 3);
    copy_async_commit();
    copy_async(values.at(256 + 4 * i), Global<const float>(data), true);
    copy_async_commit();
    copy_async_wait<1>();
    __syncthreads();
    const float first = values[i], second = values[256 + i];
    data[i] = first;
    data[64 + i] = second;
  };
  EXPECT_EQ(run(kernel), "");
  EXPECT_EQ(data_[5], 5.0f);
  EXPECT_EQ(data_[12], 0.0f);  // copied as zeros
  EXPECT_EQ(data_[16], 16.0f);
  EXPECT_TRUE(std::isnan(data_[64]));  // still under way
}

TEST_F(EmulatorTest, OrdersRunEverythingAndShowDependence) {
  const auto racy = [](Global<float> data) { data[0] = static_cast<float>(threadIdx.x); };
  EXPECT_EQ(run(racy), "");
  EXPECT_EQ(data_[0], 63.0f);
  emulation::set_order(emulation::Order::kReversed);
  EXPECT_EQ(run(racy), "");
  EXPECT_EQ(data_[0], 0.0f);
}

// A failure stays, as on a device, until the device is reset.
TEST_F(EmulatorTest, FailuresStay) {
  EXPECT_NE(run([](Global<float> data) { data[9999] = 0.0f; }), "");
  EXPECT_THROW(stream_.launch(
                   "next", {}, +[](Global<float>) {}, 1, 32, data_),
               Error);
  EXPECT_THROW(stream_.synchronize(), Error);
}

TEST_F(EmulatorTest, StreamsWorkOnlyWhenWaitedFor) {
  float host = 7.0f;
  check(cudaMemcpyAsync(data_, &host, sizeof host, cudaMemcpyHostToDevice, stream_.get()), "copy");
  host = 8.0f;  // too early: the copy has not happened
  EXPECT_EQ(data_[0], 0.0f);
  stream_.synchronize();
  EXPECT_EQ(data_[0], 8.0f);
}

TEST_F(EmulatorTest, GraphsRepeatWhatTheyCaptured) {
  check(cudaStreamBeginCapture(stream_.get(), cudaStreamCaptureModeThreadLocal), "begin");
  stream_.launch(
      "test", {}, +[](Global<float> data) { data[threadIdx.x] = data[threadIdx.x] + 1.0f; }, 1, 64, data_);
  cudaGraph_t graph = nullptr;
  check(cudaStreamEndCapture(stream_.get(), &graph), "end");
  cudaGraphExec_t exec = nullptr;
  check(cudaGraphInstantiate(&exec, graph, 0), "instantiate");
  check(cudaGraphDestroy(graph), "destroy");
  stream_.synchronize();
  EXPECT_EQ(data_[1], 1.0f);
  for (int i = 0; i < 3; ++i) check(cudaGraphLaunch(exec, stream_.get()), "launch");
  stream_.synchronize();
  EXPECT_EQ(data_[1], 4.0f);
  check(cudaGraphExecDestroy(exec), "destroy");
}

TEST_F(EmulatorTest, RefusesImpossibleLaunches) {
  EXPECT_THROW(stream_.launch(
                   "wide", {}, +[](Global<float>) {}, 1, 2048, data_),
               Error);
  stream_.launch(
      "none", {}, +[](Global<float>) {}, 0, 64, data_);  // nothing to do
  stream_.synchronize();
}

// mma and ldmatrix: one warp multiplies 16 x 16 by 16 x 8, both factors through shared memory.
template <typename T>
void mma_kernel(Global<const T> a, Global<const T> b, Global<float> c) {
  __shared__ SharedArray<T, 16 * 24> left;
  __shared__ SharedArray<T, 16 * 24> right;  // [k][n]
  const auto lane = static_cast<int>(threadIdx.x);
  for (int i = lane; i < 256; i += 32) left[i / 16 * 24 + i % 16] = a[i];
  for (int i = lane; i < 256; i += 32) right[i / 16 * 24 + i % 16] = b[i];
  __syncthreads();
  std::uint32_t fa[4], fb[4];
  const int row = lane % 16, column = lane / 16 * 8;
  load_matrices<false, T>(fa, left.at(row * 24 + column));
  load_matrices<true, T>(fb, right.at(row * 24 + column));
  for (int half = 0; half < 2; ++half) {
    float d[4] = {1.0f, 1.0f, 1.0f, 1.0f};
    const std::uint32_t fragments[2] = {fb[2 * half], fb[2 * half + 1]};
    mma_16x8x16<T>(d, fa, fragments);
    for (int i = 0; i < 4; ++i) c[(lane / 4 + i / 2 * 8) * 16 + half * 8 + lane % 4 * 2 + i % 2] = d[i];
  }
}

template <typename T>
void expect_products(Arena& arena, Stream& stream) {
  T* a = static_cast<T*>(arena.allocate(256 * sizeof(T)));
  T* b = static_cast<T*>(arena.allocate(256 * sizeof(T)));
  float* c = static_cast<float*>(arena.allocate(256 * sizeof(float)));
  std::mt19937 generator(3);
  std::uniform_int_distribution<int> small(-8, 8);  // exact in every type
  for (int i = 0; i < 256; ++i) {
    a[i] = from_float<T>(static_cast<float>(small(generator)));
    b[i] = from_float<T>(static_cast<float>(small(generator)));
  }
  stream.launch("mma", {}, &mma_kernel<T>, 1, 32, a, b, c);
  stream.synchronize();
  for (int i = 0; i < 16; ++i) {
    for (int j = 0; j < 16; ++j) {
      float sum = 1.0f;
      for (int k = 0; k < 16; ++k) sum += to_float(a[i * 16 + k]) * to_float(b[k * 16 + j]);
      ASSERT_EQ(c[i * 16 + j], sum) << i << " " << j;
    }
  }
}

TEST_F(EmulatorTest, TensorCoreProducts) {
  expect_products<__nv_bfloat16>(arena_, stream_);
  expect_products<__half>(arena_, stream_);
}

}  // namespace
}  // namespace tessera::cuda
