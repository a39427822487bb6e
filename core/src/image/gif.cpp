// GIF through giflib: the first frame at its place on the canvas, transparency on white.
#include <gif_lib.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "image/codec.h"
#include "image/pixel_sink.h"

namespace tessera::codec {
namespace {

struct GifDeleter {
  void operator()(GifFileType* gif) const { DGifCloseFile(gif, nullptr); }
};

struct GifReader {
  const Source& source;
  std::size_t position = 0;
  bool exhausted = false;
};

int on_read(GifFileType* gif, GifByteType* out, int count) {
  auto* reader = static_cast<GifReader*>(gif->UserData);
  const std::size_t left = reader->source.bytes.size() - reader->position;
  const std::size_t taken = std::min(left, static_cast<std::size_t>(std::max(count, 0)));
  if (taken > 0) std::memcpy(out, reader->source.bytes.data() + reader->position, taken);
  reader->position += taken;
  reader->exhausted |= taken < static_cast<std::size_t>(std::max(count, 0));
  return static_cast<int>(taken);
}

// The file up to the pixels of its first frame.
class FirstFrame {
 public:
  explicit FirstFrame(const Source& source) : reader_{source} {
    int error = 0;
    gif_.reset(DGifOpen(&reader_, on_read, &error));
    if (!gif_) fail(error);
    seek();
    const GifImageDesc& frame = gif_->Image;
    if (frame.Left < 0 || frame.Top < 0) source.fail(ErrorCode::kDamaged, "damaged GIF (frame outside its canvas)");
    // Viewers enlarge a canvas that is smaller than its frame.
    width_ = std::max(gif_->SWidth, frame.Left + frame.Width);
    height_ = std::max(gif_->SHeight, frame.Top + frame.Height);
    source.check_size(std::uint64_t(std::max(frame.Width, 0)), std::uint64_t(std::max(frame.Height, 0)));
    source.check_size(std::uint64_t(width_), std::uint64_t(height_));
  }

  ImageInfo info() const {
    ImageInfo info;
    info.format = ImageFormat::kGif;
    info.width = width_;
    info.height = height_;
    info.has_alpha = transparent_ != NO_TRANSPARENT_COLOR;
    info.channels = info.has_alpha ? 4 : 3;
    return info;
  }

  Decoded decode();

 private:
  [[noreturn]] void fail(int error) const {
    if (reader_.exhausted) reader_.source.fail(ErrorCode::kDamaged, "truncated GIF (premature end of data)");
    const char* text = GifErrorString(error);
    reader_.source.fail(ErrorCode::kDamaged, "damaged GIF (" + std::string(text ? text : "bad structure") + ")");
  }
  void check(int result) const {
    if (result == GIF_ERROR) fail(gif_->Error);
  }
  void seek();
  void read_extension();

  GifReader reader_;
  std::unique_ptr<GifFileType, GifDeleter> gif_;
  int width_ = 0;
  int height_ = 0;
  int transparent_ = NO_TRANSPARENT_COLOR;
};

void FirstFrame::seek() {
  for (;;) {
    GifRecordType type = UNDEFINED_RECORD_TYPE;
    check(DGifGetRecordType(gif_.get(), &type));
    switch (type) {
      case IMAGE_DESC_RECORD_TYPE: check(DGifGetImageDesc(gif_.get())); return;
      case EXTENSION_RECORD_TYPE: read_extension(); break;
      case TERMINATE_RECORD_TYPE: reader_.source.fail(ErrorCode::kDamaged, "damaged GIF (no picture in it)");
      default: break;
    }
  }
}

void FirstFrame::read_extension() {
  int code = 0;
  GifByteType* block = nullptr;
  check(DGifGetExtension(gif_.get(), &code, &block));
  while (block != nullptr) {
    GraphicsControlBlock control;
    if (code == GRAPHICS_EXT_FUNC_CODE && DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK) {
      transparent_ = control.TransparentColor;
    }
    check(DGifGetExtensionNext(gif_.get(), &block));
  }
}

Decoded FirstFrame::decode() {
  const Source& source = reader_.source;
  const GifImageDesc& frame = gif_->Image;
  source.check_memory(output_bytes(width_, height_, 1) + std::uint64_t(width_) * 8);
  const ColorMapObject* colors = frame.ColorMap != nullptr ? frame.ColorMap : gif_->SColorMap;
  if (colors == nullptr) source.fail(ErrorCode::kDamaged, "damaged GIF (no colour table)");

  PixelSink sink(width_, height_, PixelFormat::kRgba);
  std::vector<GifPixelType> indices(static_cast<std::size_t>(frame.Width));
  const auto read_row = [&](int frame_y) {
    check(DGifGetLine(gif_.get(), indices.data(), frame.Width));
    const int y = frame.Top + frame_y;
    std::uint8_t* row = sink.row(y);
    std::fill_n(row, static_cast<std::size_t>(width_) * 4, 0);  // transparent
    std::uint8_t* out = row + static_cast<std::size_t>(frame.Left) * 4;
    for (const GifPixelType index : indices) {
      if (index != transparent_ && index < colors->ColorCount) {
        const GifColorType& color = colors->Colors[index];
        out[0] = color.Red;
        out[1] = color.Green;
        out[2] = color.Blue;
        out[3] = 255;
      }
      out += 4;
    }
    sink.commit(y);
  };
  if (frame.Interlace) {
    constexpr int kStart[] = {0, 4, 2, 1};
    constexpr int kStep[] = {8, 8, 4, 2};
    for (int pass = 0; pass < 4; ++pass) {
      for (int y = kStart[pass]; y < frame.Height; y += kStep[pass]) read_row(y);
    }
  } else {
    for (int y = 0; y < frame.Height; ++y) read_row(y);
  }
  return {std::move(sink).finish(1)};
}

}  // namespace

ImageInfo probe_gif(const Source& source) { return FirstFrame(source).info(); }

Decoded decode_gif(const Source& source) { return FirstFrame(source).decode(); }

}  // namespace tessera::codec
