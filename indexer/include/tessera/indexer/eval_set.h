// Evaluation sets: the pictures of a folder with labels, groups or boxes, read from the usual annotation files.
//
// Readers throw Error: kNotFound, kIo, kDamaged (the message names file and line, or file and entry), kUnsupported.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::eval {

// Left, top, width and height as fractions of the upright picture's own size.
struct Box {
  int category = 0;  // index into EvalSet::categories
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;
};

struct Picture {
  std::string name;  // below the folder, "/" between its parts
  int label = -1;    // index into EvalSet::labels; -1 = none
  std::vector<Box> boxes;
};

struct EvalSet {
  std::filesystem::path folder;
  std::vector<Picture> pictures;        // ascending by name, each once
  std::vector<std::string> labels;      // ascending
  std::vector<std::string> categories;  // ascending

  std::filesystem::path path(std::size_t picture) const { return folder / pictures[picture].name; }
};

// Every file below the folder with the name of a picture; no labels. Files and folders whose name starts with a dot are
// left out.
EvalSet read_folder(const std::filesystem::path& folder);
// The same; the label of a picture is the folder right below `folder` that it lies in. Pictures beside these folders
// are an error.
EvalSet read_class_folders(const std::filesystem::path& folder);
// A CSV file with a header line and the columns `name` (below the folder) and `label` or `group`; other columns are not
// looked at. A file that is not there is no error here, but a failure when the pictures are read.
EvalSet read_label_csv(const std::filesystem::path& file, const std::filesystem::path& folder);

enum class BoxFormat {
  kAuto,  // .json: COCO, .csv: CSV, a folder: VOC if it holds an .xml file, else YOLO
  kCoco,  // instances JSON; boxes in pixels
  kVoc,   // a folder of VOC XML files; 1-based inclusive pixels
  kYolo,  // a folder of text files, a line `class cx cy w h` a box, and optionally classes.txt with the names
  kCsv,   // columns name, category, x, y, w, h; fractions
};
BoxFormat parse_box_format(std::string_view text);  // "auto", "coco", "voc", "yolo", "csv"; throws kInvalidArgument
const char* box_format_name(BoxFormat format) noexcept;

// The pictures that `annotations` names, with their boxes; a picture named there may have none. Where the folder lacks
// a picture of that name, one that differs only in the ending of its name is taken.
EvalSet read_boxes(const std::filesystem::path& annotations, const std::filesystem::path& folder,
                   BoxFormat format = BoxFormat::kAuto);

// Makes label and category numbers of both sets mean the same texts.
void align_names(EvalSet& a, EvalSet& b);

// XXH3-128 of names, labels, boxes and the content of every picture, 32 hex digits; a file that cannot be read counts
// as that.
std::string data_hash(const EvalSet& set);

}  // namespace tessera::eval
