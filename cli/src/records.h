// Pictures of the catalog as a table, JSON, CSV or paths (schema: docs/CLI.md).
#pragma once

#include <filesystem>

#include "format.h"
#include "output.h"
#include "tessera/indexer/types.h"

namespace tessera::cli {

Json record_json(const ImageRecord& record);

// Writes records one by one as they come, so that a library of any size takes no memory. `folder`: paths below it are
// shown relative to it in the table. `state`: if not null, only files in this state are written.
class RecordWriter {
 public:
  RecordWriter(Output& out, Format format, std::filesystem::path folder, const FileState* state = nullptr);
  void add(const ImageRecord& record);
  void finish();  // must be called at the end

 private:
  void add_table(const ImageRecord& record, const FileRecord& file);
  void add_csv(const ImageRecord& record, const FileRecord& file);

  Output& out_;
  Format format_;
  std::filesystem::path folder_;
  const FileState* state_;
  bool first_ = true;
};

}  // namespace tessera::cli
