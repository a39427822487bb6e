// Names and printing of the shared value types.
#include "tessera/indexer/types.h"

namespace tessera {

std::string ContentHash::hex() const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * digest.size());
  for (const std::uint8_t byte : digest) {
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

const char* file_state_name(FileState state) noexcept {
  switch (state) {
    case FileState::kPresent: return "present";
    case FileState::kMissing: return "missing";
    case FileState::kOffline: return "offline";
  }
  return "unknown";
}

}  // namespace tessera
