// Trash, restore, copy, move and link, planned in the journal first.
#include "tessera/indexer/file_actions.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "catalog/paths.h"
#include "curation/file_steps.h"
#include "curation/moving.h"
#include "curation/trash_can.h"
#include "tessera/image.h"
#include "tessera/indexer/xmp.h"

namespace tessera {
namespace {

using curation::FileStep;
using curation::FileStepKind;
using curation::StepState;

struct stat examine(const std::filesystem::path& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) throw errno_error("examine", path.string(), errno);
  return status;
}

void require_file(const std::filesystem::path& path) {
  const struct stat status = examine(path);
  if (!S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode)) {
    throw Error(ErrorCode::kInvalidArgument, path.string() + " is no file");
  }
}

std::string files_text(std::size_t count) { return std::to_string(count) + (count == 1 ? " file" : " files"); }

// Runs one action: collects the steps it is to have, plans, performs and settles them.
class Action {
 public:
  Action(Curation::Impl& curation, ActionObserver observer, std::stop_token stop)
      : curation_(curation),
        lock_((curation.require_writer(), curation::lock_actions(curation.dir))),
        observer_(std::move(observer)),
        stop_(std::move(stop)) {}

  Curation::Impl& curation() { return curation_; }
  bool stopped() const { return stop_.stop_requested(); }

  // What `make` throws is the file's failure.
  template <typename Make>
  bool add(const std::filesystem::path& file, const Make& make) {
    try {
      FileStep step = make();
      step.step = static_cast<std::int64_t>(steps_.size()) + 1;
      if (step.content == 0 && !step.companion) step.content = content_of(file);
      steps_.push_back(std::move(step));
      return true;
    } catch (const Error& error) {
      fail(file, error);
      return false;
    }
  }

  // Of the content that the catalog has for the path; 0 if it has none.
  std::int64_t content_of(const std::filesystem::path& file) {
    const auto image = curation_.catalog.find_path(catalog::stored_path(file));
    if (!image) return 0;
    const auto record = curation_.catalog.image(*image);
    if (!record || record->hash == ContentHash{}) return 0;
    catalog::Transaction transaction(curation_.db, catalog::Transaction::Kind::kWrite);
    const std::int64_t content = curation_.rows.content(record->hash);
    transaction.commit();
    return content;
  }

  // "moved to the trash" becomes "moved to the trash: 3 files".
  ActionReport run(const std::string& title) {
    if (steps_.empty()) return std::move(report_);
    const auto full_title = [&title](std::size_t count) { return title + ": " + files_text(count); };
    const auto total = std::count_if(steps_.begin(), steps_.end(), [](const FileStep& s) { return !s.companion; });
    report_.entry = curation::plan_entry(curation_, full_title(static_cast<std::size_t>(total)), steps_);
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      FileStep& step = steps_[i];
      if (step.companion && steps_[i - 1].state != StepState::kDone) {
        give_up(step);
        continue;
      }
      if (stopped()) {
        give_up(step, Error(ErrorCode::kCancelled, step.from.string() + ": stopped"));
        continue;
      }
      try {
        curation::perform(step);
        if (step.companion) continue;
        report_.results.push_back(step.to);
        ++report_.done;
      } catch (const Error& error) {
        give_up(step, error);
      }
      if (observer_) observer_(report_.done, total);
    }
    const bool any = report_.done > 0;
    curation::settle_entry(curation_, report_.entry, steps_, any ? EntryState::kDone : EntryState::kFailed,
                           full_title(static_cast<std::size_t>(any ? report_.done : total)));
    if (!any) report_.entry = 0;
    return std::move(report_);
  }

 private:
  void fail(const std::filesystem::path& file, const Error& error) {
    report_.failed.push_back({file, error.code(), error.what()});
  }

  void give_up(FileStep& step) {
    step.state = StepState::kFailed;
    if (step.kind == FileStepKind::kTrash) curation::release_trash_place({step.to, step.info});
  }

  void give_up(FileStep& step, const Error& error) {
    give_up(step);
    fail(step.from, error);
  }

  Curation::Impl& curation_;
  const catalog::WriterLock lock_;
  const ActionObserver observer_;
  const std::stop_token stop_;
  std::vector<FileStep> steps_;
  ActionReport report_;
};

FileStep trash_step(const std::filesystem::path& file) {
  const curation::TrashPlace place = curation::reserve_trash_place(file);
  FileStep step;
  step.kind = FileStepKind::kTrash;
  step.from = file;
  step.to = place.file;
  step.info = place.info;
  return step;
}

// Sidecars that go to the trash with their photos.
class Sidecars {
 public:
  // `going`: the photos, and whatever else goes.
  explicit Sidecars(std::set<std::filesystem::path> going) : going_(std::move(going)) {}

