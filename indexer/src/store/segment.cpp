// Reading a segment: an immutable, checksummed file of coarse vectors and ordered token codes, one row per image.
#include "store/segment.h"

#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "store/file_io.h"
#include "store/half.h"

namespace tessera {

Segment::Segment(const std::filesystem::path& path) : path_(path), file_(std::make_unique<FileMapping>(path)) {
  header_ = read_segment_header(file_->bytes(), path_.string());
  const auto begin = [&](SegmentSection s) { return section(s).data(); };
  tokens_ = begin(SegmentSection::kTokens);
  content_ = begin(SegmentSection::kContent);
  counts_ = reinterpret_cast<const std::uint16_t*>(begin(SegmentSection::kTokenCounts));
  half_ = reinterpret_cast<const std::uint16_t*>(begin(SegmentSection::kCoarseHalf));
  codes_ = reinterpret_cast<const std::int8_t*>(begin(SegmentSection::kCoarseCodes));
  scales_ = reinterpret_cast<const CodeScale*>(begin(SegmentSection::kCoarseScales));
  code_stride_ = tessera::coarse_code_stride(width());
  check_counts_and_scales();
  for (const SegmentSection scattered : {SegmentSection::kTokens, SegmentSection::kCoarseHalf}) {
    const SectionEntry& entry = header_.sections[static_cast<std::size_t>(scattered)];
    file_->advise(entry.offset, entry.length, MADV_RANDOM);
  }
}

Segment::~Segment() = default;

std::shared_ptr<const Segment> Segment::open(const std::filesystem::path& path) {
  return std::shared_ptr<const Segment>(new Segment(path));
}

std::span<const std::byte> Segment::section(SegmentSection section) const noexcept {
  const SectionEntry& entry = header_.sections[static_cast<std::size_t>(section)];
  // With no rows every section is empty and the last offsets lie at or beyond the end of the file.
  if (entry.length == 0) return {};
  return file_->bytes().subspan(entry.offset, entry.length);
}

void Segment::check_section(SegmentSection which) const {
  if (checksum_bytes(section(which)) != header_.sections[static_cast<std::size_t>(which)].checksum) {
    throw_damaged_segment(path_.string(),
                          std::string("the checksum of section ") + segment_section_name(which) + " does not match");
  }
}

void Segment::check_counts_and_scales() {
  check_section(SegmentSection::kTokenCounts);
  check_section(SegmentSection::kCoarseScales);
  first_token_.resize(rows());
  std::uint64_t tokens = 0;
  for (std::uint32_t row = 0; row < rows(); ++row) {
    if (counts_[row] < 1 || counts_[row] > max_tokens()) {
      throw_damaged_segment(path_.string(), "row " + std::to_string(row) + " has an impossible token count");
    }
    if (!std::isfinite(scales_[row].scale) || !(scales_[row].error >= 0) || !std::isfinite(scales_[row].error)) {
      throw_damaged_segment(path_.string(), "row " + std::to_string(row) + " has an impossible coarse scale");
    }
    first_token_[row] = tokens;
    tokens += counts_[row];
  }
  if (tokens * token_record_bytes(width()) != header_.sections[0].length) {
    throw_damaged_segment(path_.string(), "its token counts do not add up to the length of section token codes");
  }
}

ContentHash Segment::content(std::uint32_t row) const noexcept {
  ContentHash hash;
  const std::byte* entry = content_ + std::size_t(row) * 24;
  std::memcpy(hash.digest.data(), entry, 16);
  std::memcpy(&hash.bytes, entry + 16, 8);
  return hash;
}

void Segment::decode_coarse(std::uint32_t row, std::span<float> vector) const {
  const std::uint16_t* half = coarse_half(row);
  for (int i = 0; i < width(); ++i) vector[i] = half_to_float(half[i]);
}

std::vector<float> Segment::decode_tokens(std::uint32_t row, int tokens) const {
  const int count = tokens > 0 ? std::min(tokens, token_count(row)) : token_count(row);
  std::vector<float> result(std::size_t(count) * width());
  for (int t = 0; t < count; ++t) {
    const std::span<float> vector = std::span(result).subspan(std::size_t(t) * width(), width());
    if (t == 0) {
      decode_coarse(row, vector);
    } else {
      decode_token_record(token_records(row) + t * token_record_bytes(width()), vector);
    }
  }
  return result;
}

void Segment::prefetch_tokens(std::span<const std::uint32_t> row_list, int tokens) const noexcept {
  const std::uint64_t base = header_.sections[static_cast<std::size_t>(SegmentSection::kTokens)].offset;
  for (const std::uint32_t row : row_list) {
    const int count = tokens > 0 ? std::min(tokens, token_count(row)) : token_count(row);
    const std::size_t record = token_record_bytes(width());
    file_->advise(base + first_token_[row] * record, count * record, MADV_WILLNEED);
  }
}

void Segment::prefetch_coarse_codes() const noexcept {
  const SectionEntry& entry = header_.sections[static_cast<std::size_t>(SegmentSection::kCoarseCodes)];
  file_->advise(entry.offset, entry.length, MADV_WILLNEED);
}

void Segment::verify() const {
  std::uint64_t end = kSegmentHeaderBytes;
  for (std::size_t s = 0; s < kSegmentSections; ++s) {
    const SectionEntry& entry = header_.sections[s];
    const std::span<const std::byte> gap = file_->bytes().subspan(end, entry.offset - end);
    if (std::any_of(gap.begin(), gap.end(), [](std::byte b) { return b != std::byte{0}; })) {
      throw_damaged_segment(path_.string(), std::string("there are stray bytes before section ") +
                                                segment_section_name(static_cast<SegmentSection>(s)));
    }
    check_section(static_cast<SegmentSection>(s));
    end = entry.offset + entry.length;
  }
}

}  // namespace tessera
