// Ctrl-C and termination signals as a stop token, read from a signalfd by a thread of their own.
#include "interrupt.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <string_view>
#include <thread>

#include "exit_code.h"

namespace tessera::cli {
namespace {

constexpr std::string_view kStopping = "\ntessera: stopping; what is finished is kept. Once more to end at once.\n";

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  return set;
}

class Descriptor {
 public:
  Descriptor(int fd, const char* what) : fd_(fd) {
    if (fd < 0) throw errno_error("cannot create", what, errno);
  }
  ~Descriptor() { ::close(fd_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

struct Interrupt::Impl {
  Impl() {
    const sigset_t signals = stop_signals();
    ::pthread_sigmask(SIG_BLOCK, &signals, &previous_mask);
    watcher = std::thread([this] { watch(); });
  }

  ~Impl() {
    const std::uint64_t one = 1;
    while (::write(wake.get(), &one, sizeof one) < 0 && errno == EINTR) {
    }
    watcher.join();
    ::pthread_sigmask(SIG_SETMASK, &previous_mask, nullptr);
  }

  void watch() {
    pollfd waits[2] = {{signal_fd.get(), POLLIN, 0}, {wake.get(), POLLIN, 0}};
    for (;;) {
      if (::poll(waits, 2, -1) < 0 && errno != EINTR) return;
      if (waits[1].revents != 0) return;
      signalfd_siginfo info{};
      if (waits[0].revents == 0 || ::read(signal_fd.get(), &info, sizeof info) != sizeof info) continue;
      if (source.stop_requested()) ::_exit(static_cast<int>(ExitCode::kInterrupted));
      [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, kStopping.data(), kStopping.size());
      source.request_stop();
    }
  }

  static int make_signal_fd() {
    const sigset_t signals = stop_signals();
    return ::signalfd(-1, &signals, SFD_CLOEXEC);
  }

  std::stop_source source;
  Descriptor signal_fd{make_signal_fd(), "a signal descriptor"};
  Descriptor wake{::eventfd(0, EFD_CLOEXEC), "an event descriptor"};
  sigset_t previous_mask{};
  std::thread watcher;
};

Interrupt::Interrupt() : impl_(std::make_unique<Impl>()) {}
Interrupt::~Interrupt() = default;

std::stop_token Interrupt::token() const { return impl_->source.get_token(); }

}  // namespace tessera::cli
