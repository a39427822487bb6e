// Standard output as results go to it (every write checked) and standard error for everything else.
#pragma once

#include <string>
#include <string_view>

#include "terminal.h"

namespace tessera::cli {

// Thrown when the reader of standard output has gone (`tessera list | head`): the command ends quietly, exit code 0.
struct OutputClosed {};

// Buffered results. write() and flush() throw Error (kDiskFull, kIo) when standard output cannot be written and
// OutputClosed when its reader has gone. The owner calls flush() at the end; the destructor drops what is left.
// Thread rule: one thread.
class Output {
 public:
  Output(int fd, ColorMode color) : fd_(fd), terminal_(Terminal::detect(fd, color)) {}
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  const Terminal& terminal() const { return terminal_; }
  void write(std::string_view bytes);
  void line(std::string_view text);
  void flush();

 private:
  int fd_;
  Terminal terminal_;
  std::string buffer_;
};

// Notes and progress for the person at the keyboard; errors while writing are ignored, since there is nowhere to report
// them. Thread rule: one thread.
class Console {
 public:
  Console(int fd, bool quiet, ColorMode color) : fd_(fd), quiet_(quiet), terminal_(Terminal::detect(fd, color)) {}

  const Terminal& terminal() const { return terminal_; }
  bool quiet() const { return quiet_; }
  void note(std::string_view text);     // a line, unless quiet; control characters in it are escaped
  void warning(std::string_view text);  // "tessera: warning: TEXT", unless quiet
  void error(std::string_view text);    // "tessera: TEXT", always
  void status(std::string_view text);   // replaces the current terminal line; an empty text clears it

 private:
  void write(std::string_view bytes) const;

  int fd_;
  bool quiet_;
  Terminal terminal_;
  bool status_shown_ = false;
};

// Opens /dev/null in place of closed standard file descriptors, in a mode that makes using them fail, so that no data
// file is opened with the number of standard output.
void reserve_standard_descriptors();

}  // namespace tessera::cli
