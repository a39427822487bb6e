// Standard output with every write checked, and standard error.
#include "output.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "tessera/error.h"
#include "text.h"

namespace tessera::cli {
namespace {

constexpr std::size_t kBufferBytes = 64 << 10;

}  // namespace

void Output::write(std::string_view bytes) {
  buffer_.append(bytes);
  if (buffer_.size() >= kBufferBytes) flush();
}

void Output::line(std::string_view text) {
  buffer_.append(text);
  write("\n");
}

void Output::flush() {
  std::string_view rest = buffer_;
  while (!rest.empty()) {
    const ssize_t written = ::write(fd_, rest.data(), rest.size());
    if (written < 0) {
      const int errnum = errno;
      if (errnum == EINTR) continue;
      buffer_.clear();
      if (errnum == EPIPE) throw OutputClosed{};
      throw errno_error("cannot write", "standard output", errnum);
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  buffer_.clear();
}

void Console::write(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void Console::note(std::string_view text) {
  if (quiet_) return;
  status("");
  write(printable(text, terminal_.utf8) + "\n");
}

void Console::warning(std::string_view text) { note("tessera: warning: " + std::string(text)); }

void Console::error(std::string_view text) {
  status("");
  write("tessera: " + printable(text, terminal_.utf8) + "\n");
}

void Console::status(std::string_view text) {
  if (quiet_ || !terminal_.is_terminal || (text.empty() && !status_shown_)) return;
  // Carriage return, the text, erase to the end of the line.
  write("\r" + std::string(text) + "\x1b[K");
  status_shown_ = !text.empty();
}

void reserve_standard_descriptors() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) != -1) continue;
    // The lowest free number is fd itself, since those below it are open by now.
    [[maybe_unused]] const int opened = ::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

}  // namespace tessera::cli
