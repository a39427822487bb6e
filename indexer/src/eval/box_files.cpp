// Boxes from COCO instances JSON, VOC XML, YOLO text and CSV files.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <unordered_map>

#include "eval/csv_reader.h"
#include "eval/folder.h"
#include "eval/set_builder.h"
#include "eval/text_file.h"
#include "eval/xml_reader.h"
#include "tessera/error.h"

namespace tessera::eval {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr double kOutside = 0.01;

// Files with this ending in a folder, ascending.
std::vector<fs::path> files_with_ending(const fs::path& folder, std::string_view ending) {
  std::error_code error;
  std::vector<fs::path> files;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (at->path().extension() == ending) files.push_back(at->path());
  }
  if (error) throw errno_error("read folder", folder.string(), error.value());
  std::sort(files.begin(), files.end());
  return files;
}

// A member of a COCO entry; what is wrong with it is told by file and entry, since the parsed JSON knows no lines.
class CocoFile {
 public:
  explicit CocoFile(const fs::path& path) : path_(path) {
    const std::string text = read_text_file(path);
    try {
      // Outlines are most of such a file and of no use here.
      document_ = json::parse(text, [](int, json::parse_event_t event, json& parsed) {
        return event != json::parse_event_t::key || parsed != "segmentation";
      });
    } catch (const json::parse_error& error) {
      fail_at(path, line_of(text, error.byte > 0 ? error.byte - 1 : 0), "no valid JSON");
    }
  }

  const json& list(const char* name) const {
    const auto found = document_.is_object() ? document_.find(name) : document_.end();
    if (!document_.is_object() || found == document_.end() || !found->is_array())
      fail("", "there is no list '" + std::string(name) + "'");
    return *found;
  }

  [[noreturn]] void fail(const std::string& where, const std::string& reason) const {
    throw Error(ErrorCode::kDamaged, path_.string() + ": " + (where.empty() ? "" : where + ": ") + reason);
  }

  const json& member(const json& entry, const char* name, const std::string& where) const {
    if (!entry.is_object() || !entry.contains(name)) fail(where, "'" + std::string(name) + "' is missing");
    return entry.at(name);
  }
  std::int64_t integer(const json& entry, const char* name, const std::string& where) const {
    const json& value = member(entry, name, where);
    if (!value.is_number_integer()) fail(where, "'" + std::string(name) + "' is no whole number");
    return value.get<std::int64_t>();
  }
  std::string text(const json& entry, const char* name, const std::string& where) const {
    const json& value = member(entry, name, where);
    if (!value.is_string()) fail(where, "'" + std::string(name) + "' is no text");
    return value.get<std::string>();
  }

 private:
  fs::path path_;
  json document_;
};

std::string entry_name(const char* list, std::size_t index) {
  return std::string(list) + "[" + std::to_string(index) + "]";
}

void read_coco(const fs::path& path, const PictureNames& names, SetBuilder& builder) {
  const CocoFile file(path);
  std::unordered_map<std::int64_t, std::string> categories;
  const json& category_list = file.list("categories");
  for (std::size_t i = 0; i < category_list.size(); ++i) {
    const std::string where = entry_name("categories", i);
    categories[file.integer(category_list[i], "id", where)] = file.text(category_list[i], "name", where);
  }
  struct PictureEntry {
    std::string name;
    double width = 0;
    double height = 0;
  };
  std::unordered_map<std::int64_t, PictureEntry> pictures;
  const json& picture_list = file.list("images");
  for (std::size_t i = 0; i < picture_list.size(); ++i) {
    const std::string where = entry_name("images", i);
    PictureEntry entry;
    entry.name = names.resolve(file.text(picture_list[i], "file_name", where));
    entry.width = double(file.integer(picture_list[i], "width", where));
    entry.height = double(file.integer(picture_list[i], "height", where));
    if (entry.width < 1 || entry.height < 1) file.fail(where, "width and height must be positive");
    builder.picture(entry.name);
    pictures[file.integer(picture_list[i], "id", where)] = std::move(entry);
  }
  const json& boxes = file.list("annotations");
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    const std::string where = entry_name("annotations", i);
    const auto picture = pictures.find(file.integer(boxes[i], "image_id", where));
    if (picture == pictures.end()) file.fail(where, "no image has the id " + boxes[i]["image_id"].dump());
    const auto category = categories.find(file.integer(boxes[i], "category_id", where));
    if (category == categories.end()) file.fail(where, "no category has the id " + boxes[i]["category_id"].dump());
    const json& corners = file.member(boxes[i], "bbox", where);
    if (!corners.is_array() || corners.size() != 4 ||
        !std::all_of(corners.begin(), corners.end(), [](const json& value) { return value.is_number(); })) {
      file.fail(where, "'bbox' is no list of four numbers");
    }
    const auto& [name, width, height] = picture->second;
    const Box box{0, corners[0].get<double>() / width, corners[1].get<double>() / height,
                  corners[2].get<double>() / width, corners[3].get<double>() / height};
    if (box.width == 0 || box.height == 0) continue;  // COCO has a few boxes without area
    if (const std::string problem = box_problem(box); !problem.empty()) file.fail(where, problem);
    builder.picture(name).boxes.push_back({category->second, box});
  }
}

