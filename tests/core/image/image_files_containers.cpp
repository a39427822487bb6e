// Encoders behind image_files.h: WebP, TIFF and GIF.
#include <gif_lib.h>
#include <tiffio.h>
#include <webp/encode.h>
#include <webp/mux.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "image_files.h"

namespace tessera::test {
namespace {

Bytes encode_webp(const Image& image, bool lossless, const Bytes& alpha) {
  Bytes rgba;
  for (std::size_t i = 0; i < image.rgb.size() / 3; ++i) {
    for (int c = 0; c < 3; ++c) rgba.push_back(image.rgb[3 * i + c]);
    rgba.push_back(alpha.empty() ? 255 : alpha[i]);
  }
  WebPConfig config;
  WebPConfigInit(&config);
  config.lossless = lossless;
  config.quality = 95;
  config.exact = 1;
  WebPPicture picture;
  WebPPictureInit(&picture);
  picture.use_argb = 1;
  picture.width = image.width;
  picture.height = image.height;
  WebPMemoryWriter writer;
  WebPMemoryWriterInit(&writer);
  picture.writer = WebPMemoryWrite;
  picture.custom_ptr = &writer;
  if (!WebPPictureImportRGBA(&picture, rgba.data(), image.width * 4) || !WebPEncode(&config, &picture)) {
    throw std::runtime_error("WebPEncode");
  }
  Bytes out(writer.mem, writer.mem + writer.size);
  WebPMemoryWriterClear(&writer);
  WebPPictureFree(&picture);
  return out;
}

Bytes assemble(WebPMux* mux) {
  WebPData data;
  if (WebPMuxAssemble(mux, &data) != WEBP_MUX_OK) throw std::runtime_error("WebPMuxAssemble");
  Bytes out(data.bytes, data.bytes + data.size);
  WebPDataClear(&data);
  WebPMuxDelete(mux);
  return out;
}

struct Memory {
  Bytes bytes;
  toff_t position = 0;
};

tmsize_t on_read(thandle_t handle, void* out, tmsize_t count) {
  auto* memory = static_cast<Memory*>(handle);
  const auto left =
      static_cast<tmsize_t>(memory->bytes.size() - std::min<toff_t>(memory->position, memory->bytes.size()));
  const tmsize_t taken = std::min(left, count);
  std::copy_n(memory->bytes.data() + memory->position, taken, static_cast<std::uint8_t*>(out));
  memory->position += static_cast<toff_t>(taken);
  return taken;
}

tmsize_t on_write(thandle_t handle, void* in, tmsize_t count) {
  auto* memory = static_cast<Memory*>(handle);
  const std::size_t end = memory->position + static_cast<std::size_t>(count);
  if (memory->bytes.size() < end) memory->bytes.resize(end);
  std::copy_n(static_cast<const std::uint8_t*>(in), count, memory->bytes.data() + memory->position);
  memory->position = end;
  return count;
}

toff_t on_seek(thandle_t handle, toff_t offset, int whence) {
  auto* memory = static_cast<Memory*>(handle);
  const toff_t base = whence == SEEK_CUR ? memory->position : whence == SEEK_END ? memory->bytes.size() : 0;
  return memory->position = base + offset;
}

int on_close(thandle_t) { return 0; }
toff_t on_size(thandle_t handle) { return static_cast<Memory*>(handle)->bytes.size(); }

TIFF* open_tiff(Memory& memory, bool big_endian) {
  return TIFFClientOpen("test", big_endian ? "wb" : "wl", &memory, on_read, on_write, on_seek, on_close, on_size,
                        nullptr, nullptr);
}

// The bytes of a rectangle of one plane (or of all, plane < 0), zero outside the picture.
Bytes rectangle(const Samples& samples, int x0, int y0, int width, int height, int plane) {
  Bytes out;
  for (int y = y0; y < y0 + height; ++y) {
    for (int x = x0; x < x0 + width; ++x) {
      for (int c = plane < 0 ? 0 : plane; c < (plane < 0 ? samples.channels : plane + 1); ++c) {
        const bool inside = x < samples.width && y < samples.height;
        const std::uint16_t value =
            inside ? samples.values[(std::size_t(y) * samples.width + x) * samples.channels + c] : std::uint16_t{0};
        out.push_back(static_cast<std::uint8_t>(value));  // little-endian host
        if (samples.bits == 16) out.push_back(static_cast<std::uint8_t>(value >> 8));
      }
    }
  }
  return out;
}

void write_blocks(TIFF* tiff, const Samples& samples, const TiffMaking& making) {
  const int planes = making.separate ? samples.channels : 1;
  const int block_width = making.tile > 0 ? making.tile : samples.width;
  const int block_height = making.tile > 0 ? making.tile : making.rows_per_strip;
  for (int plane = 0; plane < planes; ++plane) {
    for (int y = 0; y < samples.height; y += block_height) {
      for (int x = 0; x < samples.width; x += block_width) {
        const int rows = making.tile > 0 ? block_height : std::min(block_height, samples.height - y);
        Bytes block = rectangle(samples, x, y, block_width, rows, making.separate ? plane : -1);
        const auto size = static_cast<tmsize_t>(block.size());
        const auto sample = static_cast<std::uint16_t>(plane);
        const auto row = static_cast<std::uint32_t>(y);
        const tmsize_t written =
            making.tile > 0
                ? TIFFWriteEncodedTile(tiff, TIFFComputeTile(tiff, static_cast<std::uint32_t>(x), row, 0, sample),
                                       block.data(), size)
                : TIFFWriteEncodedStrip(tiff, TIFFComputeStrip(tiff, row, sample), block.data(), size);
        if (written < 0) throw std::runtime_error("TIFFWriteEncoded");
      }
    }
  }
}

int on_gif_write(GifFileType* gif, const GifByteType* data, int count) {
  auto* out = static_cast<Bytes*>(gif->UserData);
  out->insert(out->end(), data, data + count);
  return count;
}

}  // namespace

Bytes make_webp(const Image& image, bool lossless, const Bytes& exif, const Bytes& icc, const Bytes& alpha) {
  const Bytes still = encode_webp(image, lossless, alpha);
  if (exif.empty() && icc.empty()) return still;
  WebPMux* mux = WebPMuxNew();
  const WebPData picture{still.data(), still.size()};
  WebPMuxSetImage(mux, &picture, 1);
  const WebPData exif_data{exif.data(), exif.size()};
  if (!exif.empty()) WebPMuxSetChunk(mux, "EXIF", &exif_data, 1);
  const WebPData icc_data{icc.data(), icc.size()};
  if (!icc.empty()) WebPMuxSetChunk(mux, "ICCP", &icc_data, 1);
  return assemble(mux);
}

Bytes make_animated_webp(int width, int height, const Image& frame, int x, int y) {
  WebPMux* mux = WebPMuxNew();
  const Bytes first = encode_webp(frame, true, {});
  const Bytes second = encode_webp(noise(width, height, 5), true, {});
  for (const Bytes* still : {&first, &second}) {
    WebPMuxFrameInfo info{};
    info.bitstream = {still->data(), still->size()};
    info.id = WEBP_CHUNK_ANMF;
    info.x_offset = still == &first ? 2 * x : 0;
    info.y_offset = still == &first ? 2 * y : 0;
    info.duration = 100;
    info.dispose_method = WEBP_MUX_DISPOSE_NONE;
    info.blend_method = WEBP_MUX_BLEND;
    if (WebPMuxPushFrame(mux, &info, 1) != WEBP_MUX_OK) throw std::runtime_error("WebPMuxPushFrame");
  }
  const WebPMuxAnimParams loop{0xFF00FF00, 0};  // a background colour that viewers ignore
  WebPMuxSetAnimationParams(mux, &loop);
  WebPMuxSetCanvasSize(mux, width, height);
  return assemble(mux);
}

Bytes make_tiff(const Samples& samples, const TiffMaking& making) {
  Memory memory;
  TIFF* tiff = open_tiff(memory, making.big_endian);
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, samples.width);
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, samples.height);
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, samples.bits);
  TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, samples.channels);
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, making.photometric);
  TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, making.separate ? PLANARCONFIG_SEPARATE : PLANARCONFIG_CONTIG);
  TIFFSetField(tiff, TIFFTAG_COMPRESSION, making.compression);
  TIFFSetField(tiff, TIFFTAG_ORIENTATION, making.orientation);
  if (making.extra != 0) {
    const auto kind = static_cast<std::uint16_t>(making.extra);
    TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, 1, &kind);
  }
  if (making.tile > 0) {
    TIFFSetField(tiff, TIFFTAG_TILEWIDTH, making.tile);
    TIFFSetField(tiff, TIFFTAG_TILELENGTH, making.tile);
  } else {
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, making.rows_per_strip);
  }
  if (making.compression == COMPRESSION_JPEG) {
    TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    TIFFSetField(tiff, TIFFTAG_JPEGQUALITY, 95);
  }
  if (!making.icc.empty()) {
    TIFFSetField(tiff, TIFFTAG_ICCPROFILE, static_cast<std::uint32_t>(making.icc.size()), making.icc.data());
  }
  write_blocks(tiff, samples, making);
  TIFFClose(tiff);
  return memory.bytes;
}

