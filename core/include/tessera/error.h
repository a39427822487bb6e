// The one exception type of Tessera's libraries: a code for the caller, a sentence for the user.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace tessera {

enum class ErrorCode {
  kInvalidArgument,  // the caller asked for something that makes no sense
  kNotFound,         // no such file, image, library or model
  kIo,               // the system refused to read or write
  kDiskFull,         // ENOSPC, EDQUOT or SQLITE_FULL
  kReadOnly,         // write asked of something that cannot be written
  kBusy,             // another process holds the writer lock
  kDamaged,          // content contradicts itself: truncated file, failed checksum, bad header
  kUnsupported,      // a format or variant that is not read
  kLimit,            // a size or memory limit was exceeded; nothing was allocated
  kVersion,          // written by a newer Tessera
  kBadModel,         // a checkpoint that is wrong, incomplete or of another shape
  kModelMismatch,    // a library made by another model or other encoder settings
  kCancelled,        // the caller asked to stop
  kInternal,         // a defect of Tessera
};

// Stable lower-case name, e.g. "damaged"; used in JSON output and in the catalog.
std::string_view error_code_name(ErrorCode code) noexcept;

// `what()` is one sentence that names the file or tensor and the reason. Thrown by core and indexer; third-party
// exceptions are translated into it where they are first met.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

// Error from the current errno after a failed system call: kDiskFull, kReadOnly, kNotFound or kIo, and
// "<action> <path>: <strerror>".
Error errno_error(std::string_view action, std::string_view path, int errnum);

}  // namespace tessera
