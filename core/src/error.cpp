// Names of error codes and the translation of errno.
#include "tessera/error.h"

#include <cerrno>
#include <system_error>

namespace tessera {

std::string_view error_code_name(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kInvalidArgument: return "invalid_argument";
    case ErrorCode::kNotFound: return "not_found";
    case ErrorCode::kIo: return "io";
    case ErrorCode::kDiskFull: return "disk_full";
    case ErrorCode::kReadOnly: return "read_only";
    case ErrorCode::kBusy: return "busy";
    case ErrorCode::kDamaged: return "damaged";
    case ErrorCode::kUnsupported: return "unsupported";
    case ErrorCode::kLimit: return "limit";
    case ErrorCode::kVersion: return "version";
    case ErrorCode::kBadModel: return "bad_model";
    case ErrorCode::kModelMismatch: return "model_mismatch";
    case ErrorCode::kCancelled: return "cancelled";
    case ErrorCode::kInternal: return "internal";
  }
  return "unknown";
}

namespace {
ErrorCode code_of_errno(int errnum) {
  switch (errnum) {
    case ENOSPC:
    case EDQUOT: return ErrorCode::kDiskFull;
    case EROFS: return ErrorCode::kReadOnly;
    case ENOENT:
    case ENOTDIR: return ErrorCode::kNotFound;
    default: return ErrorCode::kIo;
  }
}
}  // namespace

Error errno_error(std::string_view action, std::string_view path, int errnum) {
  std::string message(action);
  message.append(" ").append(path).append(": ").append(std::generic_category().message(errnum));
  return Error(code_of_errno(errnum), message);
}

}  // namespace tessera
