// Contact sheets as files: pictures or pages, as their names say.
#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "tessera/error.h"
#include "tessera/indexer/contact_sheet.h"
#include "tessera/indexer/output_file.h"

namespace tessera {
namespace {

std::string lower_extension(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c); });
  return extension;
}

bool is_page(const std::filesystem::path& path) {
  const std::string extension = lower_extension(path);
  return extension == ".html" || extension == ".htm";
}

void load_missing_thumbnails(ContactSheet& sheet, int box) {
  std::vector<SheetPicture*> pictures;
  for (std::vector<SheetPicture>* part : {&sheet.query, &sheet.hits}) {
    for (SheetPicture& picture : *part) {
      if (picture.thumbnail.width == 0) pictures.push_back(&picture);
    }
  }
  std::vector<std::filesystem::path> paths;
  for (const SheetPicture* picture : pictures) paths.push_back(picture->path);
  std::vector<Image> thumbnails = load_thumbnails(paths, box);
  for (std::size_t i = 0; i < thumbnails.size(); ++i) pictures[i]->thumbnail = std::move(thumbnails[i]);
}

}  // namespace

bool is_contact_sheet_name(const std::filesystem::path& path) {
  static constexpr std::array<std::string_view, 3> kPictures = {".jpg", ".jpeg", ".png"};
  return is_page(path) || std::find(kPictures.begin(), kPictures.end(), lower_extension(path)) != kPictures.end();
}

void write_contact_sheet(ContactSheet sheet, const std::filesystem::path& path, const SheetStyle& style) {
  if (!is_contact_sheet_name(path)) {
    throw Error(ErrorCode::kInvalidArgument, "a contact sheet is a .jpg, .png or .html file, not " + path.string());
  }
  load_missing_thumbnails(sheet, style.thumbnail);
  if (is_page(path)) {
    write_file_atomically(path, contact_sheet_html(sheet, style));
  } else {
    write_image(path, draw_contact_sheet(sheet, style));
  }
}

}  // namespace tessera
