// Segmentation masks: reading them, finding those of pictures, and the classes of patches.
#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "eval/folder.h"
#include "tessera/error.h"
#include "tessera/image.h"
#include "tessera/indexer/eval_segmentation.h"

namespace tessera::eval {
namespace {

namespace fs = std::filesystem;

// The pixels [first, end) of `size` that cell `index` of `cells` covers; at least one.
std::pair<int, int> covered(double start, double extent, int index, int cells, int size) {
  const double from = (start + extent * index / cells) * size, to = (start + extent * (index + 1) / cells) * size;
  const int first = std::clamp(static_cast<int>(std::lround(from)), 0, size - 1);
  return {first, std::clamp(static_cast<int>(std::lround(to)), first + 1, size)};
}

}  // namespace

IndexImage read_index_mask(const fs::path& path) {
  return decode_index_png(read_file(path, ImageLimits{}.max_file_bytes), path.string());
}

MaskedSet read_masks(const fs::path& masks, const fs::path& folder) {
  std::map<std::string, std::string> by_stem;
  for (const std::string& name : picture_names(masks)) {
    if (name.ends_with(".png") || name.ends_with(".PNG")) by_stem.emplace(without_ending(name), name);
  }
  MaskedSet result{read_folder(folder), {masks, {}, {}, {}}};
  std::vector<Picture> kept;
  for (Picture& picture : result.pictures.pictures) {
    const auto mask = by_stem.find(without_ending(picture.name));
    if (mask == by_stem.end()) continue;
    result.masks.pictures.push_back({mask->second, -1, {}});
    kept.push_back(std::move(picture));
  }
  result.pictures.pictures = std::move(kept);
  return result;
}

std::vector<int> patches_of_boxes(std::span<const Box> boxes, const ImagePart& part, int grid_height, int grid_width) {
  std::vector<int> classes;
  for (int row = 0; row < grid_height; ++row) {
    for (int column = 0; column < grid_width; ++column) {
      const double x = part.x + part.width * (column + 0.5) / grid_width;
      const double y = part.y + part.height * (row + 0.5) / grid_height;
      const Box* smallest = nullptr;
      for (const Box& box : boxes) {
        if (x < box.x || y < box.y || x >= box.x + box.width || y >= box.y + box.height) continue;
        if (smallest == nullptr || box.width * box.height < smallest->width * smallest->height) smallest = &box;
      }
      classes.push_back(smallest == nullptr ? 0 : 1 + smallest->category);
    }
  }
  return classes;
}

std::vector<int> patches_of_mask(const IndexImage& mask, const ImagePart& part, int grid_height, int grid_width,
                                 std::span<const int> ignored) {
  std::vector<int> classes;
  for (int row = 0; row < grid_height; ++row) {
    const auto [top, bottom] = covered(part.y, part.height, row, grid_height, mask.height);
    for (int column = 0; column < grid_width; ++column) {
      const auto [left, right] = covered(part.x, part.width, column, grid_width, mask.width);
      std::array<int, 256> counts{};
      for (int y = top; y < bottom; ++y) {
        for (int x = left; x < right; ++x) {
          ++counts[mask.values[std::size_t(y) * std::size_t(mask.width) + std::size_t(x)]];
        }
      }
      const int most = static_cast<int>(std::max_element(counts.begin(), counts.end()) - counts.begin());
      classes.push_back(std::find(ignored.begin(), ignored.end(), most) == ignored.end() ? most : -1);
    }
  }
  return classes;
}

}  // namespace tessera::eval
