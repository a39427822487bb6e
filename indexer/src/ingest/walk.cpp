// Walking the roots with one readdir pass and one fstatat per image file.
#include "ingest/walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>

#include "catalog/paths.h"
#include "store/file_io.h"
#include "tessera/error.h"
#include "tessera/image.h"

namespace tessera::ingest {
namespace {

using catalog::FileStamp;
using catalog::KnownFile;

FileStamp stamp_of(const struct stat& info) {
  const auto nanoseconds = [](const timespec& time) {
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
  };
  return {static_cast<std::uint64_t>(info.st_size), nanoseconds(info.st_mtim), nanoseconds(info.st_ctim), info.st_ino};
}

// A replaced file shows in inode and change time together; the inode alone changes with every mount of a FAT disk, the
// change time alone with every chmod.
bool is_unchanged(const FileStamp& now, const FileStamp& then) {
  return now.bytes == then.bytes && now.mtime_ns == then.mtime_ns &&
         (now.inode == then.inode || now.ctime_ns == then.ctime_ns);
}

}  // namespace

struct Walk::Listing {
  std::vector<std::string> files;     // candidates, sorted
  std::vector<std::string> excluded;  // files left alone, sorted
  std::vector<std::string> folders;   // to walk, sorted
  bool complete = true;
  bool empty = true;
};

Walk::Walk(catalog::Catalog& catalog, const IngestOptions& options, const std::string& library_dir,
           WalkCounters& counters)
    : catalog_(catalog), options_(options), rules_(options.exclude), counters_(counters) {
  struct stat info;
  if (::stat(library_dir.c_str(), &info) == 0) library_ = {info.st_dev, info.st_ino};
}

WalkFindings Walk::run(std::span<const std::string> roots, const Sink& sink, std::stop_token stop) {
  const auto begin = std::chrono::steady_clock::now();
  sink_ = &sink;
  stop_ = std::move(stop);
  std::vector<std::string> folders;
  for (const std::string& root : roots) {
    struct stat info;
    if (::stat(root.c_str(), &info) == 0 && !S_ISDIR(info.st_mode)) {
      if (!stopped_ && named_files_.insert(root).second) walk_file_root(root);
    } else {
      folders.push_back(root);
    }
  }
  for (const std::string& root : folders) {
    if (!stopped_) walk_root(root);
  }
  auto& missing = findings_.missing;  // nested roots can both miss a folder
  std::sort(missing.begin(), missing.end(), [](const auto& a, const auto& b) { return a.file < b.file; });
  missing.erase(
      std::unique(missing.begin(), missing.end(), [](const auto& a, const auto& b) { return a.file == b.file; }),
      missing.end());
  findings_.complete = !stopped_;
  findings_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return std::move(findings_);
}

void Walk::fail(const std::string& path, const char* action, int reason) {
  const Error error = errno_error(action, path, reason);
  findings_.failures.push_back({path, std::string(error_code_name(error.code())), error.what()});
}

void Walk::walk_root(const std::string& root) {
  struct stat info;
  if (::stat(root.c_str(), &info) != 0) return root_unreachable(root, errno);
  if (!S_ISDIR(info.st_mode)) return fail(root, "read folder", ENOTDIR);
  const auto before = catalog_.root(root);
  const catalog::Root now{root, info.st_dev, info.st_ino, before ? before->complete_run : 0};
  if (is_empty_mount_point(now, before)) return root_unreachable(root, ENXIO);
  root_ = root;
  root_last_run_ = catalog_.last_run_that_walked(root);
  std::vector<std::string> pending{root};
  while (!pending.empty() && !stopped_) {
    const std::string path = std::move(pending.back());
    pending.pop_back();
    walk_folder(path, pending);
    stopped_ = stopped_ || stop_.stop_requested();
  }
  if (stopped_) return;
  conclude_vanished_folders(root);
  if (!is_unknown(root, root)) findings_.walked_roots.push_back(now);
}

// The folder on which a disk is mounted is still there without the disk, but it is another one, and empty.
bool Walk::is_empty_mount_point(const catalog::Root& now, const std::optional<catalog::Root>& before) {
  if (!before || (before->device == now.device && before->inode == now.inode)) return false;
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(now.path.c_str()), ::closedir);
  if (dir == nullptr) return false;
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") return false;
  }
  return !catalog_.folders_at_or_below(now.path).empty();
}

