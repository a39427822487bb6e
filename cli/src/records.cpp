// Pictures of the catalog as a table, JSON, CSV or paths.
#include "records.h"

#include <algorithm>
#include <string>
#include <utility>

#include "text.h"

namespace tessera::cli {
namespace {

constexpr int kIdColumns = 7;
constexpr int kSizeColumns = 11;
constexpr int kFormatColumns = 6;
constexpr int kStateColumns = 7;
constexpr int kSmallestPath = 20;

std::string pixel_size(const ImageRecord& record) {
  if (record.width == 0) return "-";
  return std::to_string(record.width) + "x" + std::to_string(record.height);
}

const char* shown_state(const ImageRecord& record, const FileRecord& file) {
  return record.error.empty() ? file_state_name(file.state) : "failed";
}

}  // namespace

Json record_json(const ImageRecord& record) {
  Json object;
  object["id"] = record.id;
  object["hash"] = record.hash.hex();
  object["bytes"] = record.hash.bytes;
  object["width"] = record.width;
  object["height"] = record.height;
  object["format"] = record.format;
  object["taken"] = record.taken ? Json(*record.taken) : Json();
  object["tokens"] = record.token_count;
  object["error_code"] = record.error_code.empty() ? Json() : Json(record.error_code);
  object["error"] = record.error.empty() ? Json() : Json(record.error);
  object["files"] = Json::array();
  for (const FileRecord& file : record.files) {
    Json entry;
    set_path(entry, "path", file.path);
    entry["state"] = file_state_name(file.state);
    entry["bytes"] = file.bytes;
    entry["mtime_ns"] = file.mtime_ns;
    object["files"].push_back(std::move(entry));
  }
  return object;
}

MarkBook::MarkBook(const Curation& curation) {
  for (PictureMarks& picture : curation.picture_marks()) pictures_.emplace(picture.id, std::move(picture));
  for (Tag& tag : curation.tags()) names_.emplace(tag.id, std::move(tag.name));
}

Marks MarkBook::marks(ImageId id) const {
  const auto found = pictures_.find(id);
  return found == pictures_.end() ? Marks() : found->second.marks;
}

std::vector<std::string> MarkBook::tags(ImageId id) const {
  std::vector<std::string> names;
  const auto found = pictures_.find(id);
  if (found == pictures_.end()) return names;
  for (const TagId tag : found->second.tags) {
    if (const auto name = names_.find(tag); name != names_.end()) names.push_back(name->second);
  }
  std::sort(names.begin(), names.end());
  return names;
}

void MarkBook::add_to(Json& record, ImageId id) const {
  const Marks found = marks(id);
  record["flag"] = flag_name(found.flag);
  record["rating"] = found.rating;
  record["label"] = label_name(found.label);
  record["tags"] = tags(id);
}

RecordWriter::RecordWriter(Output& out, Format format, std::filesystem::path folder, const FileState* state)
    : out_(out), format_(format), folder_(std::move(folder)), state_(state) {
  if (format_ == Format::kTable) {
    const char* bold = out_.terminal().color ? "\x1b[1m" : "";
    const char* plain = out_.terminal().color ? "\x1b[0m" : "";
    out_.line(bold + pad("id", -kIdColumns) + "  " + pad("pixels", -kSizeColumns) + "  " +
              pad("format", kFormatColumns) + "  " + pad("state", kStateColumns) + "  path" + plain);
  } else if (format_ == Format::kCsv) {
    out_.write("id,hash,width,height,format,tokens,state,bytes,mtime_ns,error_code,error,path\r\n");
  }
}

Json RecordWriter::json_of(const ImageRecord& record) const {
  Json object = record_json(record);
  if (book_) book_->add_to(object, record.id);
  return object;
}

void RecordWriter::add(const ImageRecord& record) {
  if (format_ == Format::kJson) {
    out_.write(first_ ? "[\n" : ",\n");
    out_.write(dump(json_of(record)));
  } else if (format_ == Format::kJsonl) {
    out_.line(dump(json_of(record)));
  } else {
    for (const FileRecord& file : record.files) {
      if (state_ != nullptr && file.state != *state_) continue;
      switch (format_) {
        case Format::kCsv: add_csv(record, file); break;
        case Format::kPaths: out_.line(file.path.native()); break;
        case Format::kPaths0: out_.write(file.path.native() + '\0'); break;
        default: add_table(record, file); break;
      }
    }
  }
  first_ = false;
}

void RecordWriter::add_table(const ImageRecord& record, const FileRecord& file) {
  const Terminal& terminal = out_.terminal();
  constexpr int kBeforePath = kIdColumns + kSizeColumns + kFormatColumns + kStateColumns + 8;
  std::string path = printable(short_path(file.path, folder_), terminal.utf8);
  if (terminal.columns > 0) {
    path = elide_middle(path, std::max(terminal.columns - kBeforePath, kSmallestPath), terminal.utf8);
  }
  out_.line(pad(std::to_string(record.id), -kIdColumns) + "  " + pad(pixel_size(record), -kSizeColumns) + "  " +
            pad(record.format.empty() ? "-" : record.format, kFormatColumns) + "  " +
            pad(shown_state(record, file), kStateColumns) + "  " + path);
  if (!record.error.empty()) out_.line(std::string(kIdColumns + 2, ' ') + printable(record.error, terminal.utf8));
}

void RecordWriter::add_csv(const ImageRecord& record, const FileRecord& file) {
  out_.write(std::to_string(record.id) + "," + record.hash.hex() + "," + std::to_string(record.width) + "," +
             std::to_string(record.height) + "," + csv_field(record.format) + "," + std::to_string(record.token_count) +
             "," + file_state_name(file.state) + "," + std::to_string(file.bytes) + "," +
             std::to_string(file.mtime_ns) + "," + csv_field(record.error_code) + "," + csv_field(record.error) + "," +
             csv_field(file.path.native()) + "\r\n");
}

void RecordWriter::finish() {
  if (format_ == Format::kJson) out_.line(first_ ? "[]" : "\n]");
}

}  // namespace tessera::cli
