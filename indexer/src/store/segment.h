// Reading a segment: an immutable, checksummed file of coarse vectors and ordered token codes, one row per image.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "store/segment_format.h"
#include "store/token_codec.h"
#include "tessera/indexer/types.h"

namespace tessera {

class FileMapping;

// Everything is read through a mapping; spans and pointers live as long as the Segment. Rows are 0-based.
// Thread rule: const after open(); any thread.
class Segment {
 public:
  // Checks the whole header against the file's size, and the token counts and coarse scales against their checksums
  // (they steer every later read). The large sections are checked by verify(). Throws kNotFound, kIo, kVersion,
  // kDamaged.
  static std::shared_ptr<const Segment> open(const std::filesystem::path& path);
  ~Segment();

  const std::filesystem::path& path() const noexcept { return path_; }
  const SegmentSpec& spec() const noexcept { return header_.spec; }
  int width() const noexcept { return header_.spec.width; }
  int max_tokens() const noexcept { return header_.spec.max_tokens; }
  std::uint32_t rows() const noexcept { return static_cast<std::uint32_t>(header_.rows); }
  std::uint64_t file_bytes() const noexcept { return header_.file_bytes; }
  // Identifies the content: changes when any byte of the file would.
  std::uint64_t checksum() const noexcept { return header_.checksum; }

  ContentHash content(std::uint32_t row) const noexcept;
  int token_count(std::uint32_t row) const noexcept { return counts_[row]; }

  const std::uint16_t* coarse_half(std::uint32_t row) const noexcept { return half_ + std::size_t(row) * width(); }
  // Rows follow one another at coarse_code_stride() bytes and are 64-byte aligned.
  const std::int8_t* coarse_codes(std::uint32_t row) const noexcept { return codes_ + row * code_stride_; }
  std::size_t coarse_code_stride() const noexcept { return code_stride_; }
  const CodeScale& coarse_scale(std::uint32_t row) const noexcept { return scales_[row]; }

  // The row's token records (token_codec.h), token 0 first.
  const std::byte* token_records(std::uint32_t row) const noexcept {
    return tokens_ + first_token_[row] * token_record_bytes(width());
  }

  // float32, D values: the f16 coarse vector.
  void decode_coarse(std::uint32_t row, std::span<float> vector) const;
  // float32 unit vectors [count, D], count = min(tokens, token_count(row)), 0 = all; token 0 is the f16 coarse vector.
  std::vector<float> decode_tokens(std::uint32_t row, int tokens = 0) const;

  // Asks the system to start reading the first `tokens` tokens (0 = all) of these rows; returns at once.
  void prefetch_tokens(std::span<const std::uint32_t> rows, int tokens) const noexcept;
  void prefetch_coarse_codes() const noexcept;

  // Reads everything. Throws kDamaged naming the file and the section.
  void verify() const;

 private:
  Segment(const std::filesystem::path& path);
  std::span<const std::byte> section(SegmentSection section) const noexcept;
  void check_section(SegmentSection section) const;
  void check_counts_and_scales();

  std::filesystem::path path_;
  std::unique_ptr<FileMapping> file_;
  SegmentHeader header_;
  const std::byte* tokens_ = nullptr;
  const std::byte* content_ = nullptr;
  const std::uint16_t* counts_ = nullptr;
  const std::uint16_t* half_ = nullptr;
  const std::int8_t* codes_ = nullptr;
  const CodeScale* scales_ = nullptr;
  std::size_t code_stride_ = 0;
  std::vector<std::uint64_t> first_token_;  // per row
};

}  // namespace tessera
