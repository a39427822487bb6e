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

constexpr std::array kMigrations = {Migration{1, kVersion1}};

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
  int version = read_schema_version(db, steps.back().to);
  for (const Migration& step : steps) {
    if (step.to <= version) continue;
    Transaction transaction(db, Transaction::Kind::kWrite);
    db.execute(("PRAGMA application_id = " + std::to_string(kApplicationId)).c_str());
    db.execute(step.sql);
    db.execute(("PRAGMA user_version = " + std::to_string(step.to)).c_str());
    transaction.commit();
    version = step.to;
  }
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
    if (version < schema_version()) {
      throw Error(ErrorCode::kVersion,
                  name_of(db) + " was made by an older Tessera; open it once for writing to bring it up to date");
    }
  }
  return db;
}

}  // namespace tessera::catalog
