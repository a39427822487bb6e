// The byte layout of a segment file, version 1: header, where each section lies, and what makes a header valid.
//
// All numbers little-endian. Header (512 bytes):
//     0  char[8]  magic "TESSSEG\n"          40  u32      bytes per row of coarse codes
//     8  u32      version                    44  u32      bytes per token record
//    12  u32      header bytes               48  u32      token codec (1 = int8 with float32 scale)
//    16  u64      file bytes                 52  u32      number of sections
//    24  u64      rows                       56  char[64] weights hash, zero-padded
//    32  u32      width D                   120  char[64] resize spec, zero-padded
//    36  u32      most tokens per row N     184  sections: { u64 offset, u64 length, u64 XXH3-64 } x 6
//   504  u64      XXH3-64 of bytes 0..503   (328..503 zero)
// Sections begin at multiples of 4096, in the order of SegmentSection, with zeros between them; the file ends with the
// last byte of the last section. No field leaves a choice: a reader computes the offsets and compares.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace tessera {

static_assert(std::endian::native == std::endian::little, "segment files are mapped as they are");

inline constexpr std::uint32_t kSegmentVersion = 1;
inline constexpr std::size_t kSegmentHeaderBytes = 512;
inline constexpr std::uint64_t kSectionAlignment = 4096;
inline constexpr std::uint32_t kMaxSegmentRows = 1u << 24;
inline constexpr int kMaxStoredTokens = 1024;
inline constexpr std::uint32_t kTokenCodecInt8 = 1;

enum class SegmentSection {
  kTokens,        // per row its token records, one after the other
  kContent,       // per row 16 bytes digest, u64 size
  kTokenCounts,   // per row u16, 1..N
  kCoarseHalf,    // per row f16[D], L2-normalised token 0
  kCoarseCodes,   // per row int8[D], zeros up to a multiple of 64
  kCoarseScales,  // per row CodeScale
};
inline constexpr std::size_t kSegmentSections = 6;
const char* segment_section_name(SegmentSection section) noexcept;

// What the vectors of a segment were made with.
struct SegmentSpec {
  std::string weights_hash;  // at most 63 bytes
  std::string resize;        // to_string(ResizeSpec); at most 63 bytes
  int width = 0;             // D, 1..kMaxTokenWidth
  int max_tokens = 0;        // N, 1..kMaxStoredTokens

  friend bool operator==(const SegmentSpec&, const SegmentSpec&) = default;
};

struct SectionEntry {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::uint64_t checksum = 0;
};

struct SegmentHeader {
  SegmentSpec spec;
  std::uint64_t rows = 0;
  std::uint64_t file_bytes = 0;
  std::array<SectionEntry, kSegmentSections> sections;
  std::uint64_t checksum = 0;  // of the header: covers the section checksums, so it identifies the content
};

std::uint64_t checksum_bytes(std::span<const std::byte> bytes) noexcept;  // XXH3-64
std::size_t coarse_code_stride(int width) noexcept;

// Throws kInvalidArgument if a segment cannot have this spec.
void check_segment_spec(const SegmentSpec& spec);
// Offsets, lengths and file_bytes for `rows` rows with `tokens` tokens in all; checksums are left alone.
void lay_out(SegmentHeader& header, std::uint64_t tokens) noexcept;
// Fills header.checksum too.
std::array<std::byte, kSegmentHeaderBytes> write_segment_header(SegmentHeader& header);
// `bytes` is the whole file. Throws kVersion (newer) or kDamaged, naming `name` and the field.
SegmentHeader read_segment_header(std::span<const std::byte> bytes, const std::string& name);

[[noreturn]] void throw_damaged_segment(const std::string& name, const std::string& reason);

}  // namespace tessera