  void add_for(const std::filesystem::path& photo, Action& action) {
    const auto sidecar = find_sidecar(photo);
    if (!sidecar || !belongs(*sidecar, photo) || !going_.insert(*sidecar).second) return;
    action.add(*sidecar, [&] {
      FileStep step = trash_step(*sidecar);
      step.companion = true;
      return step;
    });
  }

 private:
  // "a.xmp" may be the sidecar of "a.raw" too, which stays.
  bool belongs(const std::filesystem::path& sidecar, const std::filesystem::path& photo) const {
    if (sidecar.stem() == photo.filename()) return true;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(photo.parent_path(), error)) {
      const std::filesystem::path& path = entry.path();
      if (path.stem() == photo.stem() && path != sidecar && !going_.contains(path)) return false;
    }
    return !error;
  }

  std::set<std::filesystem::path> going_;
};

std::vector<std::filesystem::path> unique_paths(std::span<const std::filesystem::path> files) {
  std::vector<std::filesystem::path> paths;
  std::set<std::filesystem::path> seen;
  for (const std::filesystem::path& file : files) {
    std::filesystem::path path = catalog::stored_path(file);
    if (seen.insert(path).second) paths.push_back(std::move(path));
  }
  return paths;
}

// Finds out whether a kept content has a file that will stay and can be read.
class Survivors {
 public:
  Survivors(catalog::Catalog& catalog, std::span<const DuplicateFile> going) : catalog_(catalog) {
    for (const DuplicateFile& file : going) {
      struct stat status {};
      if (::lstat(file.file.c_str(), &status) == 0) going_.insert({status.st_dev, status.st_ino});
    }
  }

  // Throws kInvalidArgument with the reason if there is none. Each content is read once.
  void require(const ContentHash& kept) {
    auto [at, first] = found_.try_emplace(kept);
    if (first) at->second = look_for(kept);
    if (!at->second.empty()) throw Error(ErrorCode::kInvalidArgument, at->second);
  }

