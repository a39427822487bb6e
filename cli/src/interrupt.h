// Ctrl-C and termination signals as a stop token: the first asks the work to stop, the second ends the process.
#pragma once

#include <memory>
#include <stop_token>

namespace tessera::cli {

// While one lives, SIGINT, SIGTERM and SIGHUP request a stop; a second one exits at once with code 130. Must be made
// before the threads that do the work, and by the main thread: they inherit its blocked signals. One at a time.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  std::stop_token token() const;
  bool requested() const { return token().stop_requested(); }

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tessera::cli
