// What the process is attached to: terminal or not, its width, colour and character set.
#include "terminal.h"

#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace tessera::cli {
namespace {

constexpr int kDefaultColumns = 80;

bool is_set(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

int terminal_columns(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return kDefaultColumns;
}

}  // namespace

Terminal Terminal::detect(int fd, ColorMode mode) {
  Terminal terminal;
  terminal.is_terminal = ::isatty(fd) == 1;
  terminal.utf8 = std::strcmp(::nl_langinfo(CODESET), "UTF-8") == 0;
  if (terminal.is_terminal) terminal.columns = terminal_columns(fd);
  const char* term = std::getenv("TERM");
  const bool dumb = term == nullptr || std::strcmp(term, "dumb") == 0;
  terminal.color =
      mode == ColorMode::kAlways || (mode == ColorMode::kAuto && terminal.is_terminal && !is_set("NO_COLOR") && !dumb);
  return terminal;
}

}  // namespace tessera::cli
