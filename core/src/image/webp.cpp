// WebP through libwebp: still pictures and the first frame of animations.
#include <webp/decode.h>
#include <webp/demux.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "image/codec.h"
#include "image/exif.h"
#include "image/pixel_sink.h"

namespace tessera::codec {
namespace {

struct DemuxerDeleter {
  void operator()(WebPDemuxer* demuxer) const { WebPDemuxDelete(demuxer); }
};
using Demuxer = std::unique_ptr<WebPDemuxer, DemuxerDeleter>;

// Iterators hold a reference into the demuxer and have to be released before it.
struct ChunkIterator : WebPChunkIterator {
  ChunkIterator(const WebPDemuxer* demuxer, const char* id) : WebPChunkIterator{} {
    found = WebPDemuxGetChunk(demuxer, id, 1, this) != 0;
  }
  ~ChunkIterator() { WebPDemuxReleaseChunkIterator(this); }
  ChunkIterator(const ChunkIterator&) = delete;
  ChunkIterator& operator=(const ChunkIterator&) = delete;
  std::span<const std::uint8_t> bytes() const {
    return found ? std::span<const std::uint8_t>(chunk.bytes, chunk.size) : std::span<const std::uint8_t>();
  }
  bool found = false;
};

struct FrameIterator : WebPIterator {
  explicit FrameIterator(const WebPDemuxer* demuxer) : WebPIterator{} {
    found = WebPDemuxGetFrame(demuxer, 1, this) != 0;
  }
  ~FrameIterator() { WebPDemuxReleaseIterator(this); }
  FrameIterator(const FrameIterator&) = delete;
  FrameIterator& operator=(const FrameIterator&) = delete;
  bool found = false;
};

Demuxer open(const Source& source) {
  WebPDemuxState state = WEBP_DEMUX_PARSE_ERROR;
  const WebPData data{source.bytes.data(), source.bytes.size()};
  Demuxer demuxer(WebPDemuxPartial(&data, &state));
  if (demuxer && state == WEBP_DEMUX_DONE) return demuxer;
  if (state == WEBP_DEMUX_PARSE_ERROR) source.fail(ErrorCode::kDamaged, "damaged WebP (bad chunk structure)");
  source.fail(ErrorCode::kDamaged, "truncated WebP (premature end of data)");
}

ImageInfo read_header(const Source& source, const WebPDemuxer* demuxer) {
  const auto width = WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_WIDTH);
  const auto height = WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_HEIGHT);
  source.check_size(width, height);
  const FrameIterator frame(demuxer);
  if (!frame.found) source.fail(ErrorCode::kDamaged, "damaged WebP (no picture in it)");
  ImageInfo info;
  info.format = ImageFormat::kWebp;
  info.has_alpha = frame.has_alpha != 0;
  info.channels = info.has_alpha ? 4 : 3;
  info.has_icc = ChunkIterator(demuxer, "ICCP").found;
  set_upright_size(info, static_cast<int>(width), static_cast<int>(height),
                   exif_orientation(ChunkIterator(demuxer, "EXIF").bytes()));
  return info;
}

// The frame's pixels, RGB or RGBA.
std::vector<std::uint8_t> decode_frame(const Source& source, const WebPIterator& frame, int samples) {
  const std::size_t stride = static_cast<std::size_t>(frame.width) * samples;
  std::vector<std::uint8_t> pixels(stride * frame.height);
  WebPDecoderConfig config;
  if (!WebPInitDecoderConfig(&config)) source.fail(ErrorCode::kInternal, "libwebp of another version");
  config.output.colorspace = samples == 4 ? MODE_RGBA : MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA.rgba = pixels.data();
  config.output.u.RGBA.stride = static_cast<int>(stride);
  config.output.u.RGBA.size = pixels.size();
  const VP8StatusCode status = WebPDecode(frame.fragment.bytes, frame.fragment.size, &config);
  WebPFreeDecBuffer(&config.output);
  switch (status) {
    case VP8_STATUS_OK: return pixels;
    case VP8_STATUS_OUT_OF_MEMORY: throw std::bad_alloc();
    case VP8_STATUS_UNSUPPORTED_FEATURE: source.fail(ErrorCode::kUnsupported, "WebP variant that is not read");
    case VP8_STATUS_SUSPENDED:
    case VP8_STATUS_NOT_ENOUGH_DATA: source.fail(ErrorCode::kDamaged, "truncated WebP (premature end of data)");
    default: source.fail(ErrorCode::kDamaged, "damaged WebP (bad bitstream)");
  }
}

}  // namespace

ImageInfo probe_webp(const Source& source) {
  const Demuxer demuxer = open(source);
  return read_header(source, demuxer.get());
}

Decoded decode_webp(const Source& source) {
  const Demuxer demuxer = open(source);
  const ImageInfo info = read_header(source, demuxer.get());
  const int width = static_cast<int>(WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_WIDTH));
  const int height = static_cast<int>(WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_HEIGHT));
  const FrameIterator frame(demuxer.get());
  if (frame.width < 1 || frame.height < 1 || frame.x_offset < 0 || frame.y_offset < 0 ||
      frame.x_offset > width - frame.width || frame.y_offset > height - frame.height) {
    source.fail(ErrorCode::kDamaged, "damaged WebP (its frame is not inside its canvas)");
  }
  const bool covers_canvas = frame.width == width && frame.height == height;
  const PixelFormat format = info.has_alpha || !covers_canvas ? PixelFormat::kRgba : PixelFormat::kRgb;
  const int samples = samples_per_pixel(format);
  // The lossless decoder keeps 4 bytes per pixel of its own, the lossy one a few rows and the alpha plane.
  const std::uint64_t frame_pixels = std::uint64_t(frame.width) * frame.height;
  source.check_memory(output_bytes(width, height, info.orientation) + frame_pixels * (samples + 4));

  const std::vector<std::uint8_t> pixels = decode_frame(source, frame, samples);
  const ChunkIterator icc(demuxer.get(), "ICCP");
  PixelSink sink(width, height, format, icc.bytes());
  const std::size_t stride = static_cast<std::size_t>(frame.width) * samples;
  for (int y = 0; y < frame.height; ++y) {
    std::uint8_t* row = sink.row(y + frame.y_offset);
    if (!covers_canvas) std::fill_n(row, static_cast<std::size_t>(width) * samples, 0);  // transparent
    std::copy_n(pixels.data() + y * stride, stride, row + static_cast<std::size_t>(frame.x_offset) * samples);
    sink.commit(y + frame.y_offset);
  }
  return {std::move(sink).finish(info.orientation)};
}

}  // namespace tessera::codec
