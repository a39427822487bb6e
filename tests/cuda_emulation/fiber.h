// Fibers of the emulator: stacks of their own and a switch between them, all on one operating system thread.
#pragma once

#include <cstddef>

namespace tessera::emulation {

// A suspended flow of control. start() prepares it to run `entry` (which never returns; it ends with a switch) from the
// beginning; a fiber may be started again at any time, what it held on its stack is then forgotten.
class Fiber {
 public:
  Fiber();
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  void start(void (*entry)());
  // Runs this fiber until it calls leave(); called from the thread's own stack.
  void enter();
  // Suspends the running fiber and returns to whoever called enter(). `last` = it will not be entered again before
  // another start().
  static void leave(bool last);

 private:
  void* memory_ = nullptr;  // one guard page, then the stack
  void* saved_ = nullptr;   // stack pointer while suspended
};

}  // namespace tessera::emulation
