// Query pictures: prepared as indexing prepares them, whole or in part, from files and from memory.
#include "tessera/indexer/query_picture.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace tessera {
namespace {

TEST(QueryPicture, IsWhatIndexingPrepares) {
  const std::filesystem::path file =
      std::filesystem::temp_directory_path() / ("example_" + std::to_string(getpid()) + ".jpg");
  Image picture{1001, 667, std::vector<std::uint8_t>(std::size_t{3} * 1001 * 667)};
  for (std::size_t i = 0; i < picture.rgb.size(); ++i) picture.rgb[i] = static_cast<std::uint8_t>(i * i / 977);
  write_image(file, picture);
  for (const char* spec : {"square:64", "short:96/32", "fit:64"}) {
    const ResizeSpec resize = parse_resize_spec(spec);
    const Image expected = decode_prepared(read_file(file), file.string(), resize);
    const Image prepared = prepare_query_picture(file, nullptr, resize);
    EXPECT_EQ(prepared.width, expected.width) << spec;
    EXPECT_EQ(prepared.rgb, expected.rgb) << spec;
    // The same part of it as a file and from memory.
    const PictureRegion region{0.25, 0.125, 0.5, 0.5, true};
    const Image part = prepare_query_picture(file, &region, resize);
    EXPECT_EQ(part.rgb, prepare_query_picture(load_image(file), &region, resize).rgb) << spec;
    EXPECT_NE(part.rgb, prepared.rgb) << spec;
  }
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace tessera
