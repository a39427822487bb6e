// XMP sidecars: what digiKam, Lightroom and darktable write is read, and stays when Tessera writes.
#include "tessera/indexer/xmp.h"

#include <gmock/gmock.h>

#include <array>
#include <sstream>

#include "curation_fixture.h"

namespace tessera {
namespace {

using namespace tessera::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string rdf(const std::string& attributes, const std::string& content) {
  return "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">"
         "<rdf:Description rdf:about=\"\" " +
         attributes + ">" + content + "</rdf:Description></rdf:RDF></x:xmpmeta>";
}

const std::string kDigikamFile =
    "<?xpacket begin=\"\xEF\xBB\xBF\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n" +
    rdf("xmlns:digiKam=\"http://www.digikam.org/ns/1.0/\" xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" "
        "xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns:lr=\"http://ns.adobe.com/lightroom/1.0/\" "
        "digiKam:PickLabel=\"3\" digiKam:ColorLabel=\"4\" xmp:Rating=\"4\"",
        "<digiKam:TagsList><rdf:Seq><rdf:li>Places/Vienna</rdf:li><rdf:li>cat</rdf:li></rdf:Seq></digiKam:TagsList>"
        "<lr:hierarchicalSubject><rdf:Bag><rdf:li>Places|Vienna</rdf:li><rdf:li>cat</rdf:li></rdf:Bag>"
        "</lr:hierarchicalSubject>"
        "<dc:subject><rdf:Bag><rdf:li>Vienna</rdf:li><rdf:li>cat</rdf:li></rdf:Bag></dc:subject>") +
    "\n<?xpacket end=\"w\"?>\n";

const std::string kLightroomFile =
    rdf("xmlns:xap=\"http://ns.adobe.com/xap/1.0/\" xmlns:crs=\"http://ns.adobe.com/camera-raw-settings/1.0/\" "
        "xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xap:Rating=\"3\" xap:Label=\"Blue\" crs:Exposure2012=\"+0.35\"",
        "<dc:subject>\n <rdf:Bag>\n  <rdf:li>dog &amp; cat</rdf:li>\n </rdf:Bag>\n</dc:subject>"
        "<crs:ToneCurve><rdf:Seq><rdf:li>0, 0</rdf:li></rdf:Seq></crs:ToneCurve>");

const std::string kDarktableFile =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" +
    rdf("xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" xmlns:darktable=\"http://darktable.sf.net/\" "
        "xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns:lr=\"http://ns.adobe.com/lightroom/1.0/\" "
        "xmp:Rating=\"-1\" darktable:history_end=\"5\"",
        "<darktable:colorlabels><rdf:Seq><rdf:li>1</rdf:li></rdf:Seq></darktable:colorlabels>"
        "<lr:hierarchicalSubject><rdf:Seq><rdf:li>darktable</rdf:li><rdf:li>darktable|format</rdf:li></rdf:Seq>"
        "</lr:hierarchicalSubject>");

TEST(Xmp, ReadsWhatOthersWrite) {
  EXPECT_EQ(parse_xmp(kDigikamFile, "x"), (XmpData{{Flag::kPick, 4, ColorLabel::kGreen}, {"Places/Vienna", "cat"}}));
  EXPECT_EQ(parse_xmp(kLightroomFile, "x"), (XmpData{{Flag::kNone, 3, ColorLabel::kBlue}, {"dog & cat"}}));
  EXPECT_EQ(parse_xmp(kDarktableFile, "x"), (XmpData{{Flag::kReject, 0, ColorLabel::kYellow}, {"darktable/format"}}));
  const std::string elements =
      rdf("xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\"", "<xmp:Rating>5</xmp:Rating><xmp:Label>red</xmp:Label>");
  EXPECT_EQ(parse_xmp(elements, "x").marks, (Marks{Flag::kNone, 5, ColorLabel::kRed}));
}

TEST(Xmp, WhatIsNotUnderstoodIsLeftOut) {
  EXPECT_EQ(parse_xmp("<html/>", "x"), XmpData{});
  EXPECT_EQ(parse_xmp(rdf("xmlns:xmp=\"urn:another\" xmp:Rating=\"5\"", ""), "x"), XmpData{});
  EXPECT_EQ(parse_xmp(rdf("xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" xmp:Rating=\"99\" xmp:Label=\"Urgent\"", ""), "x")
                .marks,
            (Marks{Flag::kNone, 5, ColorLabel::kNone}));
  EXPECT_EQ(parse_xmp(rdf("xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" xmp:Rating=\"many\"", ""), "x"), XmpData{});
  const std::string odd = rdf("xmlns:dc=\"http://purl.org/dc/elements/1.1/\"",
                              "<dc:subject><rdf:Bag><rdf:li>a\nb</rdf:li><rdf:li>  </rdf:li><rdf:li>" +
                                  std::string(300, 'x') + "</rdf:li></rdf:Bag></dc:subject>");
  EXPECT_THAT(parse_xmp(odd, "x").tags, ElementsAre("a b"));
  for (const char* text : {"", "no xml", "<a", "<a></b>"}) {
    EXPECT_EQ(code_of([&] { parse_xmp(text, "x"); }), ErrorCode::kDamaged) << text;
  }
  EXPECT_EQ(code_of([] { parse_xmp(std::string(9'000'000, ' '), "x"); }), ErrorCode::kLimit);
  EXPECT_EQ(code_of([] { update_xmp("<html/>", {}, "x"); }), ErrorCode::kDamaged);
  const std::string bomb = "<!DOCTYPE a [<!ENTITY b \"bbbb\"><!ENTITY c \"&b;&b;\">]>" +
                           rdf("xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" xmp:Label=\"&c;\"", "");
  EXPECT_EQ(parse_xmp(bomb, "x"), XmpData{});
  std::string deep;
  for (int i = 0; i < 200'000; ++i) deep += "<a>";
  EXPECT_EQ(code_of([&] { parse_xmp(deep, "x"); }), ErrorCode::kDamaged);
}

TEST(Xmp, CutAndChangedBytesAreSafe) {
  std::mt19937 random(5);
  for (const std::string& whole : {kDigikamFile, kLightroomFile, kDarktableFile}) {
    for (int i = 0; i < 1500; ++i) {
      std::string text = whole;
      for (unsigned changes = 1 + static_cast<unsigned>(random() % 4); changes > 0; --changes) {
        text[random() % text.size()] = static_cast<char>(random());
      }
      if (i % 3 == 0) text.resize(random() % text.size());
      try {
        const XmpData data = parse_xmp(text, "x");
        const XmpData again = parse_xmp(update_xmp(text, data, "x"), "x");
        EXPECT_EQ(again.marks.label, data.marks.label);
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::kDamaged);
      }
    }
  }
}

TEST(Xmp, UpdatesKeepWhatIsForeign) {
  const XmpData wanted{{Flag::kPick, 2, ColorLabel::kPurple}, {"a/b", "Öl & <paint>"}};
  for (const std::string& before : {std::string(), kDigikamFile, kLightroomFile, kDarktableFile}) {
    const std::string after = update_xmp(before, wanted, "x");
    EXPECT_EQ(parse_xmp(after, "x"), wanted) << after;
    EXPECT_EQ(update_xmp(after, wanted, "x"), after) << "the second time nothing changes";
  }
  const std::string lightroom = update_xmp(kLightroomFile, wanted, "x");
  EXPECT_THAT(lightroom, HasSubstr("crs:Exposure2012=\"+0.35\""));
  EXPECT_THAT(lightroom, HasSubstr("<rdf:li>0, 0</rdf:li>"));
  EXPECT_THAT(lightroom, HasSubstr("xap:Rating=\"2\""));
  EXPECT_THAT(lightroom, Not(HasSubstr("dog")));
  EXPECT_THAT(update_xmp(kDigikamFile, wanted, "x"), HasSubstr("xpacket end"));
  EXPECT_THAT(update_xmp(kDarktableFile, wanted, "x"), HasSubstr("darktable:history_end=\"5\""));
  const std::string rejected = update_xmp("", {{Flag::kReject, 3, ColorLabel::kNone}, {}}, "x");
  EXPECT_EQ(parse_xmp(rejected, "x").marks, (Marks{Flag::kReject, 0, ColorLabel::kNone}));
}

TEST(Sidecars, AreReadOnIndexAndWrittenOnlyWhenAsked) {
  TempDir dir;
  for (unsigned i = 0; i < 4; ++i) write_picture(dir / "photos" / (std::to_string(i) + ".png"), i);
  write_text(dir / "photos" / "0.png.xmp", kDigikamFile);
  write_text(dir / "photos" / "1.xmp", kLightroomFile);
  write_text(dir / "photos" / "2.png.xmp", "broken");
  Library library = Library::open(dir / "library", OpenMode::kCreate);
  FakeEncoder encoder;
  EXPECT_THAT(index(library, {dir / "photos"}, encoder).failed, IsEmpty());
  const auto records = list_all(library);
  ASSERT_EQ(records.size(), 4u);
  Curation curation = Curation::open(dir / "library", OpenMode::kWrite);
  const auto content = [&](int i) {
    return library.image(*library.find_path(dir / "photos" / (std::to_string(i) + ".png"))).hash;
  };
  EXPECT_EQ(curation.marks(content(0)).rating, 4);
  EXPECT_THAT(curation.tags(content(0)), ElementsAre("Places/Vienna", "cat"));
  EXPECT_EQ(curation.marks(content(1)).label, ColorLabel::kBlue);
  EXPECT_EQ(curation.marks(content(2)), Marks{});
  EXPECT_THAT(curation.journal(), IsEmpty()) << "nobody did it, so there is nothing to undo";

  curation.set_marks(std::array{content(1), content(3)}, {.rating = 1});
  const auto text_of = [](const std::filesystem::path& path) {
    std::ifstream in(path);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  };
  EXPECT_EQ(text_of(dir / "photos" / "1.xmp"), kLightroomFile);
  SidecarReport report = write_sidecars(curation, records);
  EXPECT_EQ(report.failed.size(), 1u);
  EXPECT_EQ(text_of(dir / "photos" / "2.png.xmp"), "broken");
  EXPECT_EQ(parse_xmp(text_of(dir / "photos" / "1.xmp"), "x").marks.rating, 1);
  EXPECT_EQ(parse_xmp(text_of(dir / "photos" / "3.png.xmp"), "x").marks.rating, 1);
  EXPECT_EQ(write_sidecars(curation, records).done, 0);

  write_text(dir / "photos" / "3.png.xmp", kDigikamFile);
  report = read_sidecars(curation, records);
  EXPECT_EQ(report.done, 1);
  EXPECT_EQ(curation.marks(content(3)).rating, 4);
  EXPECT_THAT(curation.tags(content(3)), ElementsAre("Places/Vienna", "cat"));
  curation.undo();
  curation.undo();
  EXPECT_EQ(curation.marks(content(3)).rating, 1);
}

}  // namespace
}  // namespace tessera