Bytes make_bilevel_tiff(int width, int height, const Bytes& bits, int compression) {
  Memory memory;
  TIFF* tiff = open_tiff(memory, false);
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, width);
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, height);
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 1);
  TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISWHITE);
  TIFFSetField(tiff, TIFFTAG_COMPRESSION, compression);
  TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, height);
  Bytes rows = bits;
  TIFFWriteEncodedStrip(tiff, 0, rows.data(), static_cast<tmsize_t>(rows.size()));
  TIFFClose(tiff);
  return memory.bytes;
}

Bytes make_gif(int width, int height, const Bytes& indices, const Bytes& palette, const GifMaking& making) {
  Bytes out;
  int error = 0;
  GifFileType* gif = EGifOpen(&out, on_gif_write, &error);
  std::vector<GifColorType> colors;
  for (std::size_t i = 0; i + 2 < palette.size(); i += 3)
    colors.push_back({palette[i], palette[i + 1], palette[i + 2]});
  ColorMapObject* map = GifMakeMapObject(static_cast<int>(colors.size()), colors.data());
  EGifSetGifVersion(gif, true);
  EGifPutScreenDesc(gif, making.canvas_width ? making.canvas_width : width,
                    making.canvas_height ? making.canvas_height : height, 8, 0, map);
  if (making.transparent >= 0) {
    const GraphicsControlBlock control{DISPOSAL_UNSPECIFIED, false, 0, making.transparent};
    GifByteType block[4];
    EGifGCBToExtension(&control, block);
    EGifPutExtension(gif, GRAPHICS_EXT_FUNC_CODE, 4, block);
  }
  EGifPutImageDesc(gif, making.left, making.top, width, height, making.interlaced, nullptr);
  std::vector<int> order;
  constexpr int kStart[] = {0, 4, 2, 1};
  constexpr int kStep[] = {8, 8, 4, 2};
  for (int pass = 0; pass < 4 && making.interlaced; ++pass) {
    for (int y = kStart[pass]; y < height; y += kStep[pass]) order.push_back(y);
  }
  for (int y = 0; y < height && !making.interlaced; ++y) order.push_back(y);
  for (const int y : order) {
    Bytes row(indices.begin() + std::ptrdiff_t(y) * width, indices.begin() + std::ptrdiff_t(y + 1) * width);
    EGifPutLine(gif, row.data(), width);
  }
  GifFreeMapObject(map);
  EGifCloseFile(gif, &error);
  return out;
}

}  // namespace tessera::test
