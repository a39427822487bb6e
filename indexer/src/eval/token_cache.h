// A folder of extracted token tables, one safetensors file for each model, data and settings.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "tessera/indexer/eval_features.h"

namespace tessera::eval {

// Everything that the table depends on, as text.
std::string cache_key(const EncoderInfo& encoder, const std::string& data_hash, const TokenOptions& tokens,
                      const BatchOptions& options);

class TokenCache {
 public:
  TokenCache(const std::filesystem::path& folder, const std::string& key);

  // Nothing if there is no such table, or its file is not whole or was written for another key.
  std::optional<TokenTable> read() const;
  void write(const TokenTable& table) const;  // makes the folder; throws kIo, kDiskFull, kReadOnly

 private:
  std::filesystem::path path_;
  std::string key_;
};

}  // namespace tessera::eval
