// Writing a segment: rows are added one by one, and the file appears whole under its name or not at all.
#include "store/segment_writer.h"

#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>
#include <vector>

#include "store/file_io.h"
#include "store/segment.h"
#include "store/token_codec.h"
#include "tessera/error.h"

namespace tessera {
namespace {

constexpr std::size_t kFlushBytes = std::size_t{1} << 20;

struct FreeXxh3 {
  void operator()(XXH3_state_t* state) const noexcept { XXH3_freeState(state); }
};

template <typename T>
void append_bytes(std::vector<std::byte>& out, const T* values, std::size_t count) {
  const auto* bytes = reinterpret_cast<const std::byte*>(values);
  out.insert(out.end(), bytes, bytes + count * sizeof(T));
}

}  // namespace

struct SegmentWriter::Impl {
  Impl(const std::filesystem::path& path, const SegmentSpec& spec) : file(path), hash(XXH3_createState()) {
    if (hash == nullptr) throw std::bad_alloc();
    XXH3_64bits_reset(hash.get());
    header.spec = spec;
    lay_out(header, 0);
  }

  std::vector<std::byte>& buffer(SegmentSection s) { return buffers[static_cast<std::size_t>(s)]; }
  SectionEntry& entry(SegmentSection s) { return header.sections[static_cast<std::size_t>(s)]; }

  void check_room() const {
    if (header.rows >= kMaxSegmentRows) throw Error(ErrorCode::kLimit, "a segment cannot hold more rows");
  }

  std::uint32_t add_row(const ContentHash& content, std::uint16_t count, const std::uint16_t* half,
                        const std::int8_t* codes, const CodeScale& scale) {
    append_bytes(buffer(SegmentSection::kContent), content.digest.data(), content.digest.size());
    append_bytes(buffer(SegmentSection::kContent), &content.bytes, 1);
    append_bytes(buffer(SegmentSection::kTokenCounts), &count, 1);
    append_bytes(buffer(SegmentSection::kCoarseHalf), half, std::size_t(header.spec.width));
    append_bytes(buffer(SegmentSection::kCoarseCodes), codes, coarse_code_stride(header.spec.width));
    append_bytes(buffer(SegmentSection::kCoarseScales), &scale, 1);
    token_total += count;
    if (buffer(SegmentSection::kTokens).size() >= kFlushBytes) flush_tokens();
    return static_cast<std::uint32_t>(header.rows++);
  }

  void flush_tokens() {
    std::vector<std::byte>& pending = buffer(SegmentSection::kTokens);
    XXH3_64bits_update(hash.get(), pending.data(), pending.size());
    file.write_at(entry(SegmentSection::kTokens).offset + tokens_written, pending);
    tokens_written += pending.size();
    pending.clear();
  }

  AtomicFile file;
  std::unique_ptr<XXH3_state_t, FreeXxh3> hash;  // of the token section
  SegmentHeader header;
  std::array<std::vector<std::byte>, kSegmentSections> buffers;  // of tokens only what is not yet written
  std::uint64_t tokens_written = 0;                              // bytes
  std::uint64_t token_total = 0;
};

SegmentWriter::SegmentWriter(const std::filesystem::path& path, const SegmentSpec& spec) {
  check_segment_spec(spec);
  impl_ = std::make_unique<Impl>(path, spec);
}

SegmentWriter::~SegmentWriter() = default;

std::uint32_t SegmentWriter::add(const ContentHash& content, const CodedTokens& tokens) {
  const SegmentSpec& spec = impl_->header.spec;
  const auto width = static_cast<std::size_t>(spec.width);
  const auto given = static_cast<std::size_t>(std::max(tokens.count, 0));
  if (given < 1 || tokens.codes.size() != given * width || tokens.scales.size() != given ||
      tokens.first.size() != width) {
    throw Error(ErrorCode::kInvalidArgument, "a row needs at least one token, each of width " + std::to_string(width));
  }
  const std::size_t count = std::min(given, static_cast<std::size_t>(spec.max_tokens));
  const auto scales = tokens.scales.first(count);
  if (!std::all_of(scales.begin(), scales.end(), [](float scale) { return std::isfinite(scale); })) {
    throw Error(ErrorCode::kInvalidArgument, "a token has a component that is not finite");
  }
  if (!has_direction(tokens.first)) throw Error(ErrorCode::kInvalidArgument, "token 0 is zero");
  impl_->check_room();
  std::vector<std::uint16_t> half(width);
  std::vector<std::int8_t> codes(coarse_code_stride(spec.width));
  encode_coarse_half(tokens.first, half);
  const CodeScale scale = encode_coarse_codes(half, std::span(codes).first(width));
  const std::size_t record = token_record_bytes(spec.width);
  std::vector<std::byte>& pending = impl_->buffer(SegmentSection::kTokens);
  const std::size_t at = pending.size();
  pending.resize(at + count * record);
  for (std::size_t t = 0; t < count; ++t) {
    write_token_record(tokens.codes.subspan(t * width, width), scales[t], pending.data() + at + t * record);
  }
  return impl_->add_row(content, static_cast<std::uint16_t>(count), half.data(), codes.data(), scale);
}

std::uint32_t SegmentWriter::add(const ContentHash& content, std::span<const float> tokens, int count) {
  const SegmentSpec& spec = impl_->header.spec;
  if (count < 1 || tokens.size() != std::size_t(count) * std::size_t(spec.width)) return add(content, CodedTokens());
  count = std::min(count, spec.max_tokens);
  return add(content, code_tokens(tokens, 1, count, spec.width).image(0));
}

std::uint32_t SegmentWriter::add(const Segment& from, std::uint32_t row) {
  if (from.spec() != impl_->header.spec) {
    throw Error(ErrorCode::kInvalidArgument, from.path().string() + " was made by another encoder");
  }
  impl_->check_room();
  const int count = from.token_count(row);
  append_bytes(impl_->buffer(SegmentSection::kTokens), from.token_records(row),
               count * token_record_bytes(from.width()));
  return impl_->add_row(from.content(row), static_cast<std::uint16_t>(count), from.coarse_half(row),
                        from.coarse_codes(row), from.coarse_scale(row));
}

std::uint32_t SegmentWriter::rows() const noexcept { return static_cast<std::uint32_t>(impl_->header.rows); }

SegmentSummary SegmentWriter::finish() {
  Impl& impl = *impl_;
  impl.flush_tokens();
  lay_out(impl.header, impl.token_total);
  impl.entry(SegmentSection::kTokens).checksum = XXH3_64bits_digest(impl.hash.get());
  for (std::size_t s = 1; s < kSegmentSections; ++s) {
    impl.header.sections[s].checksum = checksum_bytes(impl.buffers[s]);
    impl.file.write_at(impl.header.sections[s].offset, impl.buffers[s]);
  }
  const auto header = write_segment_header(impl.header);
  impl.file.write_at(0, header);
  impl.file.set_size(impl.header.file_bytes);
  impl.file.commit();
  const SegmentSummary summary{rows(), impl.header.file_bytes, impl.header.checksum};
  impl.buffers = {};
  return summary;
}

}  // namespace tessera