void Walk::root_unreachable(const std::string& root, int reason) {
  const bool nothing_there = reason == ENOENT || reason == ENOTDIR;
  if (const auto file = catalog_.find_file(root); file && nothing_there) {
    struct stat info;
    if (::stat(catalog::split_path(root).folder.c_str(), &info) == 0) {
      findings_.missing.push_back({file->id, catalog_.last_run_that_walked(root)});
      return fail(root, "read", reason);
    }
  }
  findings_.offline_roots.push_back(root);
  if (reason == ENXIO) {
    findings_.failures.push_back({root, std::string(error_code_name(ErrorCode::kNotFound)),
                                  "folder " + root + " is empty and not the one indexed before: is its disk mounted?"});
  } else {
    fail(root, "reach", reason);
  }
}

void Walk::walk_file_root(const std::string& path) {
  struct stat info;
  if (::stat(path.c_str(), &info) != 0) return fail(path, "read", errno);
  if (!S_ISREG(info.st_mode)) {
    findings_.failures.push_back(
        {path, std::string(error_code_name(ErrorCode::kUnsupported)), path + " is neither a file nor a folder"});
    return;
  }
  const auto known = catalog_.find_file(path);
  classify(path, stamp_of(info), known ? &*known : nullptr);
}

void Walk::walk_folder(const std::string& path, std::vector<std::string>& pending) {
  const int no_follow = options_.follow_symlinks || path == root_ ? 0 : O_NOFOLLOW;
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | no_follow));
  struct stat info;
  if (fd.get() < 0 || ::fstat(fd.get(), &info) != 0) {
    const int reason = errno;
    if (reason == ENOENT) return;  // gone since its parent was read
    unknown_.insert(path);
    return fail(path, "read folder", reason);
  }
  const FolderKey key{info.st_dev, info.st_ino};
  if (key == library_ || !visited_.insert(key).second) {
    if (!visited_paths_.contains(path)) unknown_.insert(path);
    return;
  }
  Listing listing = read_folder(fd.get(), path);
  visited_paths_.insert(path);
  classify_folder(fd.get(), path, listing);
  for (auto name = listing.folders.rbegin(); name != listing.folders.rend(); ++name) {
    pending.push_back(catalog::join_path(path, *name));
  }
}

Walk::Listing Walk::read_folder(int fd, const std::string& path) {
  Listing listing;
  const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(copy >= 0 ? ::fdopendir(copy) : nullptr, ::closedir);
  if (dir == nullptr) {
    listing.complete = false;
    unknown_.insert(path);
    fail(path, "read folder", errno);
    return listing;
  }
  const std::string prefix = path == root_ ? "" : path.substr(catalog::join_path(root_, "").size()) + '/';
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(dir.get());
    if (entry == nullptr) {
      if (errno != 0) {
        listing.complete = false;
        fail(path, "read folder", errno);
      }
      break;
    }
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    unsigned char type = entry->d_type;
    struct stat info;
    if (type == DT_UNKNOWN || (type == DT_LNK && options_.follow_symlinks)) {
      const int flags = options_.follow_symlinks ? 0 : AT_SYMLINK_NOFOLLOW;
      if (::fstatat(fd, name.c_str(), &info, flags) == 0) type = IFTODT(info.st_mode);
    }
    const bool is_folder = type == DT_DIR;
    if (!is_folder && type != DT_REG && type != DT_LNK) continue;
    const bool excluded = rules_.excludes(prefix + name, name, is_folder);
    if (is_folder && !excluded) {
      listing.folders.push_back(name);
    } else if (is_folder || type == DT_LNK) {
      unknown_.insert(catalog::join_path(path, name));  // an excluded folder, or a link that is not followed
      if (type == DT_LNK && options_.follow_symlinks && !excluded && has_image_extension(name)) {
        fail(catalog::join_path(path, name), "follow", ENOENT);
      }
    } else if (excluded) {
      listing.excluded.push_back(name);
    } else if (has_image_extension(name)) {
      listing.files.push_back(name);
    }
  }
  for (auto* names : {&listing.files, &listing.excluded, &listing.folders}) std::sort(names->begin(), names->end());
  return listing;
}

