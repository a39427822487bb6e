// The emulator's engine: scheduling of fibers, barriers, warp exchanges, and the table of device memory.
#include "emulator.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "emulator_state.h"
#include "fiber.h"

namespace tessera::emulation {

Dim3 thread_index, block_index, block_size, grid_size;

namespace {

constexpr unsigned kWarp = 32;
constexpr unsigned kMostThreads = 1024;

enum class State { kReady, kAtBlockBarrier, kAtWarp, kDone };

struct Thread {
  Fiber fiber;
  State state = State::kDone;
  Dim3 index;
  int line = 0;
  unsigned exchanges = 0;
  std::vector<std::function<void()>> open_copies;
  std::deque<std::vector<std::function<void()>>> groups;
};

struct Warp {
  alignas(64) unsigned char deposits[2][kWarp][kDepositBytes];
  unsigned arrived = 0;
  std::string_view operation;
  std::uint64_t epoch = 0;
};

struct Engine {
  std::vector<std::unique_ptr<Thread>> threads;
  std::vector<Warp> warps;
  const std::function<void()>* body = nullptr;
  unsigned count = 0;    // threads of a block
  unsigned running = 0;  // index of the running thread
  unsigned at_barrier = 0;
  unsigned done = 0;
  bool inside = false;
  Moment now;
  std::uint64_t next_epoch = 1;
  std::exception_ptr failure;
  Order order = Order::kNatural;
  std::mt19937 generator{1};
  std::map<const char*, const char*> memory;  // begin -> end of every tensor
};

Engine& engine() {
  static Engine instance;
  return instance;
}

Thread& current() { return *engine().threads[engine().running]; }

void thread_main() {
  Engine& e = engine();
  try {
    (*e.body)();
  } catch (...) {
    if (!e.failure) e.failure = std::current_exception();
  }
  current().state = State::kDone;
  ++e.done;
  Fiber::leave(true);
}

void resume(unsigned index) {
  Engine& e = engine();
  Thread& thread = *e.threads[index];
  e.running = index;
  e.now.thread = index;
  e.now.warp_epoch = e.warps[index / kWarp].epoch;
  thread_index = thread.index;
  thread.fiber.enter();
}

void wait(State state) {
  current().state = state;
  Fiber::leave(false);
}

// The places 0 .. count - 1 in the order that tests asked for.
void arrange(std::vector<unsigned>& places) {
  Engine& e = engine();
  for (unsigned i = 0; i < places.size(); ++i) places[i] = i;
  if (e.order == Order::kReversed) std::reverse(places.begin(), places.end());
  if (e.order == Order::kShuffled) std::shuffle(places.begin(), places.end(), e.generator);
}

void run_block() {
  Engine& e = engine();
  ++e.now.block_serial;
  e.now.epoch = e.next_epoch++;
  e.at_barrier = e.done = 0;
  for (unsigned i = 0; i < e.count; ++i) {
    Thread& thread = *e.threads[i];
    thread.state = State::kReady;
    thread.index = Dim3(i % block_size.x, i / block_size.x % block_size.y, i / block_size.x / block_size.y);
    thread.exchanges = 0;
    thread.open_copies.clear();
    thread.groups.clear();
    thread.fiber.start(&thread_main);
  }
  for (unsigned w = 0; w < e.count / kWarp; ++w) {
    e.warps[w].arrived = 0;
    e.warps[w].epoch = e.next_epoch++;
  }
  std::vector<unsigned> places(e.count);
  while (e.done < e.count) {
    arrange(places);
    bool progress = false;
    for (const unsigned i : places) {
      if (e.threads[i]->state != State::kReady) continue;
      resume(i);
      progress = true;
      if (e.failure) return;
    }
    if (!progress) {
      raise(FaultKind::kOther, "threads wait for a barrier or a warp operation that others of them never reach");
    }
  }
}

void release_warp(unsigned warp) {
  Engine& e = engine();
  for (unsigned lane = 0; lane < kWarp; ++lane) e.threads[warp * kWarp + lane]->state = State::kReady;
  e.warps[warp].arrived = 0;
}

}  // namespace

void set_order(Order order, unsigned seed) {
  engine().order = order;
  engine().generator.seed(seed);
}

const Moment& moment() { return engine().now; }

void raise(FaultKind kind, const std::string& reason) { throw LaunchFault{kind, reason}; }

void run_kernel(Dim3 grid, Dim3 block, const std::function<void()>& body) {
  Engine& e = engine();
  e.count = block.x * block.y * block.z;
  if (e.count == 0 || e.count > kMostThreads || e.count % kWarp != 0) {
    raise(FaultKind::kOther, "a block of " + std::to_string(e.count) + " threads");
  }
  while (e.threads.size() < e.count) e.threads.push_back(std::make_unique<Thread>());
  if (e.warps.size() < e.count / kWarp) e.warps.resize(e.count / kWarp);
  e.body = &body;
  e.failure = nullptr;
  block_size = block;
  grid_size = grid;
  std::vector<unsigned> blocks(static_cast<std::size_t>(grid.x) * grid.y * grid.z);
  arrange(blocks);
  e.inside = true;
  for (const unsigned index : blocks) {
    block_index = Dim3(index % grid.x, index / grid.x % grid.y, index / grid.x / grid.y);
    run_block();
    if (e.failure) break;
  }
  e.inside = false;
  if (e.failure) std::rethrow_exception(std::exchange(e.failure, nullptr));
}

void block_barrier(int line) {
  Engine& e = engine();
  current().line = line;
  if (++e.at_barrier < e.count) {
    wait(State::kAtBlockBarrier);
    return;
  }
  for (unsigned i = 0; i < e.count; ++i) {
    Thread& thread = *e.threads[i];
    if (thread.line != line) {
      raise(FaultKind::kOther, "threads of a block meet at different barriers, lines " + std::to_string(line) +
                                   " and " + std::to_string(thread.line));
    }
    thread.state = State::kReady;
  }
  e.at_barrier = 0;
  e.now.epoch = e.next_epoch++;
}

Deposits warp_exchange(std::string_view operation, const void* mine, std::size_t bytes,
                       const std::function<void(Deposits)>& complete) {
  Engine& e = engine();
  const unsigned index = e.running, warp_index = index / kWarp, lane = index % kWarp;
  Warp& warp = e.warps[warp_index];
  Deposits deposits = warp.deposits[current().exchanges++ % 2];
  if (bytes > kDepositBytes) raise(FaultKind::kOther, "a deposit that is too large for the emulator");
  std::memcpy(deposits[lane], mine, bytes);
  if (warp.arrived == 0) warp.operation = operation;
  if (warp.operation != operation) {
    raise(FaultKind::kOther, "lanes of a warp meet at different operations, " + std::string(warp.operation) + " and " +
                                 std::string(operation));
  }
  if (++warp.arrived < kWarp) {
    wait(State::kAtWarp);
  } else {
    if (complete) complete(deposits);
    release_warp(warp_index);
  }
  return deposits;
}

void warp_barrier(int line) {
  warp_exchange("__syncwarp", &line, sizeof line, [](Deposits) {
    Engine& e = engine();
    e.warps[e.running / kWarp].epoch = e.next_epoch++;
  });
  engine().now.warp_epoch = engine().warps[engine().running / kWarp].epoch;
}

void async_copy(std::function<void()> copy) { current().open_copies.push_back(std::move(copy)); }

void async_commit() { current().groups.push_back(std::exchange(current().open_copies, {})); }

void async_wait(unsigned groups_left) {
  Thread& thread = current();
  while (thread.groups.size() > groups_left) {
    for (const auto& copy : thread.groups.front()) copy();
    thread.groups.pop_front();
  }
}

void note_allocation(void* data, std::size_t bytes) {
  const Guard guard;
  std::memset(data, 0xff, bytes);
  const char* begin = static_cast<const char*>(data);
  engine().memory[begin] = begin + bytes;
}

void note_free(void* data) {
  const Guard guard;
  engine().memory.erase(static_cast<const char*>(data));
}

Bounds bounds_of(const void* data) {
  const Guard guard;
  const auto& memory = engine().memory;
  const char* place = static_cast<const char*>(data);
  auto next = memory.upper_bound(place);
  if (next == memory.begin()) return {};
  --next;
  return place <= next->second ? Bounds{next->first, next->second} : Bounds{};
}

void require_range(const void* data, std::size_t bytes, const char* what) {
  const Bounds bounds = bounds_of(data);
  const char* place = static_cast<const char*>(data);
  if (bounds.begin == nullptr || static_cast<std::size_t>(bounds.end - place) < bytes) {
    raise(FaultKind::kAddress, std::string(what) + " leaves its tensor");
  }
}

}  // namespace tessera::emulation
