// The tessera command.
#include <clocale>
#include <csignal>

#include "program.h"

int main(int argc, char** argv) {
  tessera::cli::reserve_standard_descriptors();
  std::setlocale(LC_CTYPE, "");
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is seen as a failed write
  tessera::cli::Program program;
  return static_cast<int>(program.run(argc, argv));
}
