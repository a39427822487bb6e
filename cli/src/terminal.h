// What the process is attached to: terminal or not, its width, colour and character set.
#pragma once

namespace tessera::cli {

enum class ColorMode { kAuto, kAlways, kNever };

// Facts about one output file descriptor, found once.
struct Terminal {
  bool is_terminal = false;
  bool color = false;  // escape sequences may be written
  bool utf8 = false;   // the locale's character set is UTF-8
  int columns = 0;     // width; 0 = unlimited (not a terminal)

  // Colour in kAuto needs a terminal, no NO_COLOR (https://no-color.org) and a TERM other than "dumb".
  static Terminal detect(int fd, ColorMode mode);
};

}  // namespace tessera::cli
