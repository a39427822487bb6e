// Boxes from COCO, VOC, YOLO and CSV files: the same boxes out of each, and errors that name the place.
#include <gmock/gmock.h>

#include "eval/eval_fixture.h"
#include "tessera/indexer/eval_set.h"

namespace tessera::eval {
namespace {

using test::error_of;
using test::TempDir;
using test::write_text;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;

constexpr const char* kCoco = R"({
"images": [{"id": 7, "file_name": "a.jpg", "width": 200, "height": 100}, {"id": 8, "file_name": "b.jpg", "width": 10, "height": 10}],
"categories": [{"id": 3, "name": "dog"}, {"id": 1, "name": "cat"}],
"annotations": [
{"image_id": 7, "category_id": 3, "bbox": [20, 10, 100, 50], "segmentation": [[1, 2, 3]], "iscrowd": 0},
{"image_id": 7, "category_id": 1, "bbox": [0.0, 0.0, 200.0, 100.0]},
{"image_id": 7, "category_id": 1, "bbox": [5, 5, 0, 3]}]})";

constexpr const char* kVoc =
    "<annotation>\n<filename>a.jpg</filename>\n<size><width>200</width><height>100</height><depth>3</depth></size>\n"
    "<object><name>dog</name><difficult>0</difficult>\n"
    "<bndbox><xmin>21</xmin><ymin>11</ymin><xmax>120</xmax><ymax>60</ymax></bndbox></object>\n"
    "<object><name>cat</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>200</xmax><ymax>100</ymax></bndbox></object>\n"
    "</annotation>\n";

class BoxFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    write_text(pictures() / "a.jpg", "x");
    write_text(pictures() / "b.webp", "x");
  }
  std::filesystem::path pictures() const { return folder_ / "pictures"; }
  std::filesystem::path file(const std::string& name, const std::string& text) const {
    return write_text(folder_ / name, text);
  }
  EvalSet read(const std::filesystem::path& path) const { return read_boxes(path, pictures()); }

  // Picture a.jpg has a dog at (0.1, 0.1) of half the size, and a cat that fills it.
  static void expect_the_boxes(const EvalSet& set) {
    EXPECT_THAT(set.categories, ElementsAre("cat", "dog"));
    ASSERT_GE(set.pictures.size(), 1u);
    EXPECT_EQ(set.pictures[0].name, "a.jpg");
    ASSERT_EQ(set.pictures[0].boxes.size(), 2u);
    const Box& dog = set.pictures[0].boxes[0];
    const Box& cat = set.pictures[0].boxes[1];
    EXPECT_EQ(dog.category, 1);
    EXPECT_DOUBLE_EQ(dog.x, 0.1);
    EXPECT_DOUBLE_EQ(dog.y, 0.1);
    EXPECT_DOUBLE_EQ(dog.width, 0.5);
    EXPECT_DOUBLE_EQ(dog.height, 0.5);
    EXPECT_EQ(cat.category, 0);
    EXPECT_DOUBLE_EQ(cat.x, 0);
    EXPECT_DOUBLE_EQ(cat.width, 1);
    EXPECT_DOUBLE_EQ(cat.height, 1);
  }

  TempDir folder_;
};

TEST_F(BoxFiles, FourFormatsGiveTheSameBoxes) {
  const EvalSet coco = read(file("instances.json", kCoco));
  expect_the_boxes(coco);
  // Annotated under another ending, and without boxes (one of no area is left out).
  ASSERT_EQ(coco.pictures.size(), 2u);
  EXPECT_EQ(coco.pictures[1].name, "b.webp");
  EXPECT_TRUE(coco.pictures[1].boxes.empty());

  file("voc/a.xml", kVoc);
  expect_the_boxes(read(folder_ / "voc"));

  file("yolo/classes.txt", "cat\ndog\n");
  file("yolo/a.txt", "1 0.35 0.35 0.5 0.5\n\n0 0.5 0.5 1 1\n");
  expect_the_boxes(read(folder_ / "yolo"));

  expect_the_boxes(read(file("boxes.csv", "name,category,x,y,w,h\na.jpg,dog,.1,.1,.5,.5\na.jpg,cat,0,0,1,1\n")));
}

TEST_F(BoxFiles, YoloWithoutClassesNamesThemByNumber) {
  file("yolo/a.txt", "12 0.5 0.5 1 1\n");
  EXPECT_THAT(read_boxes(folder_ / "yolo", pictures(), BoxFormat::kYolo).categories, ElementsAre("12"));
}