double xml_number(const fs::path& path, const XmlElement& parent, std::string_view name) {
  const XmlElement* element = parent.child(name);
  if (element == nullptr) fail_at(path, parent.line, "<" + parent.name + "> has no <" + std::string(name) + ">");
  const auto value = parse_number(element->text);
  if (!value) fail_at(path, element->line, "<" + element->name + "> is no number: '" + element->text + "'");
  return *value;
}

const XmlElement& xml_child(const fs::path& path, const XmlElement& parent, std::string_view name) {
  const XmlElement* element = parent.child(name);
  if (element == nullptr) fail_at(path, parent.line, "<" + parent.name + "> has no <" + std::string(name) + ">");
  return *element;
}

void read_voc(const fs::path& folder, const PictureNames& names, SetBuilder& builder) {
  for (const fs::path& path : files_with_ending(folder, ".xml")) {
    const XmlElement root = read_xml(path);
    if (root.name != "annotation") fail_at(path, root.line, "<annotation> is expected, not <" + root.name + ">");
    const XmlElement& size = xml_child(path, root, "size");
    const double width = xml_number(path, size, "width");
    const double height = xml_number(path, size, "height");
    if (width < 1 || height < 1) fail_at(path, size.line, "width and height must be positive");
    const std::string name = names.resolve(xml_child(path, root, "filename").text);
    SetBuilder::Entry& entry = builder.picture(name);
    for (const XmlElement& object : root.children) {
      if (object.name != "object") continue;
      const XmlElement& corners = xml_child(path, object, "bndbox");
      const double left = xml_number(path, corners, "xmin") - 1;
      const double top = xml_number(path, corners, "ymin") - 1;
      const Box box{0, left / width, top / height, (xml_number(path, corners, "xmax") - left) / width,
                    (xml_number(path, corners, "ymax") - top) / height};
      if (const std::string problem = box_problem(box); !problem.empty()) fail_at(path, corners.line, problem);
      entry.boxes.push_back({xml_child(path, object, "name").text, box});
    }
  }
}

// The lines of classes.txt; none if there is no such file.
std::vector<std::string> yolo_classes(const fs::path& folder) {
  std::error_code error;
  std::vector<std::string> classes;
  if (!fs::exists(folder / "classes.txt", error)) return classes;
  std::istringstream lines(read_text_file(folder / "classes.txt"));
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) classes.push_back(line);
  }
  return classes;
}

void read_yolo(const fs::path& folder, const PictureNames& names, SetBuilder& builder) {
  const std::vector<std::string> classes = yolo_classes(folder);
  for (const fs::path& path : files_with_ending(folder, ".txt")) {
    if (path.filename() == "classes.txt") continue;
    const std::string stem = without_ending(path.lexically_relative(folder).generic_string());
    SetBuilder::Entry& entry = builder.picture(names.resolve(stem + ".jpg"));
    std::istringstream lines(read_text_file(path));
    int number = 0;
    for (std::string line; std::getline(lines, line);) {
      ++number;
      std::istringstream words(line);
      std::vector<double> values;
      for (std::string word; words >> word;) {
        const auto value = parse_number(word);
        if (!value) fail_at(path, number, "'" + word + "' is no number");
        values.push_back(*value);
      }
      if (values.empty()) continue;
      if (values.size() < 5) fail_at(path, number, "class, x, y, width and height are expected");
      const double index = values[0];
      const bool known = classes.empty() || index < double(classes.size());
      if (index < 0 || index > 1e6 || index != std::floor(index) || !known) {
        fail_at(path, number, "there is no class " + line.substr(0, line.find(' ')));
      }
      const Box box{0, values[1] - values[3] / 2, values[2] - values[4] / 2, values[3], values[4]};
      if (const std::string problem = box_problem(box); !problem.empty()) fail_at(path, number, problem);
      const auto category = static_cast<std::size_t>(index);
      entry.boxes.push_back({classes.empty() ? std::to_string(category) : classes[category], box});
    }
  }
}

