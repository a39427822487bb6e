// Runs CUDA kernels on the CPU: one block at a time, every thread of a block a fiber, with checks that a GPU has not.
//
// What is checked: every global access lies inside the allocation that the kernel's argument points into; every shared
// access inside its array; two threads that touch the same shared element without a barrier between them, one writing,
// are a race; barriers and warp operations are reached by all threads; asynchronous copies are done as late as the
// kernel's waits allow; fresh memory holds NaN. Streams run their work only when somebody waits for it.
// A broken rule makes the launch fail with a CUDA error that stays, as on a device; fault() holds the reason.
// Thread rule: the runtime functions and pointers from any thread, one at a time; what is for tests from one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace tessera::emulation {

// --- For tests -------------------------------------------------------------------------------------------------------

// In which order blocks, and threads between two barriers, run. Results must not depend on it.
enum class Order { kNatural, kReversed, kShuffled };
void set_order(Order order, unsigned seed = 1);

// The reason of the first failure since the last reset_device(), or "".
const std::string& fault();
// Forgets the failure and everything that waits in streams.
void reset_device();
// cudaMalloc fails when more than this many bytes would be in use. Returns the limit of before.
std::size_t set_memory_limit(std::size_t bytes);
std::size_t memory_in_use();
// How many compute devices cudaGetDeviceCount sees (1 unless set), and their compute capability (8.0 unless set).
void set_devices(int count, int major, int minor);
// The kernel that would be number `count` from now on fails, and with it the device. 0 = none.
void fail_after(std::uint64_t count);
// Kernels run since the program started; launches that a graph repeats are counted each time.
std::uint64_t kernels_run();

// --- For the layer that kernels are written against ------------------------------------------------------------------

struct Dim3 {
  unsigned x = 1, y = 1, z = 1;
  constexpr Dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

extern Dim3 thread_index, block_index, block_size, grid_size;

// A range of device memory that one tensor may occupy; pointers given to kernels are looked up among these.
void note_allocation(void* data, std::size_t bytes);
void note_free(void* data);
struct Bounds {
  const char* begin = nullptr;
  const char* end = nullptr;
};
Bounds bounds_of(const void* data);
// For library calls that read or write whole ranges. Breaks off the running launch if the range is not one tensor's.
void require_range(const void* data, std::size_t bytes, const char* what);

// Ends the running kernel with an error; called on a fiber or inside a stream's work.
enum class FaultKind { kAddress, kOther };
[[noreturn]] void raise(FaultKind kind, const std::string& reason);

// Runs `body` as every thread of every block; called when a stream does its work.
void run_kernel(Dim3 grid, Dim3 block, const std::function<void()>& body);

void block_barrier(int line);
void warp_barrier(int line);

// Where the running thread is in the program's order, for the race check.
struct Moment {
  std::uint64_t block_serial = 0;  // of the running block, never repeated
  std::uint64_t epoch = 0;         // block barriers so far, never repeated
  std::uint64_t warp_epoch = 0;    // warp barriers so far, never repeated
  unsigned thread = 0;
  unsigned warp() const { return thread / 32; }
};
const Moment& moment();

// Deposits `bytes` of the lane, waits for the other 31, and lets the last to arrive run `complete` over the deposits;
// returns the deposits, which stay valid until the lane's next exchange.
inline constexpr std::size_t kDepositBytes = 128;
using Deposits = unsigned char (*)[kDepositBytes];
Deposits warp_exchange(std::string_view operation, const void* mine, std::size_t bytes,
                       const std::function<void(Deposits)>& complete);

// Asynchronous copies of the running thread.
void async_copy(std::function<void()> copy);
void async_commit();
void async_wait(unsigned groups_left);

}  // namespace tessera::emulation
