// Contact sheets: query pictures and search hits as one picture or one HTML page that a person can look at.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "tessera/image.h"

namespace tessera {

struct SheetPicture {
  Image thumbnail;             // of any size; empty = could not be read: a grey field is shown
  std::filesystem::path path;  // what a page links to; absolute
  std::string caption;         // one line under the picture, usually the file's name; elided in the middle if too long
  std::string note;            // one line above the caption in bold, e.g. "1   0.943"
  bool negative = false;       // of the query: an example of what is not wanted
};

struct ContactSheet {
  std::string title;
  std::vector<SheetPicture> query;  // may be empty
  std::vector<SheetPicture> hits;   // best first
};

struct SheetStyle {
  int thumbnail = 240;  // side of the square a thumbnail is fitted into, pixels, 32..1024
  int columns = 5;      // 1..20; fewer if there are fewer pictures
};

// Upright pictures fitted into a square of `box` pixels, never enlarged; an empty Image where the file cannot be read.
// Decodes on several threads. Thread rule: any thread.
std::vector<Image> load_thumbnails(std::span<const std::filesystem::path> paths, int box);

// Dark text on white: the title, the query pictures framed (green; red for negative ones), then the hits in a grid,
// each letterboxed. Throws kInvalidArgument for a style out of range, kLimit above 400 million pixels.
// Thread rule: any thread.
Image draw_contact_sheet(const ContactSheet& sheet, const SheetStyle& style = {});

// A page that needs no other file: thumbnails are embedded JPEGs, each linked to its photo by a file: address.
// Thread rule: any thread.
std::string contact_sheet_html(const ContactSheet& sheet, const SheetStyle& style = {});

// .jpg, .jpeg and .png are pictures, .html and .htm are pages.
bool is_contact_sheet_name(const std::filesystem::path& path);
// Thumbnails that are not there yet are read from the pictures' paths; then the sheet is written as its name says,
// whole or not at all. Throws kInvalidArgument for another name, kIo, kDiskFull, kLimit. Thread rule: any thread.
void write_contact_sheet(ContactSheet sheet, const std::filesystem::path& path, const SheetStyle& style = {});

}  // namespace tessera
