// The catalog's tables, version checks and migrations.
#include "catalog/schema.h"

#include <array>
#include <string>
#include <system_error>

#include "tessera/error.h"

namespace tessera::catalog {
namespace {

// files.state and FileState have the same numbers: 0 present, 1 missing, 2 offline.
// images: segment and row are set exactly for encoded pictures; hash is NULL for a file that could not be read at all.
// files.run: of a missing file the last run that knew it present, else the run that gave the path its present content.
// roots.complete_run: the last run that walked the root to its end.
constexpr const char* kVersion1 = R"sql(
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE segments (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  rows INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  checksum INTEGER NOT NULL
);

CREATE TABLE images (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  hash BLOB CHECK (length(hash) = 16),
  bytes INTEGER NOT NULL,
  width INTEGER NOT NULL DEFAULT 0,
  height INTEGER NOT NULL DEFAULT 0,
  format TEXT NOT NULL DEFAULT '',
  token_count INTEGER NOT NULL DEFAULT 0,
  segment INTEGER REFERENCES segments (id),
  row INTEGER,
  error TEXT NOT NULL DEFAULT '',
  error_code TEXT NOT NULL DEFAULT '',
  CHECK ((segment IS NULL) = (row IS NULL)),
  CHECK ((segment IS NULL) = (token_count = 0)),
  CHECK ((segment IS NULL) = (error_code <> ''))
);
CREATE UNIQUE INDEX images_by_content ON images (hash, bytes);
CREATE UNIQUE INDEX images_by_row ON images (segment, row) WHERE segment IS NOT NULL;
CREATE INDEX images_failed ON images (id) WHERE segment IS NULL;

CREATE TABLE folders (
  id INTEGER PRIMARY KEY,
  path BLOB NOT NULL UNIQUE
);

CREATE TABLE files (
  id INTEGER PRIMARY KEY,
  folder INTEGER NOT NULL REFERENCES folders (id),
  name BLOB NOT NULL,
  image INTEGER NOT NULL REFERENCES images (id),
  bytes INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL,
  ctime_ns INTEGER NOT NULL,
  inode INTEGER NOT NULL,
  state INTEGER NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 2),
  run INTEGER NOT NULL,
  UNIQUE (folder, name)
);
CREATE INDEX files_by_image ON files (image);
CREATE INDEX files_not_present ON files (state, image) WHERE state <> 0;

CREATE TABLE roots (
  id INTEGER PRIMARY KEY,
  path BLOB NOT NULL UNIQUE,
  device INTEGER NOT NULL,
  inode INTEGER NOT NULL,
  complete_run INTEGER NOT NULL DEFAULT 0
);
)sql";

// What people decide about pictures. All of it belongs to contents, which are never removed, and so survives files and
// images that are forgotten; tags and collections keep their rows too, since the journal names them.
// images.taken: seconds from 1970 to what the camera's clock showed, as if that were UTC; NULL = unknown.
// marks: only rows that differ from no mark at all. collections.name is NULL for one that was removed.
// journal.state: EntryState; journal_steps.kind: StepKind. trashed: files that lie in a trash now.
constexpr const char* kVersion2 = R"sql(
ALTER TABLE images ADD COLUMN taken INTEGER;

CREATE TABLE contents (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  hash BLOB NOT NULL CHECK (length(hash) = 16),
  bytes INTEGER NOT NULL,
  UNIQUE (hash, bytes)
);

CREATE TABLE marks (
  content INTEGER PRIMARY KEY REFERENCES contents (id),
  flag INTEGER NOT NULL CHECK (flag BETWEEN -1 AND 1),
  rating INTEGER NOT NULL CHECK (rating BETWEEN 0 AND 5),
  label INTEGER NOT NULL CHECK (label BETWEEN 0 AND 5)
);

CREATE TABLE tags (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE CHECK (name <> '')
);

CREATE TABLE content_tags (
  content INTEGER NOT NULL REFERENCES contents (id),
  tag INTEGER NOT NULL REFERENCES tags (id),
  PRIMARY KEY (content, tag)
) WITHOUT ROWID;
CREATE INDEX content_tags_by_tag ON content_tags (tag);

CREATE TABLE collections (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE CHECK (name <> ''),
  kind INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 1),
  search TEXT NOT NULL DEFAULT ''
);

CREATE TABLE collection_items (
  collection INTEGER NOT NULL REFERENCES collections (id),
  content INTEGER NOT NULL REFERENCES contents (id),
  position INTEGER NOT NULL,
  PRIMARY KEY (collection, content)
) WITHOUT ROWID;
CREATE INDEX collection_items_by_content ON collection_items (content);

CREATE TABLE verdicts (
  a INTEGER NOT NULL REFERENCES contents (id),
  b INTEGER NOT NULL REFERENCES contents (id),
  verdict INTEGER NOT NULL CHECK (verdict BETWEEN 1 AND 2),
  PRIMARY KEY (a, b),
  CHECK (a < b)
) WITHOUT ROWID;

CREATE TABLE journal (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  time_ns INTEGER NOT NULL,
  title TEXT NOT NULL,
  state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 4)
);
CREATE INDEX journal_by_state ON journal (state, id);

CREATE TABLE journal_steps (
  entry INTEGER NOT NULL REFERENCES journal (id),
  step INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  a INTEGER NOT NULL,
  b INTEGER NOT NULL,
  before,
  after,
  detail BLOB,
  done INTEGER NOT NULL DEFAULT 1,
  PRIMARY KEY (entry, step)
) WITHOUT ROWID;

