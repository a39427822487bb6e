// The library for other programs: records as JSON or CSV, with what people have decided about the pictures, and contact
// sheets of them.
#pragma once

#include <filesystem>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tessera/indexer/contact_sheet.h"
#include "tessera/indexer/curation.h"
#include "tessera/indexer/library.h"

namespace tessera {

// What people have decided about pictures, read at once. Thread rule: const; any thread.
class MarkBook {
 public:
  explicit MarkBook(const Curation& curation);
  Marks marks(ImageId id) const;
  std::vector<std::string> tags(ImageId id) const;  // in order of name

 private:
  std::unordered_map<ImageId, PictureMarks> pictures_;
  std::unordered_map<TagId, std::string> names_;
};

// A path as text; where its bytes are no valid UTF-8 those are U+FFFD in the text, and `exact` has them in base64.
struct PathText {
  std::string text;
  std::string exact;
};
PathText path_text(const std::filesystem::path& path);

// The field, quoted if it must be (RFC 4180); bytes are kept as they are.
std::string csv_field(std::string_view bytes);

// One object in one line, without the line's end; the schema is in docs/CLI.md. Without a book it has no marks.
std::string record_json_text(const ImageRecord& record, const MarkBook* book);

// A line with its end for each file, under these columns; tags are separated by '|'. Without a book the fields of marks
// are empty. `only`: if not null, only files in this state.
std::string record_csv_header();
std::string record_csv_rows(const ImageRecord& record, const MarkBook* book, const FileState* only = nullptr);

enum class RecordFormat { kJsonl, kCsv };

// These pictures in this order, into a file that appears whole or not at all. Pictures that are gone are left out.
// Throws kIo, kDiskFull, kReadOnly, kCancelled. Thread rule: as the library.
void export_records(const Library& library, const MarkBook& book, std::span<const ImageId> pictures,
                    const std::filesystem::path& file, RecordFormat format, const std::stop_token& stop = {});

// These pictures with their names and marks; thumbnails are left to write_contact_sheet().
ContactSheet contact_sheet_of(const Library& library, const MarkBook& book, std::span<const ImageId> pictures,
                              const std::string& title);

}  // namespace tessera