 private:
  // "" or why there is none.
  std::string look_for(const ContentHash& kept) {
    const auto known = catalog_.find_content(kept);
    const auto record = known ? catalog_.image(known->id) : std::nullopt;
    if (!record) return "the picture to be kept is not in the library";
    std::string reason = "no file of the picture to be kept would stay";
    for (const FileRecord& file : record->files) {
      struct stat status {};
      if (::lstat(file.path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
      if (going_.contains({status.st_dev, status.st_ino})) continue;
      try {
        if (hash_content(read_file(file.path)) == kept) return "";
        reason = "the file to be kept, " + file.path.string() + ", has changed since it was indexed";
      } catch (const Error& error) {
        reason = std::string("the file to be kept cannot be read: ") + error.what();
      }
    }
    return reason;
  }

  catalog::Catalog& catalog_;
  std::set<std::pair<dev_t, ino_t>> going_;
  std::map<ContentHash, std::string> found_;
};

void require_unchanged(catalog::Catalog& catalog, const std::filesystem::path& file) {
  const auto known = catalog.find_file(catalog::stored_path(file));
  if (!known) throw Error(ErrorCode::kNotFound, file.string() + " is not in the library");
  const struct stat status = examine(file);
  const std::int64_t mtime = std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
  if (!S_ISREG(status.st_mode) || static_cast<std::uint64_t>(status.st_size) != known->stamp.bytes ||
      mtime != known->stamp.mtime_ns) {
    throw Error(ErrorCode::kInvalidArgument, file.string() + " has changed since it was indexed");
  }
}

const char* transfer_title(Transfer how) {
  switch (how) {
    case Transfer::kCopy: return "copied to ";
    case Transfer::kMove: return "moved to ";
    case Transfer::kSymlink: return "linked in ";
  }
  return "";
}

FileStepKind step_kind(Transfer how) {
  return how == Transfer::kCopy   ? FileStepKind::kCopy
         : how == Transfer::kMove ? FileStepKind::kMove
                                  : FileStepKind::kSymlink;
}

constexpr const char* kTrashed =
    "SELECT t.id, t.folder, t.name, t.place, c.hash, c.bytes, t.time_ns, t.info, t.content FROM trashed t "
    "JOIN contents c ON c.id = t.content ORDER BY t.id DESC";

}  // namespace

ActionReport FileActions::trash(std::span<const std::filesystem::path> files, const ActionObserver& observer,
                                std::stop_token stop) {
  Action action(curation_.impl(), observer, std::move(stop));
  const std::vector<std::filesystem::path> paths = unique_paths(files);
  Sidecars sidecars({paths.begin(), paths.end()});
  for (const std::filesystem::path& file : paths) {
    const bool added = action.add(file, [&] {
      require_file(file);
      return trash_step(file);
    });
    if (added) sidecars.add_for(file, action);
  }
  return action.run("moved to the trash");
}

ActionReport FileActions::trash_duplicates(std::span<const DuplicateFile> files, const ActionObserver& observer,
                                           std::stop_token stop) {
  Action action(curation_.impl(), observer, std::move(stop));
  Survivors survivors(action.curation().catalog, files);
  std::set<std::filesystem::path> seen;
  std::set<std::filesystem::path> going;
  for (const DuplicateFile& file : files) going.insert(catalog::stored_path(file.file));
  Sidecars sidecars(std::move(going));
  for (const DuplicateFile& file : files) {
    if (action.stopped()) break;
    const std::filesystem::path path = catalog::stored_path(file.file);
    if (!seen.insert(path).second) continue;
    const bool added = action.add(path, [&] {
      require_unchanged(action.curation().catalog, path);
      survivors.require(file.kept);
      return trash_step(path);
    });
    if (added) sidecars.add_for(path, action);
  }
  return action.run("duplicates moved to the trash");
}

std::vector<TrashedFile> FileActions::trashed() const {
  catalog::Statement& select = curation_.impl().rows.statement(kTrashed);
  std::vector<TrashedFile> found;
  while (select.step()) {
    TrashedFile file;
    file.id = select.column_int(0);
    file.path = catalog::join_path(select.column_bytes(1), select.column_bytes(2));
    file.place = select.column_string(3);
    file.content = curation::column_content(select, 4, 5);
    file.time_ns = select.column_int(6);
    file.in_place = curation::is_there(file.place);
    found.push_back(std::move(file));
  }
  select.reset();
  return found;
}

ActionReport FileActions::restore(std::span<const std::int64_t> trashed_ids) {
  Action action(curation_.impl(), {}, {});
  struct Found {
    std::filesystem::path path, place, info;
    std::int64_t content = 0;
  };
  std::map<std::int64_t, Found> known;
  catalog::Statement& select = curation_.impl().rows.statement(kTrashed);
  while (select.step()) {
    known[select.column_int(0)] = {catalog::join_path(select.column_bytes(1), select.column_bytes(2)),
                                   select.column_string(3), select.column_string(7), select.column_int(8)};
  }
  select.reset();
  for (const std::int64_t id : std::set<std::int64_t>(trashed_ids.begin(), trashed_ids.end())) {
    const auto found = known.find(id);
    const std::filesystem::path path = found != known.end() ? found->second.path : std::filesystem::path();
    const bool added = action.add(path, [&] {
      if (found == known.end()) {
        throw Error(ErrorCode::kNotFound, "nothing with the number " + std::to_string(id) + " is in the trash");
      }
      if (!curation::is_there(found->second.place)) {
        throw Error(ErrorCode::kNotFound, path.string() + " is no longer in the trash");
      }
      if (curation::is_there(path)) throw Error(ErrorCode::kInvalidArgument, path.string() + " is there again");
      FileStep step;
      step.kind = FileStepKind::kRestore;
      step.content = found->second.content;
      step.from = found->second.place;
      step.to = path;
      step.info = found->second.info;
      return step;
    });
    if (!added) continue;
    const auto sidecar = curation::trashed_sidecar(curation_.impl().rows, found->second.place);
    if (!sidecar || !curation::is_there(sidecar->to)) continue;
    action.add(sidecar->from, [&] {
      if (curation::is_there(sidecar->from)) {
        throw Error(ErrorCode::kInvalidArgument, sidecar->from.string() + " is there again");
      }
      FileStep step;
      step.kind = FileStepKind::kRestore;
      step.from = sidecar->to;
      step.to = sidecar->from;
      step.info = sidecar->info;
      step.companion = true;
      return step;
    });
  }
  return action.run("restored from the trash");
}

ActionReport FileActions::transfer(std::span<const std::filesystem::path> files, const std::filesystem::path& folder,
                                   Transfer how, const ActionObserver& observer, std::stop_token stop) {
  Action action(curation_.impl(), observer, std::move(stop));
  const std::filesystem::path target = catalog::stored_path(folder);
  curation::make_folders(target);
  std::set<std::filesystem::path> taken;
  for (const std::filesystem::path& file : unique_paths(files)) {
    action.add(file, [&] {
      require_file(file);
      if (how == Transfer::kMove && file.parent_path() == target) {
        throw Error(ErrorCode::kInvalidArgument, file.string() + " is in that folder already");
      }
      FileStep step;
      step.kind = step_kind(how);
      step.from = file;
      for (int number = 1; step.to.empty(); ++number) {
        std::filesystem::path name = target / curation::numbered_name(file.filename().native(), number);
        if (!curation::is_there(name) && taken.insert(name).second) step.to = std::move(name);
      }
      return step;
    });
  }
  return action.run(transfer_title(how) + target.string());
}

}  // namespace tessera