TEST_F(BoxFiles, CocoErrorsNameFileAndPlace) {
  const auto problem = [&](std::string text, const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos);
    text.replace(at, from.size(), to);
    return error_of([&] { read(file("bad.json", text)); });
  };
  EXPECT_THAT(problem(kCoco, "\"name\": \"cat\"}],", "\"name\": \"cat\"}]"), EndsWith("bad.json:4: no valid JSON"));
  EXPECT_THAT(problem(kCoco, "\"images\"", "\"pictures\""), EndsWith("bad.json: there is no list 'images'"));
  EXPECT_THAT(problem(kCoco, "\"image_id\": 7", "\"image_id\": 9"),
              EndsWith("bad.json: annotations[0]: no image has the id 9"));
  EXPECT_THAT(problem(kCoco, "\"category_id\": 3", "\"category_id\": 4"),
              EndsWith("annotations[0]: no category has the id 4"));
  EXPECT_THAT(problem(kCoco, "[20, 10, 100, 50]", "[20, 10, 100]"),
              EndsWith("annotations[0]: 'bbox' is no list of four numbers"));
  EXPECT_THAT(problem(kCoco, "[20, 10, 100, 50]", "[20, 10, 190, 50]"),
              EndsWith("annotations[0]: the box reaches out of the picture"));
  EXPECT_THAT(problem(kCoco, "[20, 10, 100, 50]", "[20, 10, -1, 50]"), EndsWith("the box has no area"));
  EXPECT_THAT(problem(kCoco, "\"width\": 10,", "\"width\": \"10\","),
              EndsWith("images[1]: 'width' is no whole number"));
  EXPECT_THAT(problem(kCoco, "\"file_name\": \"a.jpg\", ", ""), EndsWith("images[0]: 'file_name' is missing"));
  EXPECT_THAT(error_of([&] { read(file("list.json", "[1]")); }), EndsWith("there is no list 'categories'"));
}

TEST_F(BoxFiles, VocErrorsNameFileAndLine) {
  const auto problem = [&](std::string text, const std::string& from, const std::string& to) {
    text.replace(text.find(from), from.size(), to);
    file("voc/bad.xml", text);
    return error_of([&] { read(folder_ / "voc"); });
  };
  EXPECT_THAT(problem(kVoc, "<xmin>21</xmin>", ""), EndsWith("bad.xml:5: <bndbox> has no <xmin>"));
  EXPECT_THAT(problem(kVoc, "21", "many"), EndsWith("bad.xml:5: <xmin> is no number: 'many'"));
  EXPECT_THAT(problem(kVoc, "<width>200", "<width>0"), EndsWith("bad.xml:3: width and height must be positive"));
  EXPECT_THAT(problem(kVoc, "<xmax>120", "<xmax>320"), EndsWith("bad.xml:5: the box reaches out of the picture"));
  EXPECT_THAT(problem(kVoc, "<filename>a.jpg</filename>", ""), EndsWith("bad.xml:1: <annotation> has no <filename>"));
  EXPECT_THAT(problem("<x></x>", "<x>", "<x>"), EndsWith("bad.xml:1: <annotation> is expected, not <x>"));
}

TEST_F(BoxFiles, YoloAndCsvErrorsNameFileAndLine) {
  const auto yolo = [&](const std::string& text) {
    file("yolo/classes.txt", "cat\n");
    file("yolo/a.txt", text);
    return error_of([&] { read(folder_ / "yolo"); });
  };
  EXPECT_THAT(yolo("0 0.5 0.5 1 1\n0 0.5 0.5\n"), EndsWith("a.txt:2: class, x, y, width and height are expected"));
  EXPECT_THAT(yolo("0 0.5 x 1 1\n"), EndsWith("a.txt:1: 'x' is no number"));
  EXPECT_THAT(yolo("1 0.5 0.5 1 1\n"), EndsWith("a.txt:1: there is no class 1"));
  EXPECT_THAT(yolo("0.5 0.5 0.5 1 1\n"), EndsWith("a.txt:1: there is no class 0.5"));
  EXPECT_THAT(error_of([&] { read(file("b.csv", "name,category,x,y,w,h\na.jpg,cat,0,0,0,1\n")); }),
              EndsWith("b.csv:2: the box has no area"));
  EXPECT_THAT(error_of([&] { read(file("c.csv", "name,category,x,y,w\na.jpg,cat,0,0,0\n")); }),
              EndsWith("c.csv:1: the header has no column 'h'"));
}

TEST_F(BoxFiles, UnknownFilesAreRefused) {
  EXPECT_THAT(error_of([&] { read(file("boxes.tsv", "")); }, ErrorCode::kUnsupported), HasSubstr("boxes.tsv"));
  error_of([&] { read(folder_ / "none"); }, ErrorCode::kNotFound);
  EXPECT_EQ(parse_box_format("yolo"), BoxFormat::kYolo);
  error_of([] { parse_box_format("pascal"); }, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace tessera::eval
