// Which trash a file belongs to, and its .trashinfo there.
#include "curation/trash_can.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <string>
#include <system_error>

#include "curation/moving.h"
#include "store/file_io.h"
#include "tessera/error.h"

namespace tessera::curation {
namespace {

constexpr int kMostNames = 10'000;

struct Trash {
  std::filesystem::path dir;
  std::filesystem::path topdir;  // empty for the home trash, whose infos hold absolute paths
};

std::optional<struct stat> stat_of(const std::filesystem::path& path, bool follow = true) {
  struct stat status {};
  const int result = follow ? ::stat(path.c_str(), &status) : ::lstat(path.c_str(), &status);
  return result == 0 ? std::optional(status) : std::nullopt;
}

std::filesystem::path home_trash() {
  const char* data = std::getenv("XDG_DATA_HOME");
  if (data != nullptr && data[0] == '/') return std::filesystem::path(data) / "Trash";
  const char* home = std::getenv("HOME");
  if (home == nullptr || home[0] != '/')
    throw Error(ErrorCode::kNotFound, "there is no home folder to keep a trash in");
  return std::filesystem::path(home) / ".local" / "share" / "Trash";
}

void make_private_folder(const std::filesystem::path& dir) {
  if (::mkdir(dir.c_str(), 0700) == 0 || errno == EEXIST) return;
  const int reason = errno;
  if (reason == EACCES || reason == EPERM || reason == EROFS) {
    throw Error(ErrorCode::kReadOnly,
                "no trash can be made at " + dir.string() + ": " + std::generic_category().message(reason));
  }
  throw errno_error("make folder", dir.string(), reason);
}

// The device of the folder or of the nearest one above it that exists.
dev_t device_of(std::filesystem::path dir) {
  for (;;) {
    if (const auto status = stat_of(dir)) return status->st_dev;
    if (!dir.has_relative_path()) throw errno_error("examine", dir.string(), errno);
    dir = dir.parent_path();
  }
}

std::filesystem::path mount_point_of(const std::filesystem::path& folder, dev_t device) {
  std::filesystem::path top = folder;
  while (top.has_relative_path()) {
    const auto above = stat_of(top.parent_path());
    if (!above || above->st_dev != device) break;
    top = top.parent_path();
  }
  return top;
}

// $topdir/.Trash counts only if it is a folder, no link, and sticky.
Trash trash_of_volume(const std::filesystem::path& topdir) {
  const std::string user = std::to_string(::getuid());
  const auto shared = stat_of(topdir / ".Trash", false);
  if (shared && S_ISDIR(shared->st_mode) && (shared->st_mode & S_ISVTX) != 0) {
    try {
      make_private_folder(topdir / ".Trash" / user);
      return {topdir / ".Trash" / user, topdir};
    } catch (const Error&) {  // the other one is tried
    }
  }
  const std::filesystem::path own = topdir / (".Trash-" + user);
  make_private_folder(own);
  const auto status = stat_of(own, false);
  if (!status || !S_ISDIR(status->st_mode)) throw Error(ErrorCode::kIo, own.string() + " is no folder");
  return {own, topdir};
}

Trash trash_for(const std::filesystem::path& file) {
  // The folder's real path: a link on the way may lead to another file system.
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::canonical(file.parent_path(), error);
  if (error) throw errno_error("examine", file.parent_path().string(), error.value());
  const auto status = stat_of(folder);
  if (!status) throw errno_error("examine", folder.string(), errno);
  const std::filesystem::path home = home_trash();
  if (device_of(home) == status->st_dev) {
    std::filesystem::create_directories(home.parent_path(), error);
    make_private_folder(home);
    return {home, {}};
  }
  return trash_of_volume(mount_point_of(folder, status->st_dev));
}

std::string percent_encoded(const std::string& path) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string text;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
                       byte == '/' || byte == '.' || byte == '-' || byte == '_' || byte == '~';
    if (plain) {
      text.push_back(c);
    } else {
      text += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return text;
}

std::string info_text(const std::filesystem::path& file, const Trash& trash) {
  std::filesystem::path path = file;
  if (!trash.topdir.empty()) {
    path = (std::filesystem::canonical(file.parent_path()) / file.filename()).lexically_relative(trash.topdir);
  }
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::localtime_r(&now, &parts);
  char date[32] = {};
  std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
  return "[Trash Info]\nPath=" + percent_encoded(path.native()) + "\nDeletionDate=" + date + "\n";
}

// False if the name is taken.
bool write_info(const std::filesystem::path& path, const std::string& text) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (fd.get() < 0) {
    if (errno == EEXIST) return false;
    throw errno_error("write", path.string(), errno);
  }
  const bool written =
      ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(fd.get()) == 0;
  if (!written) {
    const int reason = errno;
    ::unlink(path.c_str());
    throw errno_error("write", path.string(), reason);
  }
  return true;
}

}  // namespace

TrashPlace reserve_trash_place(const std::filesystem::path& file) {
  const Trash trash = trash_for(file);
  make_private_folder(trash.dir / "files");
  make_private_folder(trash.dir / "info");
  const std::string text = info_text(file, trash);
  for (int number = 1; number <= kMostNames; ++number) {
    const std::string name = numbered_name(file.filename().native(), number);
    const TrashPlace place{trash.dir / "files" / name, trash.dir / "info" / (name + ".trashinfo")};
    if (stat_of(place.file, false) || !write_info(place.info, text)) continue;
    return place;
  }
  throw Error(ErrorCode::kLimit,
              "the trash " + trash.dir.string() + " has too many files named " + file.filename().string());
}

void release_trash_place(const TrashPlace& place) noexcept { ::unlink(place.info.c_str()); }

}  // namespace tessera::curation
