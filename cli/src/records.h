// Pictures of the catalog as a table, JSON, CSV or paths (schema: docs/CLI.md).
#pragma once

#include <filesystem>
#include <optional>
#include <utility>

#include "format.h"
#include "output.h"
#include "tessera/indexer/export.h"
#include "tessera/indexer/types.h"

namespace tessera::cli {

Json record_json(const ImageRecord& record);

// Writes records one by one as they come, so that a library of any size takes no memory. `folder`: paths below it are
// shown relative to it in the table. `state`: if not null, only files in this state are written.
class RecordWriter {
 public:
  RecordWriter(Output& out, Format format, std::filesystem::path folder, const FileState* state = nullptr);
  void set_marks(MarkBook book) { book_ = std::move(book); }  // JSON and CSV tell them too
  void add(const ImageRecord& record);
  void finish();  // must be called at the end

 private:
  const MarkBook* book() const { return book_ ? &*book_ : nullptr; }
  void add_table(const ImageRecord& record, const FileRecord& file);

  Output& out_;
  Format format_;
  std::filesystem::path folder_;
  const FileState* state_;
  std::optional<MarkBook> book_;
  bool first_ = true;
};

}  // namespace tessera::cli
