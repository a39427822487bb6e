// Contact sheets as one picture.
#include "tessera/indexer/contact_sheet.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>

#include "sheet/font_data.h"
#include "sheet/sheet_style.h"
#include "sheet/text_painter.h"
#include "tessera/error.h"
#include "tessera/indexer/thumbnails.h"
#include "tessera/resize.h"

namespace tessera {
namespace {

constexpr int kMargin = 16;
constexpr int kFrame = 4;  // of query pictures
constexpr std::int64_t kLargestSheet = 400'000'000;

constexpr Color kText{24, 26, 30};
constexpr Color kSoftText{98, 104, 112};
constexpr Color kField{236, 238, 240};  // behind a picture that does not fill its square
constexpr Color kUnreadable{200, 203, 207};
constexpr Color kPositive{34, 139, 84};
constexpr Color kNegative{196, 53, 53};

void fill(Image& image, int x, int y, int width, int height, Color color) {
  for (int row = std::max(y, 0); row < std::min(y + height, image.height); ++row) {
    for (int column = std::max(x, 0); column < std::min(x + width, image.width); ++column) {
      std::uint8_t* pixel = &image.rgb[3 * (std::size_t(row) * image.width + column)];
      pixel[0] = color.red;
      pixel[1] = color.green;
      pixel[2] = color.blue;
    }
  }
}

void paste(Image& image, int x, int y, const Image& picture) {
  for (int row = 0; row < picture.height; ++row) {
    const auto* source = picture.rgb.data() + 3 * std::size_t(row) * picture.width;
    std::copy_n(source, 3 * std::size_t(picture.width),
                image.rgb.data() + 3 * (std::size_t(y + row) * image.width + x));
  }
}

// The size of a picture fitted into a square of `box`; never larger than it was.
ImageSize fitted(int width, int height, int box) {
  const double scale = std::min(1.0, double(box) / std::max(width, height));
  return {std::max(1, static_cast<int>(std::lround(width * scale))),
          std::max(1, static_cast<int>(std::lround(height * scale)))};
}

Image fit_into(const Image& image, int box) {
  const ImageSize size = fitted(image.width, image.height, box);
  return size == ImageSize{image.width, image.height} ? image : resize_bicubic(image, size.width, size.height);
}

// Places and paints the parts of a sheet from top to bottom.
class SheetPainter {
 public:
  SheetPainter(const ContactSheet& sheet, const SheetStyle& style)
      : sheet_(sheet),
        box_(style.thumbnail),
        columns_(sheet_columns(sheet, style)),
        title_font_(bold_font(), 26),
        note_font_(bold_font(), 17),
        caption_font_(regular_font(), 15) {}

  Image paint() {
    const std::int64_t width = std::int64_t(columns_) * (box_ + kMargin) + kMargin;
    const std::int64_t height = total_height();
    if (width * height > kLargestSheet) {
      throw Error(ErrorCode::kLimit, "a contact sheet of " + std::to_string(width) + " x " + std::to_string(height) +
                                         " pixels is too large; take fewer results");
    }
    image_.width = static_cast<int>(width);
    image_.height = static_cast<int>(height);
    image_.rgb.assign(3 * static_cast<std::size_t>(width * height), 255);
    int y = kMargin;
    if (!sheet_.title.empty()) {
      const int room = image_.width - 2 * kMargin;
      title_font_.draw(image_, kMargin, y, title_font_.elide_middle(sheet_.title, room), kText);
      y += title_height();
    }
    y = paint_grid(sheet_.query, y, true);
    if (!sheet_.query.empty() && !sheet_.hits.empty()) {
      fill(image_, kMargin, y, image_.width - 2 * kMargin, 1, kUnreadable);
      y += 1 + kMargin;
    }
    paint_grid(sheet_.hits, y, false);
    return std::move(image_);
  }

