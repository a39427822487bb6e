// JPEG through libjpeg-turbo: DCT-scaled decoding that never returns a half-decoded picture.
#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

// jpeglib.h needs <cstdio> before it, jerror.h needs jpeglib.h.
#include <jpeglib.h>

#include <jerror.h>

#include "image/codec.h"
#include "image/exif.h"
#include "image/pixel_sink.h"

namespace tessera::codec {
namespace {

constexpr int kExifMarker = JPEG_APP0 + 1;
constexpr int kIccMarker = JPEG_APP0 + 2;
constexpr int kScanLimitCode = -1;

// Each scan of a progressive file visits every coefficient, and a few bytes of file can hold a scan of any size. Real
// files have about ten scans; the limit falls with the size so that the work stays bounded.
int max_scans(std::uint64_t pixels) {
  constexpr std::uint64_t kPixelVisits = 10'000'000'000;
  return static_cast<int>(std::clamp<std::uint64_t>(kPixelVisits / std::max<std::uint64_t>(pixels, 1), 64, 500));
}

struct ErrorManager {
  jpeg_error_mgr base;  // first member: libjpeg hands back a pointer to it
  std::jmp_buf jump;
  int fatal_code;
  char fatal[JMSG_LENGTH_MAX];
  bool damaged;
  char damage[JMSG_LENGTH_MAX];
};

struct SourceManager {
  jpeg_source_mgr base;
  bool exhausted;
};

struct ScanMonitor {
  jpeg_progress_mgr base;
  int max_scans;
};

[[noreturn]] void on_error(j_common_ptr cinfo) {
  auto* error = reinterpret_cast<ErrorManager*>(cinfo->err);
  error->fatal_code = error->base.msg_code;
  error->base.format_message(cinfo, error->fatal);
  std::longjmp(error->jump, 1);
}

// Warnings that mean that pixels were made up. The others (stray bytes between markers, odd version numbers, scan
// parameters out of order, a bad ICC marker) leave the picture whole.
bool loses_pixels(int code) {
  return code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE || code == JWRN_ARITH_BAD_CODE ||
         code == JWRN_MUST_RESYNC || code == JWRN_BOGUS_PROGRESSION;
}

void on_message(j_common_ptr cinfo, int level) {
  auto* error = reinterpret_cast<ErrorManager*>(cinfo->err);
  if (level >= 0 || error->damaged || !loses_pixels(error->base.msg_code)) return;
  error->damaged = true;
  error->base.format_message(cinfo, error->damage);
}

void on_output(j_common_ptr) {}

void on_init_source(j_decompress_ptr) {}
void on_term_source(j_decompress_ptr) {}

boolean on_fill_input(j_decompress_ptr cinfo) {
  static constexpr JOCTET kEndOfImage[] = {0xFF, JPEG_EOI};
  auto* source = reinterpret_cast<SourceManager*>(cinfo->src);
  source->exhausted = true;
  source->base.next_input_byte = kEndOfImage;
  source->base.bytes_in_buffer = sizeof kEndOfImage;
  return TRUE;
}

void on_skip_input(j_decompress_ptr cinfo, long count) {
  if (count <= 0) return;
  if (static_cast<std::size_t>(count) > cinfo->src->bytes_in_buffer) {
    on_fill_input(cinfo);
    return;
  }
  cinfo->src->next_input_byte += count;
  cinfo->src->bytes_in_buffer -= static_cast<std::size_t>(count);
}

void on_progress(j_common_ptr cinfo) {
  const auto* monitor = reinterpret_cast<const ScanMonitor*>(cinfo->progress);
  if (!cinfo->is_decompressor || reinterpret_cast<j_decompress_ptr>(cinfo)->input_scan_number <= monitor->max_scans) {
    return;
  }
  auto* error = reinterpret_cast<ErrorManager*>(cinfo->err);
  error->fatal_code = kScanLimitCode;
  std::longjmp(error->jump, 1);
}

ErrorCode code_of(int jpeg_code) {
  switch (jpeg_code) {
    case kScanLimitCode:
    case JERR_OUT_OF_MEMORY:
    case JERR_WIDTH_OVERFLOW:
    case JERR_IMAGE_TOO_BIG: return ErrorCode::kLimit;
    case JERR_ARITH_NOTIMPL:
    case JERR_BAD_PRECISION:
    case JERR_CCIR601_NOTIMPL:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_FRACT_SAMPLE_NOTIMPL:
    case JERR_NOT_COMPILED:
    case JERR_NOTIMPL:
    case JERR_SOF_UNSUPPORTED: return ErrorCode::kUnsupported;
    default: return ErrorCode::kDamaged;
  }
}

// One decompressor. libjpeg reports errors by longjmp, so every call into it goes through guarded(), whose callables
// keep no object with a destructor.
class JpegReader {
 public:
  explicit JpegReader(const Source& source) : source_(source) {
    cinfo_.err = jpeg_std_error(&error_.base);
    error_.base.error_exit = on_error;
    error_.base.emit_message = on_message;
    error_.base.output_message = on_output;
    guarded([this] { jpeg_create_decompress(&cinfo_); });
    input_.base.init_source = on_init_source;
    input_.base.fill_input_buffer = on_fill_input;
    input_.base.skip_input_data = on_skip_input;
    input_.base.resync_to_restart = jpeg_resync_to_restart;
    input_.base.term_source = on_term_source;
    input_.base.next_input_byte = source.bytes.data();
    input_.base.bytes_in_buffer = source.bytes.size();
    cinfo_.src = &input_.base;
    monitor_.base.progress_monitor = on_progress;
    cinfo_.progress = &monitor_.base;
  }
  ~JpegReader() { jpeg_destroy_decompress(&cinfo_); }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  ImageInfo read_header();
  Decoded decode();

