// The byte layout of a segment file, version 1: header, where each section lies, and what makes a header valid.
#include "store/segment_format.h"

#include <xxhash.h>

#include <cstring>

#include "store/token_codec.h"
#include "tessera/error.h"

namespace tessera {
namespace {

constexpr char kMagic[8] = {'T', 'E', 'S', 'S', 'S', 'E', 'G', '\n'};
constexpr std::size_t kTextBytes = 64;
constexpr std::size_t kSectionTableAt = 184;
constexpr std::size_t kSectionTableEnd = kSectionTableAt + kSegmentSections * 24;
constexpr std::size_t kChecksumAt = kSegmentHeaderBytes - 8;

template <typename T>
T load(std::span<const std::byte> bytes, std::size_t at) noexcept {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

template <typename T>
void store(std::span<std::byte> bytes, std::size_t at, T value) noexcept {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

std::uint64_t round_up(std::uint64_t value, std::uint64_t multiple) noexcept {
  return (value + multiple - 1) / multiple * multiple;
}

bool all_zero(std::span<const std::byte> bytes) noexcept {
  for (const std::byte b : bytes) {
    if (b != std::byte{0}) return false;
  }
  return true;
}

std::string load_text(std::span<const std::byte> bytes, std::size_t at, const std::string& name, const char* field) {
  const std::span<const std::byte> text = bytes.subspan(at, kTextBytes);
  std::size_t length = 0;
  while (length < kTextBytes && text[length] != std::byte{0}) ++length;
  if (length == kTextBytes || !all_zero(text.subspan(length))) {
    throw_damaged_segment(name, std::string("the ") + field + " of its header is not zero-padded");
  }
  return std::string(reinterpret_cast<const char*>(text.data()), length);
}

void require(bool condition, const std::string& name, const char* field) {
  if (!condition) throw_damaged_segment(name, std::string("its header has an impossible ") + field);
}

void check_layout(const SegmentHeader& header, std::uint64_t actual_bytes, const std::string& name) {
  const std::uint64_t record = token_record_bytes(header.spec.width);
  const std::uint64_t token_bytes = header.sections[0].length;
  const std::uint64_t tokens = token_bytes / record;
  require(token_bytes % record == 0 && tokens >= header.rows && tokens <= header.rows * header.spec.max_tokens, name,
          "length of section token codes");
  SegmentHeader expected = header;
  lay_out(expected, tokens);
  for (std::size_t s = 0; s < kSegmentSections; ++s) {
    const std::string section = segment_section_name(static_cast<SegmentSection>(s));
    require(header.sections[s].offset == expected.sections[s].offset, name, ("offset of section " + section).c_str());
    require(header.sections[s].length == expected.sections[s].length, name, ("length of section " + section).c_str());
  }
  require(header.file_bytes == expected.file_bytes, name, "file size");
  if (actual_bytes != header.file_bytes) {
    throw_damaged_segment(name, "it has " + std::to_string(actual_bytes) + " bytes instead of the " +
                                    std::to_string(header.file_bytes) + " of its header");
  }
}

}  // namespace

const char* segment_section_name(SegmentSection section) noexcept {
  switch (section) {
    case SegmentSection::kTokens: return "token codes";
    case SegmentSection::kContent: return "content hashes";
    case SegmentSection::kTokenCounts: return "token counts";
    case SegmentSection::kCoarseHalf: return "coarse vectors";
    case SegmentSection::kCoarseCodes: return "coarse codes";
    case SegmentSection::kCoarseScales: return "coarse scales";
  }
  return "unknown";
}

std::uint64_t checksum_bytes(std::span<const std::byte> bytes) noexcept {
  return XXH3_64bits(bytes.data(), bytes.size());
}

std::size_t coarse_code_stride(int width) noexcept { return round_up(static_cast<std::uint64_t>(width), 64); }

void check_segment_spec(const SegmentSpec& spec) {
  if (spec.width < 1 || spec.width > kMaxTokenWidth) {
    throw Error(ErrorCode::kInvalidArgument, "a segment cannot hold tokens of width " + std::to_string(spec.width));
  }
  if (spec.max_tokens < 1 || spec.max_tokens > kMaxStoredTokens) {
    throw Error(ErrorCode::kInvalidArgument,
                "a segment cannot hold " + std::to_string(spec.max_tokens) + " tokens per image");
  }
  for (const std::string* text : {&spec.weights_hash, &spec.resize}) {
    if (text->size() >= kTextBytes || text->find('\0') != std::string::npos) {
      throw Error(ErrorCode::kInvalidArgument, "a segment cannot name its encoder \"" + *text + "\"");
    }
  }
}

void lay_out(SegmentHeader& header, std::uint64_t tokens) noexcept {
  const auto width = static_cast<std::uint64_t>(header.spec.width);
  const std::array<std::uint64_t, kSegmentSections> lengths = {tokens * token_record_bytes(header.spec.width),
                                                               header.rows * 24,
                                                               header.rows * sizeof(std::uint16_t),
                                                               header.rows * width * sizeof(std::uint16_t),
                                                               header.rows * coarse_code_stride(header.spec.width),
                                                               header.rows * sizeof(CodeScale)};
  std::uint64_t end = kSegmentHeaderBytes;
  for (std::size_t s = 0; s < kSegmentSections; ++s) {
    header.sections[s].offset = round_up(end, kSectionAlignment);
    header.sections[s].length = lengths[s];
    end = header.sections[s].offset + lengths[s];
  }
  header.file_bytes = end;
}

std::array<std::byte, kSegmentHeaderBytes> write_segment_header(SegmentHeader& header) {
  std::array<std::byte, kSegmentHeaderBytes> bytes{};
  std::memcpy(bytes.data(), kMagic, sizeof kMagic);
  store<std::uint32_t>(bytes, 8, kSegmentVersion);
  store<std::uint32_t>(bytes, 12, kSegmentHeaderBytes);
  store<std::uint64_t>(bytes, 16, header.file_bytes);
  store<std::uint64_t>(bytes, 24, header.rows);
  store<std::uint32_t>(bytes, 32, static_cast<std::uint32_t>(header.spec.width));
  store<std::uint32_t>(bytes, 36, static_cast<std::uint32_t>(header.spec.max_tokens));
  store<std::uint32_t>(bytes, 40, static_cast<std::uint32_t>(coarse_code_stride(header.spec.width)));
  store<std::uint32_t>(bytes, 44, static_cast<std::uint32_t>(token_record_bytes(header.spec.width)));
  store<std::uint32_t>(bytes, 48, kTokenCodecInt8);
  store<std::uint32_t>(bytes, 52, kSegmentSections);
  std::memcpy(bytes.data() + 56, header.spec.weights_hash.data(), header.spec.weights_hash.size());
  std::memcpy(bytes.data() + 120, header.spec.resize.data(), header.spec.resize.size());
  for (std::size_t s = 0; s < kSegmentSections; ++s) {
    store(bytes, kSectionTableAt + s * 24, header.sections[s].offset);
    store(bytes, kSectionTableAt + s * 24 + 8, header.sections[s].length);
    store(bytes, kSectionTableAt + s * 24 + 16, header.sections[s].checksum);
  }
  header.checksum = checksum_bytes(std::span(bytes).first(kChecksumAt));
  store(bytes, kChecksumAt, header.checksum);
  return bytes;
}

SegmentHeader read_segment_header(std::span<const std::byte> bytes, const std::string& name) {
  if (bytes.size() < kSegmentHeaderBytes) throw_damaged_segment(name, "it is shorter than a header");
  if (std::memcmp(bytes.data(), kMagic, sizeof kMagic) != 0) throw_damaged_segment(name, "it is not a segment file");
  const auto version = load<std::uint32_t>(bytes, 8);
  if (version > kSegmentVersion) {
    throw Error(ErrorCode::kVersion, name + " was written by a newer Tessera (segment version " +
                                         std::to_string(version) + ", this one reads " +
                                         std::to_string(kSegmentVersion) + ")");
  }
  require(version == kSegmentVersion, name, "version");
  SegmentHeader header;
  header.checksum = load<std::uint64_t>(bytes, kChecksumAt);
  if (header.checksum != checksum_bytes(bytes.first(kChecksumAt))) {
    throw_damaged_segment(name, "the checksum of its header does not match");
  }
  require(load<std::uint32_t>(bytes, 12) == kSegmentHeaderBytes, name, "header size");
  header.file_bytes = load<std::uint64_t>(bytes, 16);
  header.rows = load<std::uint64_t>(bytes, 24);
  require(header.rows <= kMaxSegmentRows, name, "number of rows");
  const auto width = load<std::uint32_t>(bytes, 32);
  require(width >= 1 && width <= kMaxTokenWidth, name, "token width");
  const auto max_tokens = load<std::uint32_t>(bytes, 36);
  require(max_tokens >= 1 && max_tokens <= kMaxStoredTokens, name, "number of tokens");
  header.spec.width = static_cast<int>(width);
  header.spec.max_tokens = static_cast<int>(max_tokens);
  require(load<std::uint32_t>(bytes, 40) == coarse_code_stride(header.spec.width), name, "coarse code stride");
  require(load<std::uint32_t>(bytes, 44) == token_record_bytes(header.spec.width), name, "token record size");
  require(load<std::uint32_t>(bytes, 48) == kTokenCodecInt8, name, "token codec");
  require(load<std::uint32_t>(bytes, 52) == kSegmentSections, name, "number of sections");
  require(all_zero(bytes.subspan(kSectionTableEnd, kChecksumAt - kSectionTableEnd)), name, "reserved field");
  header.spec.weights_hash = load_text(bytes, 56, name, "weights hash");
  header.spec.resize = load_text(bytes, 120, name, "resize spec");
  for (std::size_t s = 0; s < kSegmentSections; ++s) {
    header.sections[s].offset = load<std::uint64_t>(bytes, kSectionTableAt + s * 24);
    header.sections[s].length = load<std::uint64_t>(bytes, kSectionTableAt + s * 24 + 8);
    header.sections[s].checksum = load<std::uint64_t>(bytes, kSectionTableAt + s * 24 + 16);
  }
  check_layout(header, bytes.size(), name);
  return header;
}

void throw_damaged_segment(const std::string& name, const std::string& reason) {
  throw Error(ErrorCode::kDamaged, name + " is damaged: " + reason);
}

}  // namespace tessera
