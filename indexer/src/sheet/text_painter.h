// Antialiased text on pictures.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "tessera/image.h"

namespace tessera {

struct Color {
  std::uint8_t red = 0;
  std::uint8_t green = 0;
  std::uint8_t blue = 0;
};

// One font at one size. Text is UTF-8; broken bytes show as U+FFFD and characters the font lacks as an empty box.
// Thread rule: const after construction.
class TextPainter {
 public:
  // `font`: a TrueType file that outlives the painter and is trusted.
  TextPainter(std::span<const unsigned char> font, float pixel_height);
  ~TextPainter();
  TextPainter(TextPainter&&) noexcept;

  int line_height() const;
  int width(std::string_view text) const;
  // At most `pixels` wide, the middle replaced by an ellipsis; keeps more of the end than of the start.
  std::string elide_middle(std::string_view text, int pixels) const;
  // (x, y) is the top left corner of the line; what lies outside the picture is cut off.
  void draw(Image& image, int x, int y, std::string_view text, Color color) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tessera
