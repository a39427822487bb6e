// A folder of extracted token tables, one safetensors file for each model, data and settings.
#include "eval/token_cache.h"

#include <charconv>
#include <cstring>
#include <map>

#include "tessera/error.h"
#include "tessera/indexer/library.h"
#include "tessera/safetensors.h"

namespace tessera::eval {
namespace {

constexpr const char* kKey = "key";
constexpr const char* kFailure = "failure.";  // + number of the picture, six digits or more

std::vector<std::int64_t> to_integers(const TensorView& tensor) {
  std::vector<std::int64_t> values(tensor.data.size() / sizeof(std::int64_t));
  if (!values.empty()) std::memcpy(values.data(), tensor.data.data(), values.size() * sizeof values[0]);
  return values;
}

std::string padded(std::size_t number) {
  const std::string digits = std::to_string(number);
  return std::string(digits.size() < 6 ? 6 - digits.size() : 0, '0') + digits;
}

std::optional<TokenTable> table_of(const SafetensorsFile& file, const std::string& key) {
  const auto& metadata = file.metadata();
  const auto written_for = metadata.find(kKey);
  if (written_for == metadata.end() || written_for->second != key) return std::nullopt;
  const auto& tensors = file.tensors();
  for (const auto& [name, type] : {std::pair("pictures", TensorType::kI64),
                                   {"counts", TensorType::kI64},
                                   {"tokens", TensorType::kF32},
                                   {"summary", TensorType::kF32}}) {
    const auto found = tensors.find(name);
    if (found == tensors.end() || found->second.type != type) return std::nullopt;
  }
  const TensorView& tokens = tensors.at("tokens");
  const TensorView& summary = tensors.at("summary");
  TokenTable table;
  for (const std::int64_t picture : to_integers(tensors.at("pictures"))) {
    table.pictures.push_back(static_cast<std::size_t>(picture));
  }
  for (const std::int64_t count : to_integers(tensors.at("counts"))) table.counts.push_back(static_cast<int>(count));
  const auto rows = static_cast<std::int64_t>(table.rows());
  if (tokens.shape.size() != 3 || tokens.shape[0] != rows || summary.shape.size() != 2 || summary.shape[0] != rows ||
      table.counts.size() != table.rows()) {
    return std::nullopt;
  }
  table.tokens = static_cast<int>(tokens.shape[1]);
  table.width = static_cast<int>(tokens.shape[2]);
  table.summary_width = static_cast<int>(summary.shape[1]);
  table.values = to_float(tokens);
  table.summary = to_float(summary);
  for (const auto& [name, reason] : metadata) {
    if (!name.starts_with(kFailure)) continue;
    Failure failure{0, reason};
    const std::string digits = name.substr(std::strlen(kFailure));
    std::from_chars(digits.data(), digits.data() + digits.size(), failure.picture);
    table.failures.push_back(std::move(failure));
  }
  return table;
}

}  // namespace

std::string cache_key(const EncoderInfo& encoder, const std::string& data_hash, const TokenOptions& tokens,
                      const BatchOptions& options) {
  std::string key = "tokens 1; weights " + encoder.weights_hash + "; " + compute_type_name(encoder.compute) + "; " +
                    encoder.device_detail + "; data " + data_hash + "; resize " + to_string(options.resize) +
                    "; batch " + std::to_string(options.batch) + "; tokens " + std::to_string(tokens.tokens) +
                    "; summary";
  for (const int slot : tokens.summary_slots) key += " " + std::to_string(slot);
  return key;
}

TokenCache::TokenCache(const std::filesystem::path& folder, const std::string& key)
    : path_(folder / (hash_content(std::span(reinterpret_cast<const std::uint8_t*>(key.data()), key.size())).hex() +
                      ".safetensors")),
      key_(key) {}

std::optional<TokenTable> TokenCache::read() const {
  try {
    return table_of(SafetensorsFile(path_), key_);
  } catch (const Error&) {
    return std::nullopt;
  }
}

void TokenCache::write(const TokenTable& table) const {
  std::error_code error;
  std::filesystem::create_directories(path_.parent_path(), error);
  if (error) throw errno_error("make folder", path_.parent_path().string(), error.value());
  const std::vector<std::int64_t> pictures(table.pictures.begin(), table.pictures.end());
  const std::vector<std::int64_t> counts(table.counts.begin(), table.counts.end());
  const auto rows = static_cast<std::int64_t>(table.rows());
  const std::vector<TensorToWrite> tensors = {
      {"pictures", TensorType::kI64, {rows}, std::as_bytes(std::span(pictures))},
      {"counts", TensorType::kI64, {rows}, std::as_bytes(std::span(counts))},
      {"tokens", TensorType::kF32, {rows, table.tokens, table.width}, std::as_bytes(std::span(table.values))},
      {"summary", TensorType::kF32, {rows, table.summary_width}, std::as_bytes(std::span(table.summary))}};
  std::map<std::string, std::string> metadata = {{kKey, key_}};
  for (const Failure& failure : table.failures) metadata[kFailure + padded(failure.picture)] = failure.reason;
  write_safetensors(path_, tensors, metadata);
}

}  // namespace tessera::eval
