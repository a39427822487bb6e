// Trash folders after the freedesktop.org Trash specification 1.0.
#pragma once

#include <filesystem>

namespace tessera::curation {

struct TrashPlace {
  std::filesystem::path file;  // files/NAME, free
  std::filesystem::path info;  // info/NAME.trashinfo, written
};

// Reserves a place for the file by writing its .trashinfo: in the home trash if that is on the same file system, else
// in $topdir/.Trash/$uid or $topdir/.Trash-$uid. Throws kIo, kReadOnly, kDiskFull, kNotFound.
TrashPlace reserve_trash_place(const std::filesystem::path& file);
void release_trash_place(const TrashPlace& place) noexcept;  // the info file goes

}  // namespace tessera::curation
