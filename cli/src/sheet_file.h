// Contact sheets of search results as files, and showing them.
#pragma once

#include <filesystem>
#include <string>

#include "hits.h"
#include "output.h"
#include "tessera/indexer/contact_sheet.h"

namespace tessera::cli {

// Throws UsageError unless the name ends with .jpg, .jpeg, .png, .html or .htm.
void check_sheet_name(const std::filesystem::path& path);

// Reads the photos of the query and the hits and writes the sheet, whole or not at all. Throws kIo, kDiskFull.
void write_sheet(const HitList& list, const std::filesystem::path& path, Console& console);
// The same for any sheet; thumbnails that are not there yet are read from the pictures' paths.
void write_sheet(ContactSheet sheet, const std::filesystem::path& path, Console& console);

// Hands the file to the desktop's viewer (xdg-open) if there is a display; otherwise says so.
void open_in_viewer(const std::filesystem::path& path, Console& console);

}  // namespace tessera::cli
