// Contact sheets as one HTML page.
#include <string_view>

#include "sheet/sheet_style.h"
#include "tessera/error.h"
#include "tessera/indexer/contact_sheet.h"
#include "tessera/text.h"

namespace tessera {
namespace {

constexpr int kThumbnailQuality = 82;

constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; --soft: #68707a; --field: #8882; }
body { font: 15px/1.4 system-ui, sans-serif; margin: 1.5rem; }
h1 { font-size: 1.4rem; margin: 0 0 1rem; overflow-wrap: anywhere; }
ol, ul { list-style: none; margin: 0; padding: 0; display: grid; gap: 1rem; }
ul { border-bottom: 1px solid var(--field); padding-bottom: 1rem; margin-bottom: 1rem; }
a { color: inherit; text-decoration: none; }
a:hover .caption, a:focus .caption { text-decoration: underline; }
.box { display: flex; align-items: center; justify-content: center; background: var(--field); aspect-ratio: 1; color: var(--soft); }
.box img { max-width: 100%; max-height: 100%; }
.like .box { outline: 4px solid #228b54; } .unlike .box { outline: 4px solid #c43535; }
.note { font-weight: 600; white-space: pre; margin-top: .5rem; }
.caption { color: var(--soft); overflow-wrap: anywhere; font-size: .85rem; }
)";

// For text and for attribute values in double quotes.
std::string escaped(std::string_view bytes) {
  std::string result;
  for (const char c : to_valid_utf8(bytes)) {
    switch (c) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '"': result += "&quot;"; break;
      default: result.push_back(c); break;
    }
  }
  return result;
}

// file: address of an absolute path; bytes other than RFC 3986's unreserved ones and '/' as %XX.
std::string file_address(const std::filesystem::path& path) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  static constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
  std::string address = "file://";
  for (const char c : path.native()) {
    if (kPlain.find(c) != std::string_view::npos) {
      address.push_back(c);
    } else {
      const auto byte = static_cast<unsigned char>(c);
      address.append("%").append(1, kDigits[byte >> 4]).append(1, kDigits[byte & 15]);
    }
  }
  return address;
}

std::string cell(const SheetPicture& picture, std::string_view css_class) {
  std::string text = "<li class=\"" + std::string(css_class) + "\"><a href=\"" + file_address(picture.path) + "\">";
  text += "<div class=\"box\">";
  if (picture.thumbnail.width > 0) {
    const std::vector<std::uint8_t> jpeg = encode_jpeg(picture.thumbnail, kThumbnailQuality);
    text += "<img alt=\"" + escaped(picture.caption) + "\" src=\"data:image/jpeg;base64,";
    text += base64({reinterpret_cast<const char*>(jpeg.data()), jpeg.size()}) + "\">";
  } else {
    text += "cannot be read";
  }
  text += "</div><div class=\"note\">" + escaped(picture.note) + "</div>";
  return text + "<div class=\"caption\">" + escaped(picture.caption) + "</div></a></li>\n";
}

}  // namespace

std::string contact_sheet_html(const ContactSheet& sheet, const SheetStyle& style) {
  const std::string columns = std::to_string(sheet_columns(sheet, style));
  const std::string grid =
      "style=\"grid-template-columns: repeat(" + columns + ", minmax(0, " + std::to_string(style.thumbnail) + "px))\"";
  std::string page = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<title>" +
                     escaped(sheet.title) + "</title>\n<style>" + std::string(kStyle) + "</style></head><body>\n<h1>" +
                     escaped(sheet.title) + "</h1>\n";
  if (!sheet.query.empty()) {
    page += "<ul " + grid + ">\n";
    for (const SheetPicture& picture : sheet.query) page += cell(picture, picture.negative ? "unlike" : "like");
    page += "</ul>\n";
  }
  page += "<ol " + grid + ">\n";
  for (const SheetPicture& picture : sheet.hits) page += cell(picture, "hit");
  return page + "</ol>\n</body></html>\n";
}

}  // namespace tessera
