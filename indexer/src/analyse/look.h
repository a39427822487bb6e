// A small grey version of a picture, and how two of them match: as a whole, and with one inside the other after
// scaling, a small turn and mirroring.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "tessera/image.h"

namespace tessera {

struct Look {
  static constexpr int kShortSide = 64;
  static constexpr int kCells = 4;  // colours: 4 x 4 cells

  int width = 0;  // of `grey`; the shorter side is kShortSide, the longer at most four times that
  int height = 0;
  double aspect = 1;                                       // width / height of the picture itself
  std::vector<std::uint8_t> grey;                          // Rec. 601 luma
  std::array<std::uint8_t, 3 * kCells * kCells> colors{};  // mean R, G, B of each cell
};

Look make_look(const Image& image);
// Decodes no larger than needed. Throws what load_image() throws.
Look load_look(const std::filesystem::path& path);

struct WholeMatch {
  bool same_shape = false;  // aspects differ by less than two per cent
  float correlation = 0;    // of the greys, each picture stretched to a square
  float difference = 255;   // largest mean grey difference of one of 8 x 8 tiles
  float color = 255;        // largest difference of one channel of one cell
};
WholeMatch match_whole(const Look& a, const Look& b);

// The best placement found of one picture (the inner one) in the other.
struct Placement {
  float correlation = 0;  // of the greys of the inner picture with what lies under it; brightness and contrast are free
  float tiles = 0;        // median of the same over 4 x 4 tiles of the inner one: a local change does not count
  float scale = 1;        // short side of the inner one to that of the outer one
  float angle = 0;        // degrees
  bool mirrored = false;
  bool a_is_inner = false;
};
Placement match_placed(const Look& a, const Look& b);

}  // namespace tessera
