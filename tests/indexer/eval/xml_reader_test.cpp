// The small XML reader: what it understands, and errors that name the line.
#include "eval/xml_reader.h"

#include <gmock/gmock.h>

#include "eval/eval_fixture.h"

namespace tessera::eval {
namespace {

using test::error_of;
using test::TempDir;
using test::write_text;
using ::testing::EndsWith;

class XmlReader : public ::testing::Test {
 protected:
  XmlElement read(const std::string& text) const { return read_xml(write_text(folder_ / "a.xml", text)); }
  std::string problem(const std::string& text) const {
    return error_of([&] { read(text); });
  }
  TempDir folder_;
};

TEST_F(XmlReader, ReadsElementsTextEntitiesAndSkipsTheRest) {
  const XmlElement root = read(
      "<?xml version=\"1.0\"?>\n<!DOCTYPE a>\n<!-- <x> -->\n<a kind='1' b=\"<\">\n <b> x &lt;&amp;&#65;&#x20ac; "
      "</b>\n <b/>\n <c><![CDATA[<d>]]></c></a>\n");
  EXPECT_EQ(root.name, "a");
  EXPECT_EQ(root.line, 4);
  ASSERT_EQ(root.children.size(), 3u);
  EXPECT_EQ(root.children[0].text, "x <&A\xE2\x82\xAC");
  EXPECT_EQ(root.children[1].line, 6);
  EXPECT_EQ(root.children[1].text, "");
  ASSERT_NE(root.child("c"), nullptr);
  EXPECT_EQ(root.child("c")->text, "<d>");
  EXPECT_EQ(root.child("none"), nullptr);
}

TEST_F(XmlReader, ErrorsNameFileAndLine) {
  EXPECT_THAT(problem(""), EndsWith("a.xml:1: an element is expected"));
  EXPECT_THAT(problem("<a>\n<b>\n</a>"), EndsWith("a.xml:3: </a> closes <b> of line 2"));
  EXPECT_THAT(problem("<a>\n<b></b>\n"), EndsWith("a.xml:3: <a> of line 1 does not end"));
  EXPECT_THAT(problem("<a\n"), EndsWith("a.xml:2: the tag <a> does not end"));
  EXPECT_THAT(problem("<a>\n&nbsp;</a>"), EndsWith("a.xml:2: unknown entity '&nbsp;'"));
  EXPECT_THAT(problem("<a>&#0;</a>"), EndsWith("a.xml:1: '&#0;' is no character"));
  EXPECT_THAT(problem("<a>&</a>"), EndsWith("a.xml:1: an '&' starts no entity"));
  EXPECT_THAT(problem("<a></a>\n<b/>"), EndsWith("a.xml:2: text follows the end of <a>"));
  EXPECT_THAT(problem("<a x></a>"), EndsWith("a.xml:1: an attribute of <a> has no value"));
  EXPECT_THAT(problem("<a x=1></a>"), EndsWith("a.xml:1: an attribute value of <a> is not quoted"));
  EXPECT_THAT(problem("<a><!-- "), EndsWith("a.xml:1: a comment does not end"));
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "<a>";
  EXPECT_THAT(problem(deep), EndsWith("a.xml:1: elements are nested too deeply"));
}

}  // namespace
}  // namespace tessera::eval
