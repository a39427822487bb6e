// The catalog's tables, their version, and the steps that bring an older catalog up to date.
#pragma once

#include <filesystem>
#include <span>

#include "catalog/sqlite.h"

namespace tessera::catalog {

inline constexpr int kApplicationId = 0x54455353;  // "TESS", in the header of every catalog

// Takes a catalog from version `to - 1` to version `to`.
struct Migration {
  int to = 0;
  const char* sql = nullptr;
};

std::span<const Migration> migrations() noexcept;
int schema_version() noexcept;  // of this program: the last migration's

// user_version of the catalog; 0 = an empty database. Throws kDamaged if it is no Tessera catalog, kVersion if it is
// newer than `newest`.
int read_schema_version(Database& db, int newest);

// Runs what is missing, each step in a transaction of its own that also sets the version; a failed step leaves the
// catalog at the version before it.
void migrate(Database& db, std::span<const Migration> steps);

// A catalog opened for use: foreign keys on, WAL, synchronous=FULL. Throws kNotFound, kDamaged, kVersion, kIo.
// kRead falls back to an immutable view where no -wal file can be made (read-only media), and shows an older version as
// it would be when brought up to date.
Database open_catalog(const std::filesystem::path& path, Database::Access access);

// True if `db` shows an older version as above, but another connection has brought the file up to date meanwhile.
bool was_brought_up_to_date(Database& db);

}  // namespace tessera::catalog
