// Records of the catalog as JSON and CSV.
#include <nlohmann/json.hpp>
#include <utility>

#include "tessera/indexer/export.h"
#include "tessera/text.h"

namespace tessera {
namespace {

using Json = nlohmann::ordered_json;

Json file_json(const FileRecord& file) {
  Json object;
  PathText path = path_text(file.path);
  object["path"] = std::move(path.text);
  if (!path.exact.empty()) object["path_bytes"] = std::move(path.exact);
  object["state"] = file_state_name(file.state);
  object["bytes"] = file.bytes;
  object["mtime_ns"] = file.mtime_ns;
  return object;
}

std::string marks_fields(ImageId id, const MarkBook* book) {
  if (book == nullptr) return ",,,";
  const Marks marks = book->marks(id);
  std::string tags;
  for (const std::string& tag : book->tags(id)) tags += (tags.empty() ? "" : "|") + tag;
  return std::string(flag_name(marks.flag)) + "," + std::to_string(marks.rating) + "," + label_name(marks.label) + "," +
         csv_field(tags);
}

}  // namespace

PathText path_text(const std::filesystem::path& path) {
  const std::string& bytes = path.native();
  if (is_valid_utf8(bytes)) return {bytes, {}};
  return {to_valid_utf8(bytes), base64(bytes)};
}

std::string csv_field(std::string_view bytes) {
  if (bytes.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(bytes);
  std::string field = "\"";
  for (const char byte : bytes) {
    if (byte == '"') field.push_back('"');
    field.push_back(byte);
  }
  return field.append("\"");
}

std::string record_json_text(const ImageRecord& record, const MarkBook* book) {
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
  for (const FileRecord& file : record.files) object["files"].push_back(file_json(file));
  if (book != nullptr) {
    const Marks marks = book->marks(record.id);
    object["flag"] = flag_name(marks.flag);
    object["rating"] = marks.rating;
    object["label"] = label_name(marks.label);
    object["tags"] = book->tags(record.id);
  }
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string record_csv_header() {
  return "id,hash,width,height,format,tokens,state,bytes,mtime_ns,error_code,error,flag,rating,label,tags,path\r\n";
}

std::string record_csv_rows(const ImageRecord& record, const MarkBook* book, const FileState* only) {
  std::string rows;
  for (const FileRecord& file : record.files) {
    if (only != nullptr && file.state != *only) continue;
    rows += std::to_string(record.id) + "," + record.hash.hex() + "," + std::to_string(record.width) + "," +
            std::to_string(record.height) + "," + csv_field(record.format) + "," + std::to_string(record.token_count) +
            "," + file_state_name(file.state) + "," + std::to_string(file.bytes) + "," + std::to_string(file.mtime_ns) +
            "," + csv_field(record.error_code) + "," + csv_field(record.error) + "," + marks_fields(record.id, book) +
            "," + csv_field(file.path.native()) + "\r\n";
  }
  return rows;
}

}  // namespace tessera
