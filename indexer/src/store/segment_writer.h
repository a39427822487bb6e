// Writing a segment: rows are added one by one, and the file appears whole under its name or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "store/segment_format.h"
#include "tessera/indexer/types.h"
#include "tessera/token_code.h"

namespace tessera {

class Segment;

struct SegmentSummary {
  std::uint32_t rows = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t checksum = 0;  // Segment::checksum()
};

// Token codes go to `<path>.tmp` as they come; the rest, about 3 * D + 34 bytes a row, is held until finish().
// Destroyed without finish() it leaves nothing behind. One thread.
class SegmentWriter {
 public:
  // Throws kInvalidArgument for an impossible spec, kIo, kDiskFull, kReadOnly.
  SegmentWriter(const std::filesystem::path& path, const SegmentSpec& spec);
  ~SegmentWriter();

  // Adds an image: at least one token of width D; tokens beyond N are not stored. Returns its row.
  // Throws kInvalidArgument, with nothing added, for a wrong size, a component that is not finite or a token 0 without
  // direction; kLimit when the segment is full; kIo, kDiskFull, after which only destruction makes sense.
  std::uint32_t add(const ContentHash& content, const CodedTokens& tokens);
  // The same from `tokens` [count, D]: the same bytes.
  std::uint32_t add(const ContentHash& content, std::span<const float> tokens, int count);
  // Adds a row of another segment of the same spec as it is, byte for byte. Throws kInvalidArgument if the specs
  // differ.
  std::uint32_t add(const Segment& from, std::uint32_t row);

  std::uint32_t rows() const noexcept;

  // Writes the rest, syncs, renames. The writer is empty-handed afterwards. Throws kIo, kDiskFull.
  SegmentSummary finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tessera
