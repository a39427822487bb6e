// Antialiased text on pictures, rasterised by stb_truetype.
#include "sheet/text_painter.h"

#include <cmath>
#include <vector>

#include "tessera/error.h"
#include "tessera/text.h"

// Its checks are for broken fonts; the only fonts here are built in.
#define STBTT_assert(condition) static_cast<void>(sizeof(condition))
#define STBTT_STATIC
#define STB_TRUETYPE_IMPLEMENTATION
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include <stb/stb_truetype.h>
#pragma GCC diagnostic pop

namespace tessera {
namespace {

constexpr std::string_view kEllipsis = "\xE2\x80\xA6";
constexpr char32_t kReplacement = 0xFFFD;

std::vector<char32_t> characters(std::string_view text) {
  std::vector<char32_t> result;
  while (!text.empty()) {
    const DecodedCharacter next = decode_utf8(text);
    const bool bad = next.code == kInvalidCharacter || next.code < 0x20 || (next.code >= 0x7F && next.code < 0xA0);
    result.push_back(bad ? kReplacement : next.code);
    text.remove_prefix(next.bytes);
  }
  return result;
}

void blend(Image& image, int x, int y, std::uint8_t coverage, Color color) {
  if (x < 0 || y < 0 || x >= image.width || y >= image.height || coverage == 0) return;
  std::uint8_t* pixel = &image.rgb[3 * (std::size_t(y) * image.width + x)];
  const auto mix = [coverage](int under, int over) {
    return static_cast<std::uint8_t>((under * (255 - coverage) + over * coverage + 127) / 255);
  };
  pixel[0] = mix(pixel[0], color.red);
  pixel[1] = mix(pixel[1], color.green);
  pixel[2] = mix(pixel[2], color.blue);
}

}  // namespace

struct TextPainter::Impl {
  stbtt_fontinfo font{};
  float scale = 1;
  int ascent = 0;  // pixels from the top of a line to its base line
  int height = 0;  // of a line

  // Pen movement after a character, with kerning towards the next one (0 = none).
  float advance(char32_t code, char32_t next) const {
    int width = 0;
    int bearing = 0;
    stbtt_GetCodepointHMetrics(&font, static_cast<int>(code), &width, &bearing);
    if (next != 0) width += stbtt_GetCodepointKernAdvance(&font, static_cast<int>(code), static_cast<int>(next));
    return scale * static_cast<float>(width);
  }
};

TextPainter::TextPainter(std::span<const unsigned char> font, float pixel_height) : impl_(std::make_unique<Impl>()) {
  if (stbtt_InitFont(&impl_->font, font.data(), 0) == 0) {
    throw Error(ErrorCode::kInternal, "the built-in font of contact sheets cannot be read");
  }
  impl_->scale = stbtt_ScaleForPixelHeight(&impl_->font, pixel_height);
  int ascent = 0;
  int descent = 0;
  int gap = 0;
  stbtt_GetFontVMetrics(&impl_->font, &ascent, &descent, &gap);
  impl_->ascent = static_cast<int>(std::lround(impl_->scale * static_cast<float>(ascent)));
  impl_->height = static_cast<int>(std::ceil(impl_->scale * static_cast<float>(ascent - descent + gap)));
}

TextPainter::~TextPainter() = default;
TextPainter::TextPainter(TextPainter&&) noexcept = default;

int TextPainter::line_height() const { return impl_->height; }

int TextPainter::width(std::string_view text) const {
  const std::vector<char32_t> codes = characters(text);
  float pen = 0;
  for (std::size_t i = 0; i < codes.size(); ++i)
    pen += impl_->advance(codes[i], i + 1 < codes.size() ? codes[i + 1] : 0);
  return static_cast<int>(std::ceil(pen));
}

std::string TextPainter::elide_middle(std::string_view text, int pixels) const {
  if (width(text) <= pixels) return std::string(text);
  std::vector<std::string_view> pieces;  // one character each
  for (std::string_view rest = text; !rest.empty(); rest.remove_prefix(pieces.back().size())) {
    pieces.push_back(rest.substr(0, decode_utf8(rest).bytes));
  }
  // Drop characters one by one, twice as many from the start as from the end.
  std::size_t head = pieces.size() / 3;
  std::size_t tail = head;
  std::string result;
  do {
    result.clear();
    for (std::size_t i = 0; i < head; ++i) result.append(pieces[i]);
    result.append(kEllipsis);
    for (std::size_t i = tail; i < pieces.size(); ++i) result.append(pieces[i]);
    if (head > 0 && 2 * head > pieces.size() - tail) {
      --head;
    } else {
      ++tail;
    }
  } while (tail <= pieces.size() && width(result) > pixels);
  return result;
}

void TextPainter::draw(Image& image, int x, int y, std::string_view text, Color color) const {
  const std::vector<char32_t> codes = characters(text);
  const int base = y + impl_->ascent;
  float pen = static_cast<float>(x);
  std::vector<unsigned char> glyph;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const int code = static_cast<int>(codes[i]);
    const float whole = std::floor(pen);
    const float shift = pen - whole;
    int left = 0;
    int top = 0;
    int right = 0;
    int bottom = 0;
    stbtt_GetCodepointBitmapBoxSubpixel(&impl_->font, code, impl_->scale, impl_->scale, shift, 0, &left, &top, &right,
                                        &bottom);
    const int glyph_width = right - left;
    const int glyph_height = bottom - top;
    if (glyph_width > 0 && glyph_height > 0) {
      glyph.assign(std::size_t(glyph_width) * glyph_height, 0);
      stbtt_MakeCodepointBitmapSubpixel(&impl_->font, glyph.data(), glyph_width, glyph_height, glyph_width,
                                        impl_->scale, impl_->scale, shift, 0, code);
      for (int row = 0; row < glyph_height; ++row) {
        for (int column = 0; column < glyph_width; ++column) {
          blend(image, static_cast<int>(whole) + left + column, base + top + row,
                glyph[std::size_t(row) * glyph_width + column], color);
        }
      }
    }
    pen += impl_->advance(codes[i], i + 1 < codes.size() ? codes[i + 1] : 0);
  }
}

}  // namespace tessera