CREATE TABLE trashed (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  folder BLOB NOT NULL,
  name BLOB NOT NULL,
  place BLOB NOT NULL UNIQUE,
  info BLOB NOT NULL,
  content INTEGER NOT NULL REFERENCES contents (id),
  time_ns INTEGER NOT NULL
);
CREATE INDEX trashed_by_path ON trashed (folder, name);
)sql";

constexpr std::array kMigrations = {Migration{1, kVersion1}, Migration{2, kVersion2}};

// For reading a version 1 without changing it: what it lacks, empty, in this connection alone.
constexpr const char* kVersion1AsNow = R"sql(
PRAGMA temp_store = MEMORY;
CREATE TEMP VIEW images AS
  SELECT id, hash, bytes, width, height, format, token_count, segment, row, error, error_code, NULL AS taken
  FROM main.images;
CREATE TEMP TABLE contents (id INTEGER PRIMARY KEY, hash, bytes);
CREATE TEMP TABLE marks (content INTEGER PRIMARY KEY, flag, rating, label);
CREATE TEMP TABLE tags (id INTEGER PRIMARY KEY, name);
CREATE TEMP TABLE content_tags (content, tag);
CREATE TEMP TABLE collections (id INTEGER PRIMARY KEY, name, kind, search);
CREATE TEMP TABLE collection_items (collection, content, position);
CREATE TEMP TABLE verdicts (a, b, verdict);
CREATE TEMP TABLE journal (id INTEGER PRIMARY KEY, time_ns, title, state);
CREATE TEMP TABLE journal_steps (entry, step, kind, a, b, before, after, detail, done);
CREATE TEMP TABLE trashed (id INTEGER PRIMARY KEY, folder, name, place, info, content, time_ns);
)sql";

std::string name_of(const Database& db) { return "catalog " + db.path().string(); }

// True if reading works; false if this folder does not let SQLite make its -wal and -shm files.
bool can_read(Database& db) {
  try {
    db.query_int("SELECT count(*) FROM sqlite_schema");
    return true;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kIo || error.code() == ErrorCode::kReadOnly) return false;
    throw;
  }
}

Database open_for_reading(const std::filesystem::path& path) {
  Database db(path, Database::Access::kRead);
  if (can_read(db)) return db;
  std::error_code ignored;
  const std::filesystem::path wal = path.string() + "-wal";
  if (std::filesystem::exists(wal, ignored) && std::filesystem::file_size(wal, ignored) > 0) {
    throw Error(ErrorCode::kReadOnly, name_of(db) + " has changes in " + wal.filename().string() +
                                          " that can only be read where its folder can be written; open it there once");
  }
  Database fixed(path, Database::Access::kImmutable);
  fixed.query_int("SELECT count(*) FROM sqlite_schema");
  return fixed;
}

}  // namespace

std::span<const Migration> migrations() noexcept { return kMigrations; }
int schema_version() noexcept { return kMigrations.back().to; }

int read_schema_version(Database& db, int newest) {
  const std::int64_t application = db.query_int("PRAGMA application_id");
  const std::int64_t version = db.query_int("PRAGMA user_version");
  if (application == 0 && version == 0 && db.query_int("SELECT count(*) FROM sqlite_schema") == 0) return 0;
  if (application != kApplicationId) throw Error(ErrorCode::kDamaged, name_of(db) + " is not a Tessera catalog");
  if (version > newest) {
    throw Error(ErrorCode::kVersion, name_of(db) + " was made by a newer Tessera (format " + std::to_string(version) +
                                         "; this program knows up to " + std::to_string(newest) + ")");
  }
  if (version < 1)
    throw Error(ErrorCode::kDamaged, name_of(db) + " has the impossible version " + std::to_string(version));
  return static_cast<int>(version);
}

void migrate(Database& db, std::span<const Migration> steps) {
  const int newest = steps.back().to;
  for (const Migration& step : steps) {
    if (step.to <= read_schema_version(db, newest)) continue;
    Transaction transaction(db, Transaction::Kind::kWrite);
    if (step.to <= read_schema_version(db, newest)) continue;  // another process was faster
    db.execute(("PRAGMA application_id = " + std::to_string(kApplicationId)).c_str());
    db.execute(step.sql);
    db.execute(("PRAGMA user_version = " + std::to_string(step.to)).c_str());
    transaction.commit();
  }
}

bool was_brought_up_to_date(Database& db) {
  return db.query_int("SELECT count(*) FROM temp.sqlite_schema") > 0 &&
         db.query_int("PRAGMA user_version") == schema_version();
}

Database open_catalog(const std::filesystem::path& path, Database::Access access) {
  const bool write = access == Database::Access::kWrite || access == Database::Access::kCreate;
  Database db = write ? Database(path, access) : open_for_reading(path);
  db.execute("PRAGMA foreign_keys = ON");
  db.execute("PRAGMA cache_size = -32768");
  if (write) {
    read_schema_version(db, schema_version());  // before anything is changed
    db.execute("PRAGMA journal_mode = WAL");
    db.execute("PRAGMA synchronous = FULL");
    migrate(db, migrations());
  } else {
    const int version = read_schema_version(db, schema_version());
    if (version == 0) throw Error(ErrorCode::kNotFound, name_of(db) + " is empty: its library is still to be made");
    if (version == 1) db.execute(kVersion1AsNow);
  }
  return db;
}

}  // namespace tessera::catalog