void Walk::classify_folder(int fd, const std::string& path, Listing& listing) {
  const std::vector<KnownFile> known = catalog_.folder_files(path);
  // A file that is known is looked at whatever its name is, since it was once named by the user.
  const std::size_t listed = listing.files.size();
  const auto has = [](auto begin, auto end, const std::string& name) { return std::binary_search(begin, end, name); };
  for (const KnownFile& file : known) {
    if (!has(listing.excluded.begin(), listing.excluded.end(), file.name) &&
        !has(listing.files.begin(), listing.files.begin() + std::ptrdiff_t(listed), file.name)) {
      listing.files.push_back(file.name);
    }
  }
  std::inplace_merge(listing.files.begin(), listing.files.begin() + std::ptrdiff_t(listed), listing.files.end());
  auto next_known = known.begin();
  for (const std::string& name : listing.files) {
    if (stopped_) return;
    while (next_known != known.end() && next_known->name < name) ++next_known;
    const KnownFile* file = next_known != known.end() && next_known->name == name ? &*next_known : nullptr;
    struct stat info;
    const int flags = options_.follow_symlinks ? 0 : AT_SYMLINK_NOFOLLOW;
    const int result = ::fstatat(fd, name.c_str(), &info, flags);
    if (result == 0 && S_ISREG(info.st_mode)) {
      std::string whole = catalog::join_path(path, name);
      if (!named_files_.contains(whole)) classify(whole, stamp_of(info), file);
    } else if (result != 0 && errno != ENOENT) {
      fail(catalog::join_path(path, name), "read", errno);
    } else if (file != nullptr && listing.complete) {
      findings_.missing.push_back({file->id, root_last_run_});
    }
  }
}

void Walk::classify(const std::string& path, const FileStamp& stamp, const KnownFile* known) {
  counters_.seen.fetch_add(1, std::memory_order_relaxed);
  bool read = known == nullptr || !is_unchanged(stamp, known->stamp);
  if (!read && known->failed) read = options_.retry_failed || stamp.ctime_ns != known->stamp.ctime_ns;
  if (read) {
    counters_.to_do.fetch_add(1, std::memory_order_relaxed);
    if (!(*sink_)(WalkItem{sequence_++, path, stamp})) stopped_ = true;
    return;
  }
  counters_.unchanged.fetch_add(1, std::memory_order_relaxed);
  if (known->failed) ++findings_.failed_before;
  if (known->state != FileState::kPresent) findings_.present_again.push_back(known->id);
}

// A folder of the catalog below the root that the walk did not meet is gone, unless something above it was left alone.
void Walk::conclude_vanished_folders(const std::string& root) {
  for (const std::string& folder : catalog_.folders_at_or_below(root)) {
    if (visited_paths_.contains(folder) || is_unknown(folder, root)) continue;
    for (const KnownFile& file : catalog_.folder_files(folder)) findings_.missing.push_back({file.id, root_last_run_});
  }
}

bool Walk::is_unknown(const std::string& folder, const std::string& root) const {
  for (std::string path = folder; path.size() >= root.size(); path = catalog::split_path(path).folder) {
    if (unknown_.contains(path)) return true;
    if (path.size() <= 1) break;
  }
  return false;
}

}  // namespace tessera::ingest
