// First tokens of a library's pictures, as the analysis takes them.
#include "library_fixture.h"

namespace tessera {
namespace {

using testing::FakeEncoder;
using testing::index;
using testing::list_all;
using testing::TempDir;
using testing::write_picture;

TEST(LibraryVectors, AreThoseOfTheTokensAndLeaveOutWhatIsGone) {
  const TempDir dir;
  for (unsigned i = 0; i < 6; ++i) write_picture(dir / "photos" / ("p" + std::to_string(i) + ".png"), i);
  testing::write_text(dir / "photos" / "broken.png", "no picture");
  FakeEncoder encoder;
  Library library = Library::open(dir / "lib", OpenMode::kCreate);
  EXPECT_TRUE(library.vectors().ids.empty());
  index(library, {dir / "photos"}, encoder);

  const PictureVectors all = library.vectors();
  ASSERT_EQ(all.ids.size(), 6U);
  EXPECT_TRUE(std::is_sorted(all.ids.begin(), all.ids.end()));
  for (std::size_t row = 0; row < all.ids.size(); ++row) {
    VectorSet pair(testing::kWidth);
    pair.add(library.tokens(all.ids[row], 1).tokens);
    pair.add(library.tokens(all.ids[0], 1).tokens);
    EXPECT_EQ(all.vectors.similarity(row, 0), pair.similarity(0, 1));
  }

  const std::vector<ImageId> some = {all.ids[4], all.ids[1], 9'999};
  const PictureVectors chosen = library.vectors(some);
  EXPECT_EQ(chosen.ids, (std::vector<ImageId>{all.ids[1], all.ids[4]}));
  EXPECT_EQ(chosen.vectors.similarity(0, 1), all.vectors.similarity(1, 4));

  std::filesystem::remove(dir / "photos" / "p2.png");
  index(library, {dir / "photos"}, encoder);
  EXPECT_EQ(library.vectors().ids.size(), 5U);
}

}  // namespace
}  // namespace tessera
