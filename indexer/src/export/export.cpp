// Chosen pictures as a file of records, and as a contact sheet.
#include "tessera/indexer/export.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "tessera/error.h"
#include "tessera/indexer/output_file.h"

namespace tessera {
namespace {

std::optional<ImageRecord> find_record(const Library& library, ImageId id) {
  try {
    return library.image(id);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kNotFound) return std::nullopt;
    throw;
  }
}

// "2   ★★★  pick  red"
std::string sheet_note(std::size_t number, const Marks& marks) {
  std::string note = std::to_string(number);
  if (marks.rating > 0) note += "   ";
  for (int star = 0; star < marks.rating; ++star) note += "\xE2\x98\x85";
  if (marks.flag != Flag::kNone) note += std::string("  ") + flag_name(marks.flag);
  if (marks.label != ColorLabel::kNone) note += std::string("  ") + label_name(marks.label);
  return note;
}

}  // namespace

void export_records(const Library& library, const MarkBook& book, std::span<const ImageId> pictures,
                    const std::filesystem::path& file, RecordFormat format, const std::stop_token& stop) {
  OutputFile out(file);
  if (format == RecordFormat::kCsv) out.write(record_csv_header());
  for (const ImageId id : pictures) {
    if (stop.stop_requested()) throw Error(ErrorCode::kCancelled, "stopped; nothing was written");
    const auto record = find_record(library, id);
    if (!record) continue;
    out.write(format == RecordFormat::kCsv ? record_csv_rows(*record, &book) : record_json_text(*record, &book) + "\n");
  }
  out.commit();
}

ContactSheet contact_sheet_of(const Library& library, const MarkBook& book, std::span<const ImageId> pictures,
                              const std::string& title) {
  ContactSheet sheet;
  sheet.title = title;
  for (const ImageId id : pictures) {
    const auto record = find_record(library, id);
    if (!record || record->files.empty()) continue;
    const auto present = std::find_if(record->files.begin(), record->files.end(),
                                      [](const FileRecord& file) { return file.state == FileState::kPresent; });
    SheetPicture picture;
    picture.path = present != record->files.end() ? present->path : record->files.front().path;
    picture.caption = picture.path.filename().string();
    picture.note = sheet_note(sheet.hits.size() + 1, book.marks(id));
    sheet.hits.push_back(std::move(picture));
  }
  return sheet;
}

}  // namespace tessera