void read_box_csv(const fs::path& path, const PictureNames& names, SetBuilder& builder) {
  const CsvFile csv(path);
  const std::size_t name = csv.column({"name"});
  const std::size_t category = csv.column({"category"});
  const std::size_t x = csv.column({"x"}), y = csv.column({"y"}), w = csv.column({"w"}), h = csv.column({"h"});
  for (const CsvRow& row : csv.rows()) {
    if (row.fields[name].empty()) csv.fail(row.line, "the name is empty");
    const Box box{0, csv.number(row, x), csv.number(row, y), csv.number(row, w), csv.number(row, h)};
    if (const std::string problem = box_problem(box); !problem.empty()) csv.fail(row.line, problem);
    builder.picture(names.resolve(row.fields[name])).boxes.push_back({row.fields[category], box});
  }
}

BoxFormat detected_format(const fs::path& annotations) {
  std::error_code error;
  if (fs::is_directory(annotations, error)) {
    return files_with_ending(annotations, ".xml").empty() ? BoxFormat::kYolo : BoxFormat::kVoc;
  }
  if (annotations.extension() == ".json") return BoxFormat::kCoco;
  if (annotations.extension() == ".csv") return BoxFormat::kCsv;
  if (!fs::exists(annotations, error)) throw Error(ErrorCode::kNotFound, "no file or folder " + annotations.string());
  throw Error(ErrorCode::kUnsupported,
              annotations.string() + ": boxes are read from COCO .json, a .csv, or a folder of VOC .xml or YOLO .txt");
}

}  // namespace

std::string box_problem(const Box& box) {
  for (const double value : {box.x, box.y, box.width, box.height}) {
    if (!std::isfinite(value)) return "the box has a corner that is no number";
  }
  if (box.width <= 0 || box.height <= 0) return "the box has no area";
  if (box.x < -kOutside || box.y < -kOutside || box.x + box.width > 1 + kOutside || box.y + box.height > 1 + kOutside) {
    return "the box reaches out of the picture";
  }
  return {};
}

BoxFormat parse_box_format(std::string_view text) {
  for (const BoxFormat format :
       {BoxFormat::kAuto, BoxFormat::kCoco, BoxFormat::kVoc, BoxFormat::kYolo, BoxFormat::kCsv}) {
    if (text == box_format_name(format)) return format;
  }
  throw Error(ErrorCode::kInvalidArgument,
              "unknown box format \"" + std::string(text) + "\"; use auto, coco, voc, yolo or csv");
}

const char* box_format_name(BoxFormat format) noexcept {
  switch (format) {
    case BoxFormat::kAuto: return "auto";
    case BoxFormat::kCoco: return "coco";
    case BoxFormat::kVoc: return "voc";
    case BoxFormat::kYolo: return "yolo";
    case BoxFormat::kCsv: return "csv";
  }
  return "unknown";
}

EvalSet read_boxes(const fs::path& annotations, const fs::path& folder, BoxFormat format) {
  if (format == BoxFormat::kAuto) format = detected_format(annotations);
  const PictureNames names(folder);
  SetBuilder builder;
  switch (format) {
    case BoxFormat::kAuto: break;
    case BoxFormat::kCoco: read_coco(annotations, names, builder); break;
    case BoxFormat::kVoc: read_voc(annotations, names, builder); break;
    case BoxFormat::kYolo: read_yolo(annotations, names, builder); break;
    case BoxFormat::kCsv: read_box_csv(annotations, names, builder); break;
  }
  return builder.build(folder);
}

}  // namespace tessera::eval
