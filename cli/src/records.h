// Pictures of the catalog as a table, JSON, CSV or paths (schema: docs/CLI.md).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "format.h"
#include "output.h"
#include "tessera/indexer/curation.h"
#include "tessera/indexer/types.h"

namespace tessera::cli {

// What people have decided about pictures, read at once. Thread rule: const; any thread.
class MarkBook {
 public:
  explicit MarkBook(const Curation& curation);
  // Adds the fields flag, rating, label and tags of the picture.
  void add_to(Json& record, ImageId id) const;
  Marks marks(ImageId id) const;
  std::vector<std::string> tags(ImageId id) const;

 private:
  std::unordered_map<ImageId, PictureMarks> pictures_;
  std::unordered_map<TagId, std::string> names_;
};

Json record_json(const ImageRecord& record);

// Writes records one by one as they come, so that a library of any size takes no memory. `folder`: paths below it are
// shown relative to it in the table. `state`: if not null, only files in this state are written.
class RecordWriter {
 public:
  RecordWriter(Output& out, Format format, std::filesystem::path folder, const FileState* state = nullptr);
  void set_marks(MarkBook book) { book_ = std::move(book); }  // JSON tells them too
  void add(const ImageRecord& record);
  void finish();  // must be called at the end

 private:
  Json json_of(const ImageRecord& record) const;
  void add_table(const ImageRecord& record, const FileRecord& file);
  void add_csv(const ImageRecord& record, const FileRecord& file);

  Output& out_;
  Format format_;
  std::filesystem::path folder_;
  const FileState* state_;
  std::optional<MarkBook> book_;
  bool first_ = true;
};

}  // namespace tessera::cli
