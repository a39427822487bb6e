// Steps of file actions on disk, in the journal and in the catalog.
#include "curation/file_steps.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "catalog/paths.h"
#include "curation/moving.h"
#include "curation/trash_can.h"
#include "tessera/error.h"

namespace tessera::curation {
namespace {

catalog::FileStamp stamp_of(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return {};
  const auto ns = [](const timespec& time) { return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; };
  return {static_cast<std::uint64_t>(status.st_size), ns(status.st_mtim), ns(status.st_ctim),
          static_cast<std::uint64_t>(status.st_ino)};
}

ContentHash hash_of(Rows& rows, std::int64_t content) {
  catalog::Statement& select = rows.statement("SELECT hash, bytes FROM contents WHERE id = ?1");
  ContentHash hash;
  if (select.bind(1, content).step()) hash = column_content(select, 0, 1);
  select.reset();
  return hash;
}

// The catalog's row of a file that is at `path` now, if the library still knows its content.
void put_present(Curation::Impl& curation, const std::filesystem::path& path, std::int64_t content) {
  const std::string at = catalog::stored_path(path);
  auto image = curation.catalog.find_path(at);
  if (!image && content != 0) {
    const auto known = curation.catalog.find_content(hash_of(curation.rows, content));
    if (known) image = known->id;
  }
  if (image) curation.catalog.put_file(at, stamp_of(path), *image, 0);
}

void add_trashed(Rows& rows, const FileStep& step) {
  if (step.content == 0) return;
  const catalog::SplitPath split = catalog::split_path(catalog::stored_path(step.from));
  rows.statement(
          "INSERT OR REPLACE INTO trashed (folder, name, place, info, content, time_ns) VALUES (?1, ?2, ?3, ?4, ?5, "
          "?6)")
      .bind_blob(1, split.folder)
      .bind_blob(2, split.name)
      .bind_blob(3, step.to.native())
      .bind_blob(4, step.info.native())
      .bind(5, step.content)
      .bind(6, now_ns())
      .run();
}

void remove_trashed(Rows& rows, const std::filesystem::path& place) {
  rows.statement("DELETE FROM trashed WHERE place = ?1").bind_blob(1, place.native()).run();
}

void set_missing(Curation::Impl& curation, const std::filesystem::path& path) {
  const catalog::SplitPath split = catalog::split_path(catalog::stored_path(path));
  curation.rows
      .statement("UPDATE files SET state = 1 WHERE name = ?2 AND folder = (SELECT id FROM folders WHERE path = ?1)")
      .bind_blob(1, split.folder)
      .bind_blob(2, split.name)
      .run();
}

// What the catalog knows after a step was done (`forward`) or taken back.
void follow(Curation::Impl& curation, const FileStep& step, bool forward) {
  switch (step.kind) {
    case FileStepKind::kTrash:
      if (forward) {
        set_missing(curation, step.from);
        add_trashed(curation.rows, step);
      } else {
        remove_trashed(curation.rows, step.to);
        put_present(curation, step.from, step.content);
      }
      return;
    case FileStepKind::kRestore:
      if (forward) {
        remove_trashed(curation.rows, step.from);
        put_present(curation, step.to, step.content);
      } else {
        set_missing(curation, step.to);
        FileStep as_trash = step;
        std::swap(as_trash.from, as_trash.to);
        add_trashed(curation.rows, as_trash);
      }
      return;
    case FileStepKind::kMove: {
      const auto& from = forward ? step.from : step.to;
      const auto& to = forward ? step.to : step.from;
      curation.catalog.relocate(catalog::stored_path(from), catalog::stored_path(to));
      put_present(curation, to, step.content);
      return;
    }
    case FileStepKind::kCopy:
    case FileStepKind::kSymlink:
      if (!forward) set_missing(curation, step.to);
      return;
  }
}

void write_step(Rows& rows, JournalId entry, const FileStep& step) {
  rows.statement(
          "INSERT OR REPLACE INTO journal_steps (entry, step, kind, a, b, before, after, detail, done) "
          "VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6, ?7, ?8)")
      .bind(1, entry)
      .bind(2, step.step)
      .bind(3, static_cast<int>(step.kind))
      .bind(4, step.content)
      .bind_blob(5, step.from.native())
      .bind_blob(6, step.to.native())
      .bind_blob(7, step.info.native())
      .bind(8, static_cast<int>(step.state))
      .run();
}

void trash_file(const std::filesystem::path& file, std::filesystem::path& place, std::filesystem::path& info) {
  const TrashPlace reserved = reserve_trash_place(file);
  try {
    rename_new(file, reserved.file);
  } catch (...) {
    release_trash_place(reserved);
    throw;
  }
  place = reserved.file;
  info = reserved.info;
}

// Out of the trash; the parent folder is made again where it has gone.
void restore_file(const std::filesystem::path& place, const std::filesystem::path& info,
                  const std::filesystem::path& to) {
  make_folders(to.parent_path());
  move_file(place, to);
  ::unlink(info.c_str());
}

void make_symlink(const std::filesystem::path& target, const std::filesystem::path& link) {
  if (::symlink(target.c_str(), link.c_str()) == 0) return;
  if (errno == EEXIST) throw Error(ErrorCode::kInvalidArgument, link.string() + " is there already");
  throw errno_error("link", link.string(), errno);
}

void remove_symlink(const std::filesystem::path& target, const std::filesystem::path& link) {
  std::error_code error;
  if (std::filesystem::read_symlink(link, error) != target || error) {
    throw Error(ErrorCode::kInvalidArgument, link.string() + " is no longer the link that was made");
  }
  if (::unlink(link.c_str()) != 0) throw errno_error("remove link", link.string(), errno);
}

bool happened(const FileStep& step) {
  switch (step.kind) {
    case FileStepKind::kCopy: return is_there(step.to) && is_there(step.from) && same_bytes(step.from, step.to);
    case FileStepKind::kSymlink: {
      std::error_code error;
      return std::filesystem::read_symlink(step.to, error) == step.from && !error;
    }
    // With both there, a copy between file systems was not finished, and the original counts.
    default: return is_there(step.to) && !is_there(step.from);
  }
}

}  // namespace

bool is_file_step(std::int64_t kind) noexcept { return kind >= static_cast<int>(FileStepKind::kTrash); }

bool has_file_steps(Rows& rows, JournalId entry) {
  catalog::Statement& select = rows.statement("SELECT kind FROM journal_steps WHERE entry = ?1 LIMIT 1");
  const bool found = select.bind(1, entry).step() && is_file_step(select.column_int(0));
  select.reset();
  return found;
}

catalog::WriterLock lock_actions(const std::filesystem::path& library_dir) {
  return catalog::WriterLock(library_dir, "actions.lock");
}

JournalId plan_entry(Curation::Impl& curation, std::string_view title, const std::vector<FileStep>& steps) {
  catalog::Transaction transaction(curation.db, catalog::Transaction::Kind::kWrite);
  const JournalId entry = add_entry(curation.rows, title, EntryState::kRunning);
  for (const FileStep& step : steps) write_step(curation.rows, entry, step);
  transaction.commit();
  return entry;
}

void perform(FileStep& step) {
  switch (step.kind) {
    case FileStepKind::kTrash:
      if (step.to.empty() || !is_there(step.info)) {
        trash_file(step.from, step.to, step.info);
      } else {
        rename_new(step.from, step.to);
      }
      break;
    case FileStepKind::kRestore: restore_file(step.from, step.info, step.to); break;
    case FileStepKind::kMove: move_file(step.from, step.to); break;
    case FileStepKind::kCopy: copy_new(step.from, step.to); break;
    case FileStepKind::kSymlink: make_symlink(step.from, step.to); break;
  }
  step.state = StepState::kDone;
}

void take_back(FileStep& step) {
  switch (step.kind) {
    case FileStepKind::kTrash: restore_file(step.to, step.info, step.from); break;
    case FileStepKind::kRestore: trash_file(step.to, step.from, step.info); break;
    case FileStepKind::kMove:
      make_folders(step.from.parent_path());
      move_file(step.to, step.from);
      break;
    case FileStepKind::kCopy: {  // also a copy is not deleted
      std::filesystem::path place, info;
      trash_file(step.to, place, info);
      break;
    }
    case FileStepKind::kSymlink: remove_symlink(step.from, step.to); break;
  }
  step.state = StepState::kPlanned;
}

void settle_entry(Curation::Impl& curation, JournalId entry, const std::vector<FileStep>& steps, EntryState state,
                  std::string_view title) {
  const std::vector<FileStep> before = read_steps(curation.rows, entry);
  catalog::Transaction transaction(curation.db, catalog::Transaction::Kind::kWrite);
  for (const FileStep& step : steps) {
    const auto old = std::find_if(before.begin(), before.end(), [&](const FileStep& s) { return s.step == step.step; });
    const bool was_done = old != before.end() && old->state == StepState::kDone;
    const bool is_done = step.state == StepState::kDone;
    if (was_done != is_done) follow(curation, step, is_done);
    write_step(curation.rows, entry, step);
  }
  set_entry_state(curation.rows, entry, state);
  if (!title.empty()) {
    curation.rows.statement("UPDATE journal SET title = ?2 WHERE id = ?1").bind(1, entry).bind_text(2, title).run();
  }
  next_generation(curation.rows);
  transaction.commit();
}

std::vector<FileStep> read_steps(Rows& rows, JournalId entry) {
  catalog::Statement& select = rows.statement(
      "SELECT step, kind, a, before, after, detail, done FROM journal_steps WHERE entry = ?1 ORDER BY step");
  select.bind(1, entry);
  std::vector<FileStep> steps;
  while (select.step()) {
    if (!is_file_step(select.column_int(1))) continue;
    steps.push_back({select.column_int(0), static_cast<FileStepKind>(select.column_int(1)), select.column_int(2),
                     select.column_string(3), select.column_string(4), select.column_string(5),
                     static_cast<StepState>(select.column_int(6))});
  }
  select.reset();
  return steps;
}

std::optional<FileStep> trashed_sidecar(Rows& rows, const std::filesystem::path& place) {
  catalog::Statement& select = rows.statement(
      "SELECT s.before, s.after, s.detail FROM journal_steps f JOIN journal_steps s ON s.entry = f.entry AND "
      "s.step = f.step + 1 WHERE f.kind = ?1 AND f.after = ?2 AND f.done = 1 AND s.kind = ?1 AND s.a = 0 AND "
      "s.done = 1 ORDER BY f.entry DESC LIMIT 1");
  std::optional<FileStep> found;
  if (select.bind(1, static_cast<int>(FileStepKind::kTrash)).bind_blob(2, place.native()).step()) {
    FileStep step;
    step.from = select.column_string(0);
    step.to = select.column_string(1);
    step.info = select.column_string(2);
    if (step.from.extension() == ".xmp" || step.from.extension() == ".XMP") found = std::move(step);
  }
  select.reset();
  return found;
}

void replay_files(Curation::Impl& curation, JournalEntry& entry, Direction direction) {
  const catalog::WriterLock lock = lock_actions(curation.dir);
  const bool undo = direction == Direction::kUndo;
  std::vector<FileStep> steps = read_steps(curation.rows, entry.id);
  {
    catalog::Transaction transaction(curation.db, catalog::Transaction::Kind::kWrite);
    set_entry_state(curation.rows, entry.id, EntryState::kRunning);
    transaction.commit();
  }
  if (undo) std::reverse(steps.begin(), steps.end());
  std::int64_t changed = 0;
  for (FileStep& step : steps) {
    if (step.state != (undo ? StepState::kDone : StepState::kPlanned)) continue;
    try {
      undo ? take_back(step) : perform(step);
      ++changed;
    } catch (const Error& error) {
      entry.problems.emplace_back(error.what());
    }
  }
  // Where nothing could be done the entry stays what it was.
  const bool stays = changed == 0 && !entry.problems.empty();
  const EntryState state = undo != stays ? EntryState::kUndone : EntryState::kDone;
  settle_entry(curation, entry.id, steps, state);
  if (stays) throw Error(ErrorCode::kIo, "'" + entry.title + "': " + entry.problems.front());
}

void reconcile(Curation::Impl& curation) {
  catalog::Statement& select = curation.rows.statement("SELECT id FROM journal WHERE state = ?1 ORDER BY id");
  select.bind(1, static_cast<int>(EntryState::kRunning));
  std::vector<JournalId> running;
  while (select.step()) running.push_back(select.column_int(0));
  select.reset();
  if (running.empty()) return;
  try {
    const catalog::WriterLock lock = lock_actions(curation.dir);
    for (const JournalId entry : running) {
      std::vector<FileStep> steps = read_steps(curation.rows, entry);
      bool was_done = false, is_done = false;
      for (FileStep& step : steps) {
        was_done |= step.state == StepState::kDone;
        const bool copied_in_part = step.kind == FileStepKind::kCopy || step.kind == FileStepKind::kMove;
        if (copied_in_part) ::unlink(part_of(step.to).c_str());
        step.state = happened(step)                     ? StepState::kDone
                     : step.state == StepState::kFailed ? StepState::kFailed
                                                        : StepState::kPlanned;
        if (step.kind == FileStepKind::kTrash && step.state != StepState::kDone && !is_there(step.to)) {
          ::unlink(step.info.c_str());
        }
        is_done |= step.state == StepState::kDone;
      }
      settle_entry(curation, entry, steps,
                   is_done    ? EntryState::kDone
                   : was_done ? EntryState::kUndone
                              : EntryState::kFailed);
    }
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kBusy) throw;  // its process is alive
  }
}

}  // namespace tessera::curation
