// Reading and writing safetensors: one file, or shards with model.safetensors.index.json, mapped read-only.
//
// Format: 8 bytes little-endian header length, JSON header, raw little-endian data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tessera {

enum class TensorType { kF32, kF16, kBF16, kI64 };

const char* tensor_type_name(TensorType type) noexcept;  // "F32", "F16", "BF16", "I64"
std::size_t tensor_type_size(TensorType type) noexcept;  // bytes per element

// A tensor inside a mapped file; valid as long as the SafetensorsFile or Checkpoint that gave it.
struct TensorView {
  TensorType type = TensorType::kF32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> data;

  std::int64_t element_count() const noexcept;
};

// Every header field is checked on opening: length, JSON, dtype, shape overflow, offsets inside the file, in order,
// without gaps or overlaps. Throws Error kDamaged / kUnsupported naming file and tensor.
// Thread rule: const after construction; any thread.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path& path);
  ~SafetensorsFile();
  SafetensorsFile(SafetensorsFile&&) noexcept;
  SafetensorsFile& operator=(SafetensorsFile&&) noexcept;

  const std::filesystem::path& path() const noexcept;
  const std::map<std::string, TensorView>& tensors() const noexcept;
  const std::map<std::string, std::string>& metadata() const noexcept;
  // Tells the system that the pages of this tensor will not be read again (keeps peak memory low while loading).
  void release(const TensorView& tensor) const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// float32 values of an F32, F16 or BF16 tensor.
std::vector<float> to_float(const TensorView& tensor);

// One tensor to write; `data` is raw little-endian and must be element_count * type size bytes long.
struct TensorToWrite {
  std::string name;
  TensorType type = TensorType::kF32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> data;
};

// Writes one file without holding it in memory: declare all tensors, append their bytes in that order, finish. The file
// appears under `path` only with finish(): until then it is a temporary file beside it, removed if the writer is
// destroyed unfinished. Throws kInvalidArgument, kIo, kDiskFull. Thread rule: one thread at a time.
class SafetensorsWriter {
 public:
  struct Declaration {
    std::string name;
    TensorType type = TensorType::kF32;
    std::vector<std::int64_t> shape;
  };
  SafetensorsWriter(const std::filesystem::path& path, std::span<const Declaration> tensors,
                    const std::map<std::string, std::string>& metadata = {});
  ~SafetensorsWriter();
  SafetensorsWriter(const SafetensorsWriter&) = delete;
  SafetensorsWriter& operator=(const SafetensorsWriter&) = delete;

  void append(std::span<const std::byte> bytes);  // any part of the data, in order, across tensor borders
  void finish();                                  // all declared bytes must have been appended; synced and renamed

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// SafetensorsWriter in one call. Throws kInvalidArgument, kIo, kDiskFull.
void write_safetensors(const std::filesystem::path& path, std::span<const TensorToWrite> tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace tessera