 private:
  template <typename Call>
  void guarded(Call call) {
    if (setjmp(error_.jump) != 0) throw_error();
    call();
  }
  [[noreturn]] void throw_error() const;
  void choose_scale();
  PixelFormat choose_format();
  std::uint64_t memory_needed() const;
  void check_complete();

  const Source& source_;
  jpeg_decompress_struct cinfo_{};
  ErrorManager error_{};
  SourceManager input_{};
  ScanMonitor monitor_{};
  ImageInfo info_;
};

void JpegReader::throw_error() const {
  if (error_.fatal_code == kScanLimitCode) {
    source_.fail(ErrorCode::kLimit, "progressive JPEG with more than " + std::to_string(monitor_.max_scans) + " scans");
  }
  const ErrorCode code = code_of(error_.fatal_code);
  if (code == ErrorCode::kUnsupported) {
    source_.fail(code, "JPEG variant that is not read (" + std::string(error_.fatal) + ")");
  }
  if (code == ErrorCode::kLimit) source_.fail(code, "JPEG too large (" + std::string(error_.fatal) + ")");
  if (input_.exhausted) source_.fail(code, "truncated JPEG (premature end of data)");
  source_.fail(code, "damaged JPEG (" + std::string(error_.fatal) + ")");
}

ImageInfo JpegReader::read_header() {
  guarded([this] {
    jpeg_save_markers(&cinfo_, kExifMarker, 0xFFFF);
    jpeg_save_markers(&cinfo_, kIccMarker, 0xFFFF);
    jpeg_read_header(&cinfo_, TRUE);
  });
  source_.check_size(cinfo_.image_width, cinfo_.image_height);
  info_.format = ImageFormat::kJpeg;
  info_.bits = cinfo_.data_precision;
  info_.channels = cinfo_.num_components;
  int orientation = 1;
  bool exif_seen = false;
  for (auto* marker = cinfo_.marker_list; marker != nullptr; marker = marker->next) {
    const std::span<const std::uint8_t> data(marker->data, marker->data_length);
    if (marker->marker == kExifMarker && !exif_seen && data.size() >= 6 && std::equal(&data[0], &data[5], "Exif")) {
      orientation = exif_orientation(data);
      exif_seen = true;
    }
    if (marker->marker == kIccMarker && data.size() > 14 && std::equal(&data[0], &data[12], "ICC_PROFILE")) {
      info_.has_icc = true;
    }
  }
  set_upright_size(info_, static_cast<int>(cinfo_.image_width), static_cast<int>(cinfo_.image_height), orientation);
  return info_;
}

void JpegReader::choose_scale() {
  cinfo_.scale_denom = 8;
  cinfo_.scale_num = 8;
  if (source_.min_short_side <= 0) return;
  const std::uint64_t shorter = std::min(cinfo_.image_width, cinfo_.image_height);
  for (unsigned eighths = 1; eighths < 8; ++eighths) {
    if (shorter * eighths / 8 >= static_cast<unsigned>(source_.min_short_side)) {
      cinfo_.scale_num = eighths;
      return;
    }
  }
}

PixelFormat JpegReader::choose_format() {
  switch (cinfo_.jpeg_color_space) {
    case JCS_GRAYSCALE: cinfo_.out_color_space = JCS_GRAYSCALE; return PixelFormat::kGrey;
    case JCS_YCbCr:
    case JCS_RGB: cinfo_.out_color_space = JCS_RGB; return PixelFormat::kRgb;
    case JCS_CMYK:
    case JCS_YCCK:
      cinfo_.out_color_space = JCS_CMYK;
      return cinfo_.saw_Adobe_marker ? PixelFormat::kCmykInverted : PixelFormat::kCmyk;
    default:
      source_.fail(ErrorCode::kUnsupported,
                   "JPEG with " + std::to_string(cinfo_.num_components) + " components of unknown meaning");
  }
}

std::uint64_t JpegReader::memory_needed() const {
  std::uint64_t bytes = output_bytes(cinfo_.output_width, cinfo_.output_height, info_.orientation);
  // Row buffers of the upsampler and colour converter: a few MCU rows.
  bytes += std::uint64_t{cinfo_.image_width} * 4 * 64;
  if (jpeg_has_multiple_scans(const_cast<jpeg_decompress_struct*>(&cinfo_))) {
    for (int c = 0; c < cinfo_.num_components; ++c) {
      const jpeg_component_info& component = cinfo_.comp_info[c];
      bytes += (std::uint64_t{component.width_in_blocks} + 4) * (component.height_in_blocks + 4) * sizeof(JBLOCK);
    }
  }
  return bytes;
}

void JpegReader::check_complete() {
  // A single Huffman-coded scan that ran out of data has raised JWRN_HIT_MARKER; if it has not, only the end marker is
  // missing and the picture is whole. With several scans a missing end may be a missing scan, and the arithmetic
  // decoder does not warn.
  if (input_.exhausted && (error_.damaged || cinfo_.arith_code || jpeg_has_multiple_scans(&cinfo_))) {
    source_.fail(ErrorCode::kDamaged, "truncated JPEG (premature end of data)");
  }
  if (error_.damaged) source_.fail(ErrorCode::kDamaged, "damaged JPEG (" + std::string(error_.damage) + ")");
}

Decoded JpegReader::decode() {
  choose_scale();
  const PixelFormat format = choose_format();
  guarded([this] { jpeg_calc_output_dimensions(&cinfo_); });
  source_.check_memory(memory_needed());
  monitor_.max_scans = max_scans(std::uint64_t{cinfo_.image_width} * cinfo_.image_height);

  JOCTET* icc_data = nullptr;
  unsigned icc_size = 0;
  if (info_.has_icc) guarded([&, this] { jpeg_read_icc_profile(&cinfo_, &icc_data, &icc_size); });
  const std::unique_ptr<JOCTET, decltype(&std::free)> icc(icc_data, &std::free);

  guarded([this] { jpeg_start_decompress(&cinfo_); });
  const int height = static_cast<int>(cinfo_.output_height);
  PixelSink sink(static_cast<int>(cinfo_.output_width), height, format, {icc.get(), icc ? icc_size : 0});
  while (cinfo_.output_scanline < cinfo_.output_height) {
    const int y = static_cast<int>(cinfo_.output_scanline);
    JSAMPROW row = sink.row(y);
    guarded([&, this] { jpeg_read_scanlines(&cinfo_, &row, 1); });
    if (error_.damaged) break;
    sink.commit(y);
  }
  check_complete();
  return {std::move(sink).finish(info_.orientation), static_cast<int>(cinfo_.scale_num)};
}

}  // namespace

ImageInfo probe_jpeg(const Source& source) { return JpegReader(source).read_header(); }

Decoded decode_jpeg(const Source& source) {
  JpegReader reader(source);
  reader.read_header();
  return reader.decode();
}

}  // namespace tessera::codec
