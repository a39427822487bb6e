// Fiber switch: hand-written on x86-64 (ucontext costs two system calls a switch), ucontext elsewhere.
#include "fiber.h"

#include <sys/mman.h>

#include <cstdint>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace tessera::emulation {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kStack = 16 * kPage;

void (*g_entry)() = nullptr;

#if defined(__SANITIZE_ADDRESS__)
const void* g_main_bottom = nullptr;
std::size_t g_main_size = 0;
#endif

[[noreturn]] void begin() {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(nullptr, &g_main_bottom, &g_main_size);
#endif
  g_entry();
  __builtin_trap();
}

#if defined(__x86_64__)

void* g_main = nullptr;
void** g_current = nullptr;  // where the running fiber keeps its stack pointer

// Saves what a call must preserve, stores the stack pointer at *from and continues at `to`.
extern "C" void tessera_fiber_switch(void** from, void* to);
asm(R"(
.text
.type tessera_fiber_switch, @function
tessera_fiber_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size tessera_fiber_switch, .-tessera_fiber_switch
)");

#else

ucontext_t g_main;
ucontext_t* g_current = nullptr;

#endif

}  // namespace

Fiber::Fiber() {
  void* memory = ::mmap(nullptr, kPage + kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED || ::mprotect(memory, kPage, PROT_NONE) != 0) throw std::bad_alloc();
  memory_ = memory;
#if !defined(__x86_64__)
  saved_ = new ucontext_t;
#endif
}

Fiber::~Fiber() {
  ::munmap(memory_, kPage + kStack);
#if !defined(__x86_64__)
  delete static_cast<ucontext_t*>(saved_);
#endif
}

void Fiber::start(void (*entry)()) {
  g_entry = entry;
  char* bottom = static_cast<char*>(memory_) + kPage;
#if defined(__SANITIZE_ADDRESS__)
  __asan_unpoison_memory_region(bottom, kStack);  // what a fiber that was given up half-way left behind
#endif
#if defined(__x86_64__)
  auto* top = reinterpret_cast<std::uintptr_t*>(bottom + kStack);
  *--top = 0;  // a return address nobody uses; leaves the stack as the ABI wants it at a function's entry
  *--top = reinterpret_cast<std::uintptr_t>(&begin);
  for (int i = 0; i < 6; ++i) *--top = 0;
  saved_ = top;
#else
  auto* context = static_cast<ucontext_t*>(saved_);
  ::getcontext(context);
  context->uc_stack.ss_sp = bottom;
  context->uc_stack.ss_size = kStack;
  context->uc_link = nullptr;
  ::makecontext(context, &begin, 0);
#endif
}

void Fiber::enter() {
#if defined(__SANITIZE_ADDRESS__)
  void* fake = nullptr;
  __sanitizer_start_switch_fiber(&fake, static_cast<char*>(memory_) + kPage, kStack);
#endif
#if defined(__x86_64__)
  g_current = &saved_;
  tessera_fiber_switch(&g_main, saved_);
#else
  g_current = static_cast<ucontext_t*>(saved_);
  ::swapcontext(&g_main, g_current);
#endif
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
#endif
}

void Fiber::leave([[maybe_unused]] bool last) {
#if defined(__SANITIZE_ADDRESS__)
  void* fake = nullptr;
  __sanitizer_start_switch_fiber(last ? nullptr : &fake, g_main_bottom, g_main_size);
#endif
#if defined(__x86_64__)
  tessera_fiber_switch(g_current, g_main);
#else
  ::swapcontext(g_current, &g_main);
#endif
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(fake, &g_main_bottom, &g_main_size);
#endif
}

}  // namespace tessera::emulation
