// Catalog: files, folders, roots and runs.
#include <algorithm>
#include <string>

#include "catalog/catalog.h"
#include "catalog/paths.h"
#include "tessera/error.h"

namespace tessera::catalog {
namespace {

constexpr std::string_view kFileColumns =
    "f.id, f.name, f.bytes, f.mtime_ns, f.ctime_ns, f.inode, f.state, i.segment IS NULL";

KnownFile read_file_row(const Statement& row) {
  KnownFile file;
  file.id = row.column_int(0);
  file.name = row.column_string(1);
  file.stamp = {static_cast<std::uint64_t>(row.column_int(2)), row.column_int(3), row.column_int(4),
                static_cast<std::uint64_t>(row.column_int(5))};
  file.state = static_cast<FileState>(row.column_int(6));
  file.failed = row.column_int(7) != 0;
  return file;
}

}  // namespace

std::vector<KnownFile> Catalog::folder_files(std::string_view folder) {
  Statement& select =
      cached(cache_.folder_files, "SELECT " + std::string(kFileColumns) +
                                      " FROM folders d JOIN files f ON f.folder = d.id JOIN images i ON i.id = f.image "
                                      "WHERE d.path = ?1 ORDER BY f.name");
  select.bind_blob(1, folder);
  std::vector<KnownFile> files;
  while (select.step()) files.push_back(read_file_row(select));
  select.reset();
  return files;
}

std::optional<KnownFile> Catalog::find_file(std::string_view path) {
  const SplitPath split = split_path(path);
  Statement select = db_.prepare("SELECT " + std::string(kFileColumns) +
                                 " FROM folders d JOIN files f ON f.folder = d.id JOIN images i ON i.id = f.image "
                                 "WHERE d.path = ?1 AND f.name = ?2");
  select.bind_blob(1, split.folder).bind_blob(2, split.name);
  if (!select.step()) return std::nullopt;
  return read_file_row(select);
}

std::optional<ImageId> Catalog::find_path(std::string_view path) {
  const SplitPath split = split_path(path);
  Statement select =
      db_.prepare("SELECT f.image FROM folders d JOIN files f ON f.folder = d.id WHERE d.path = ?1 AND f.name = ?2");
  select.bind_blob(1, split.folder).bind_blob(2, split.name);
  if (!select.step()) return std::nullopt;
  return select.column_int(0);
}

bool Catalog::is_missing(std::int64_t file) {
  Statement select = db_.prepare("SELECT state FROM files WHERE id = ?1");
  select.bind(1, file);
  return select.step() && select.column_int(0) == static_cast<int>(FileState::kMissing);
}

std::vector<std::string> Catalog::folders_at_or_below(std::string_view path) {
  const PathRange range = below(path);
  Statement select =
      db_.prepare("SELECT path FROM folders WHERE path = ?1 OR (path >= ?2 AND path < ?3) ORDER BY path");
  select.bind_blob(1, path).bind_blob(2, range.first).bind_blob(3, range.last);
  std::vector<std::string> folders;
  while (select.step()) folders.push_back(select.column_string(0));
  return folders;
}

std::int64_t Catalog::folder_id(std::string_view path) {
  Statement& find = cached(cache_.find_folder, "SELECT id FROM folders WHERE path = ?1");
  find.bind_blob(1, path);
  const bool found = find.step();
  const std::int64_t id = found ? find.column_int(0) : 0;
  find.reset();
  if (found) return id;
  cached(cache_.insert_folder, "INSERT INTO folders (path) VALUES (?1)").bind_blob(1, path).run();
  return db_.last_insert_id();
}

void Catalog::put_file(std::string_view path, const FileStamp& stamp, ImageId image, std::int64_t run) {
  const SplitPath split = split_path(path);
  const std::int64_t folder = folder_id(split.folder);
  cached(cache_.put_file,
         "INSERT INTO files (folder, name, image, bytes, mtime_ns, ctime_ns, inode, state, run) "
         "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8) ON CONFLICT (folder, name) DO UPDATE SET "
         "run = CASE WHEN image = excluded.image THEN run ELSE excluded.run END, image = excluded.image, "
         "bytes = excluded.bytes, mtime_ns = excluded.mtime_ns, ctime_ns = excluded.ctime_ns, inode = excluded.inode, "
         "state = 0")
      .bind(1, folder)
      .bind_blob(2, split.name)
      .bind(3, image)
      .bind(4, stamp.bytes)
      .bind(5, stamp.mtime_ns)
      .bind(6, stamp.ctime_ns)
      .bind(7, stamp.inode)
      .bind(8, run)
      .run();
}

void Catalog::set_present(std::int64_t file) {
  db_.prepare("UPDATE files SET state = 0 WHERE id = ?1").bind(1, file).run();
}

void Catalog::set_missing(std::int64_t file, std::int64_t last_seen_run) {
  db_.prepare("UPDATE files SET state = 1, run = max(run, ?2) WHERE id = ?1 AND state <> 1")
      .bind(1, file)
      .bind(2, last_seen_run)
      .run();
}

std::int64_t Catalog::set_offline_below(std::string_view root) {
  const PathRange range = below(root);
  const auto with_range = [&](const char* sql) {
    Statement statement = db_.prepare(sql);
    statement.bind_blob(1, root).bind_blob(2, range.first).bind_blob(3, range.last);
    return statement;
  };
  with_range(
      "UPDATE files SET state = 2 WHERE state = 0 AND folder IN "
      "(SELECT id FROM folders WHERE path = ?1 OR (path >= ?2 AND path < ?3))")
      .run();
  Statement count = with_range(
      "SELECT count(*) FROM folders d JOIN files f ON f.folder = d.id "
      "WHERE f.state = 2 AND (d.path = ?1 OR (d.path >= ?2 AND d.path < ?3))");
  count.step();
  return count.column_int(0);
}

std::int64_t Catalog::remove_moved_files() {
  db_.execute(
      "DELETE FROM files WHERE state = 1 AND EXISTS "
      "(SELECT 1 FROM files f WHERE f.image = files.image AND f.state = 0 AND f.run > files.run)");
  return db_.changes();
}

std::int64_t Catalog::remove_files(std::string_view path) {
  const PathRange range = below(path);
  const SplitPath split = split_path(path);
  Statement remove = db_.prepare(
      "DELETE FROM files WHERE folder IN (SELECT id FROM folders WHERE path = ?1 OR (path >= ?2 AND path < ?3)) "
      "OR (name = ?5 AND folder = (SELECT id FROM folders WHERE path = ?4))");
  remove.bind_blob(1, path).bind_blob(2, range.first).bind_blob(3, range.last);
  remove.bind_blob(4, split.folder).bind_blob(5, split.name);
  remove.run();
  return db_.changes();
}

std::int64_t Catalog::remove_missing_files() {
  db_.execute("DELETE FROM files WHERE state = 1");
  return db_.changes();
}

void Catalog::move_folder(std::int64_t folder, std::string_view to) {
  const std::int64_t target = folder_id(to);
  if (target == folder) return;
  db_.prepare("DELETE FROM files WHERE folder = ?1 AND name IN (SELECT name FROM files WHERE folder = ?2)")
      .bind(1, target)
      .bind(2, folder)
      .run();
  db_.prepare("UPDATE files SET folder = ?1, state = CASE state WHEN 2 THEN 0 ELSE state END WHERE folder = ?2")
      .bind(1, target)
      .bind(2, folder)
      .run();
}

bool Catalog::relocate_file(std::string_view from, std::string_view to) {
  const auto file = find_file(from);
  if (!file) return false;
  const SplitPath split = split_path(to);
  const std::int64_t folder = folder_id(split.folder);
  db_.prepare("DELETE FROM files WHERE folder = ?1 AND name = ?2 AND id <> ?3")
      .bind(1, folder)
      .bind_blob(2, split.name)
      .bind(3, file->id)
      .run();
  db_.prepare("UPDATE files SET folder = ?1, name = ?2, state = CASE state WHEN 2 THEN 0 ELSE state END WHERE id = ?3")
      .bind(1, folder)
      .bind_blob(2, split.name)
      .bind(3, file->id)
      .run();
  return true;
}

std::int64_t Catalog::relocate(std::string_view from, std::string_view to) {
  const PathRange range = below(from);
  std::vector<std::string> folders = folders_at_or_below(from);
  // Into its own inside from the deepest on, so that no folder arrives where another has yet to leave.
  if (is_below(to, from)) std::reverse(folders.begin(), folders.end());
  std::int64_t moved = relocate_file(from, to) ? 1 : 0;
  for (const std::string& path : folders) {
    const std::int64_t folder = folder_id(path);
    moved += db_.query_int("SELECT count(*) FROM files WHERE folder = " + std::to_string(folder));
    move_folder(folder, path == from ? std::string(to) : join_path(to, path.substr(range.first.size())));
  }
  db_.prepare(
         "UPDATE OR REPLACE roots SET path = CAST(?4 || substr(path, ?5) AS BLOB) "
         "WHERE path = ?1 OR (path >= ?2 AND path < ?3)")
      .bind_blob(1, from)
      .bind_blob(2, range.first)
      .bind_blob(3, range.last)
      .bind_blob(4, to)
      .bind(5, static_cast<std::int64_t>(from.size()) + 1)
      .run();
  return moved;
}

std::int64_t Catalog::next_run() {
  const std::int64_t run = std::stoll(setting("run").value_or("0")) + 1;
  set_setting("run", std::to_string(run));
  return run;
}

std::optional<Root> Catalog::root(std::string_view path) {
  Statement select = db_.prepare("SELECT device, inode, complete_run FROM roots WHERE path = ?1");
  select.bind_blob(1, path);
  if (!select.step()) return std::nullopt;
  return Root{std::string(path), static_cast<std::uint64_t>(select.column_int(0)),
              static_cast<std::uint64_t>(select.column_int(1)), select.column_int(2)};
}

std::int64_t Catalog::last_run_that_walked(std::string_view path) {
  Statement select = db_.prepare("SELECT path, complete_run FROM roots");
  std::int64_t last = 0;
  while (select.step()) {
    const std::string_view root = select.column_bytes(0);
    if (root == path || is_below(path, root)) last = std::max(last, select.column_int(1));
  }
  return last;
}

std::vector<std::filesystem::path> Catalog::root_paths() {
  Statement select = db_.prepare("SELECT path FROM roots ORDER BY path");
  std::vector<std::filesystem::path> paths;
  while (select.step()) paths.emplace_back(select.column_string(0));
  return paths;
}

void Catalog::put_root(const Root& root) {
  db_.prepare(
         "INSERT INTO roots (path, device, inode, complete_run) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (path) DO UPDATE "
         "SET device = excluded.device, inode = excluded.inode, complete_run = max(complete_run, "
         "excluded.complete_run)")
      .bind_blob(1, root.path)
      .bind(2, root.device)
      .bind(3, root.inode)
      .bind(4, root.complete_run)
      .run();
}

}  // namespace tessera::catalog
