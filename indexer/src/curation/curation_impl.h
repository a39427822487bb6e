// What a Curation holds, and how it says how many.
#pragma once

#include <filesystem>
#include <string>

#include "catalog/catalog.h"
#include "curation/journal.h"
#include "tessera/indexer/curation.h"

namespace tessera {

struct Curation::Impl {
  Impl(const std::filesystem::path& library_dir, OpenMode how);

  // Throws kReadOnly unless it was opened for writing.
  void require_writer() const;
  std::optional<JournalEntry> replay_next(curation::Direction direction);
  CollectionId existing_collection(CollectionId id);  // throws kNotFound
  void require_free_name(std::string_view name);      // of a collection; throws kInvalidArgument
  CollectionId insert_collection(curation::Change& transaction, std::string_view name, CollectionKind kind,
                                 std::string_view search);

  std::filesystem::path dir;
  OpenMode mode;
  catalog::Catalog catalog;
  catalog::Database& db;
  curation::Rows rows;
};

namespace curation {

std::string pictures_text(std::int64_t count);  // "1 picture", "12 pictures"
// Throws kInvalidArgument if `name` cannot be that of a tag or collection (`what`).
void check_name(std::string_view name, const char* what);

}  // namespace curation
}  // namespace tessera
