// PBM, PGM and PPM, text and binary, 1 to 16 bits (netpbm formats P1 to P6).
#include <algorithm>

#include "image/codec.h"
#include "image/pixel_sink.h"

namespace tessera::codec {
namespace {

bool is_space(std::uint8_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

class PnmReader {
 public:
  explicit PnmReader(const Source& source) : source_(source), at_(2) {
    const int kind = source.bytes[1] - '0';
    binary_ = kind >= 4;
    bitmap_ = kind == 1 || kind == 4;
    channels_ = kind == 3 || kind == 6 ? 3 : 1;
    width_ = number();
    height_ = number();
    max_value_ = bitmap_ ? 1 : number();
    source.check_size(width_, height_);
    if (max_value_ < 1 || max_value_ > 65535) source.fail(ErrorCode::kDamaged, "damaged PNM (bad largest value)");
    if (binary_) ++at_;  // exactly one white-space character separates the header from binary samples
    check_length();
  }

  ImageInfo info() const {
    ImageInfo info;
    info.format = ImageFormat::kPnm;
    info.width = static_cast<int>(width_);
    info.height = static_cast<int>(height_);
    info.bits = bitmap_ ? 1 : max_value_ > 255 ? 16 : 8;
    info.channels = channels_;
    return info;
  }

  Decoded decode() {
    source_.check_memory(output_bytes(width_, height_, 1));
    PixelSink sink(static_cast<int>(width_), static_cast<int>(height_),
                   channels_ == 3 ? PixelFormat::kRgb : PixelFormat::kGrey);
    for (int y = 0; y < static_cast<int>(height_); ++y) {
      std::uint8_t* row = sink.row(y);
      const std::size_t samples = std::size_t{width_} * channels_;
      for (std::size_t i = 0; i < samples; ++i) row[i] = scaled(binary_ ? binary_sample(i) : text_sample());
      if (binary_) at_ += row_bytes();
      sink.commit(y);
    }
    return {std::move(sink).finish(1)};
  }

 private:
  [[noreturn]] void fail_truncated() const {
    source_.fail(ErrorCode::kDamaged, "truncated PNM (premature end of data)");
  }

  std::size_t row_bytes() const {
    return bitmap_ ? (std::size_t{width_} + 7) / 8 : std::size_t{width_} * channels_ * (max_value_ > 255 ? 2 : 1);
  }

  // Text samples take at least a digit each, and all but those of bitmaps a separator.
  void check_length() const {
    const std::uint64_t samples = std::uint64_t{width_} * height_ * channels_;
    const std::uint64_t needed = binary_ ? std::uint64_t{row_bytes()} * height_ : bitmap_ ? samples : 2 * samples - 1;
    if (at_ > source_.bytes.size() || source_.bytes.size() - at_ < needed) fail_truncated();
  }

  void skip_space() {
    while (at_ < source_.bytes.size() && (is_space(source_.bytes[at_]) || source_.bytes[at_] == '#')) {
      if (source_.bytes[at_] == '#') {
        while (at_ < source_.bytes.size() && source_.bytes[at_] != '\n' && source_.bytes[at_] != '\r') ++at_;
      } else {
        ++at_;
      }
    }
  }

  // A decimal number that something follows (a number at the very end may have lost digits).
  std::uint32_t number() {
    skip_space();
    std::uint64_t value = 0;
    const std::size_t first = at_;
    for (; at_ < source_.bytes.size() && source_.bytes[at_] >= '0' && source_.bytes[at_] <= '9'; ++at_) {
      value = std::min<std::uint64_t>(value * 10 + (source_.bytes[at_] - '0'), UINT32_MAX);
    }
    if (at_ == source_.bytes.size()) fail_truncated();
    if (at_ == first) source_.fail(ErrorCode::kDamaged, "damaged PNM (a number is missing)");
    return static_cast<std::uint32_t>(value);
  }

  std::uint32_t text_sample() {
    if (!bitmap_) return number();
    skip_space();
    if (at_ == source_.bytes.size()) fail_truncated();
    const std::uint8_t c = source_.bytes[at_++];
    if (c != '0' && c != '1') source_.fail(ErrorCode::kDamaged, "damaged PNM (a bit that is neither 0 nor 1)");
    return c - '0';
  }

  std::uint32_t binary_sample(std::size_t index) const {
    const std::uint8_t* row = source_.bytes.data() + at_;
    if (bitmap_) return row[index / 8] >> (7 - index % 8) & 1;
    return max_value_ > 255 ? std::uint32_t{row[2 * index]} << 8 | row[2 * index + 1] : row[index];
  }

  std::uint8_t scaled(std::uint32_t value) const {
    if (bitmap_) return value != 0 ? 0 : 255;  // 1 is black
    return static_cast<std::uint8_t>((std::min(value, max_value_) * 255 + max_value_ / 2) / max_value_);
  }

  const Source& source_;
  std::size_t at_;
  bool binary_ = false;
  bool bitmap_ = false;
  int channels_ = 1;
  std::uint32_t width_ = 0;
  std::uint32_t height_ = 0;
  std::uint32_t max_value_ = 1;
};

}  // namespace

ImageInfo probe_pnm(const Source& source) { return PnmReader(source).info(); }

Decoded decode_pnm(const Source& source) { return PnmReader(source).decode(); }

}  // namespace tessera::codec