 private:
  int title_height() const { return title_font_.line_height() + kMargin; }
  int cell_height() const { return box_ + 4 + note_font_.line_height() + caption_font_.line_height() + kMargin; }
  std::int64_t rows(const std::vector<SheetPicture>& pictures) const {
    return static_cast<std::int64_t>((pictures.size() + columns_ - 1) / columns_);
  }
  std::int64_t total_height() const {
    std::int64_t height = kMargin + (sheet_.title.empty() ? 0 : title_height());
    if (!sheet_.query.empty() && !sheet_.hits.empty()) height += 1 + kMargin;
    return height + (rows(sheet_.query) + rows(sheet_.hits)) * cell_height();
  }

  int paint_grid(const std::vector<SheetPicture>& pictures, int y, bool framed) {
    for (std::size_t i = 0; i < pictures.size(); ++i) {
      const int column = static_cast<int>(i % columns_);
      const int row = static_cast<int>(i / columns_);
      paint_cell(pictures[i], kMargin + column * (box_ + kMargin), y + row * cell_height(), framed);
    }
    return y + static_cast<int>(rows(pictures)) * cell_height();
  }

  void paint_cell(const SheetPicture& picture, int x, int y, bool framed) {
    const int inset = framed ? kFrame : 0;
    const bool readable = picture.thumbnail.width > 0;
    if (framed) fill(image_, x, y, box_, box_, picture.negative ? kNegative : kPositive);
    fill(image_, x + inset, y + inset, box_ - 2 * inset, box_ - 2 * inset, readable ? kField : kUnreadable);
    if (readable) {
      const Image fitting = fit_into(picture.thumbnail, box_ - 2 * inset);
      paste(image_, x + (box_ - fitting.width) / 2, y + (box_ - fitting.height) / 2, fitting);
    } else {
      const std::string text = "cannot be read";
      caption_font_.draw(image_, x + (box_ - caption_font_.width(text)) / 2,
                         y + (box_ - caption_font_.line_height()) / 2, text, kSoftText);
    }
    const int note_y = y + box_ + 4;
    note_font_.draw(image_, x, note_y, note_font_.elide_middle(picture.note, box_), kText);
    caption_font_.draw(image_, x, note_y + note_font_.line_height(), caption_font_.elide_middle(picture.caption, box_),
                       kSoftText);
  }

  const ContactSheet& sheet_;
  int box_;
  int columns_;
  TextPainter title_font_;
  TextPainter note_font_;
  TextPainter caption_font_;
  Image image_;
};

}  // namespace

int sheet_columns(const ContactSheet& sheet, const SheetStyle& style) {
  if (style.thumbnail < 32 || style.thumbnail > 1024) {
    throw Error(ErrorCode::kInvalidArgument,
                "thumbnails of a contact sheet have 32 to 1024 pixels, not " + std::to_string(style.thumbnail));
  }
  if (style.columns < 1 || style.columns > 20) {
    throw Error(ErrorCode::kInvalidArgument,
                "a contact sheet has 1 to 20 columns, not " + std::to_string(style.columns));
  }
  const std::size_t most = std::max({sheet.query.size(), sheet.hits.size(), std::size_t{1}});
  return static_cast<int>(std::min<std::size_t>(style.columns, most));
}

std::vector<Image> load_thumbnails(std::span<const std::filesystem::path> paths, int box) {
  std::vector<Image> images(paths.size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < paths.size(); i = next++) {
      try {
        images[i] = load_thumbnail(paths[i], box);
      } catch (const Error&) {
        images[i] = Image{};  // shown as unreadable
      }
    }
  };
  const std::size_t threads = std::min<std::size_t>(paths.size(), std::max(1U, std::thread::hardware_concurrency()));
  std::vector<std::jthread> pool;
  for (std::size_t i = 1; i < threads; ++i) pool.emplace_back(work);
  work();
  pool.clear();
  return images;
}

Image draw_contact_sheet(const ContactSheet& sheet, const SheetStyle& style) {
  return SheetPainter(sheet, style).paint();
}

}  // namespace tessera
