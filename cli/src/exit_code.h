// Exit codes of the tessera command and the one table from error codes to them.
#pragma once

#include <stdexcept>
#include <string>

#include "tessera/error.h"

namespace tessera::cli {

enum class ExitCode {
  kOk = 0,
  kError = 1,         // nothing, or not all, of what was asked could be done
  kUsage = 2,         // the command line makes no sense
  kSomeFailed = 3,    // done, but some files could not be read
  kInterrupted = 130  // stopped by Ctrl-C; what was finished is kept
};

ExitCode exit_code_for(ErrorCode code) noexcept;

// What each code means, for help texts; in ascending order, ends with a null text.
struct ExitCodeText {
  ExitCode code;
  const char* text;
};
extern const ExitCodeText kExitCodeTexts[];

// A command line that parses but makes no sense, e.g. --region with two pictures.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace tessera::cli
