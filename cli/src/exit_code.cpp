// The one table from error codes to exit codes.
#include "exit_code.h"

namespace tessera::cli {

ExitCode exit_code_for(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kInvalidArgument: return ExitCode::kUsage;
    case ErrorCode::kCancelled: return ExitCode::kInterrupted;
    case ErrorCode::kNotFound:
    case ErrorCode::kIo:
    case ErrorCode::kDiskFull:
    case ErrorCode::kReadOnly:
    case ErrorCode::kBusy:
    case ErrorCode::kDamaged:
    case ErrorCode::kUnsupported:
    case ErrorCode::kLimit:
    case ErrorCode::kVersion:
    case ErrorCode::kBadModel:
    case ErrorCode::kModelMismatch:
    case ErrorCode::kInternal: return ExitCode::kError;
  }
  return ExitCode::kError;
}

const ExitCodeText kExitCodeTexts[] = {
    {ExitCode::kOk, "done"},
    {ExitCode::kError, "an error; the message names the file and the reason"},
    {ExitCode::kUsage, "the command line makes no sense"},
    {ExitCode::kSomeFailed, "done, but some files could not be read, found or written"},
    {ExitCode::kInterrupted, "stopped by Ctrl-C or a termination signal; what was finished is kept"},
    {ExitCode::kOk, nullptr},
};

}  // namespace tessera::cli
