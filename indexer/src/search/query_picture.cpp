// Search queries from pictures.
#include "tessera/indexer/query_picture.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "tessera/error.h"

namespace tessera {
PixelRect region_pixels(const PictureRegion& region, int width, int height, const std::string& name) {
  const double scale_x = region.fractions ? width : 1;
  const double scale_y = region.fractions ? height : 1;
  const double right = (region.x + region.width) * scale_x;
  const double bottom = (region.y + region.height) * scale_y;
  constexpr double kRounding = 1e-6;
  if (right > width + kRounding || bottom > height + kRounding) {
    throw Error(ErrorCode::kInvalidArgument, "the region reaches to (" + std::to_string(std::llround(right)) + ", " +
                                                 std::to_string(std::llround(bottom)) + ") but " + name + " has " +
                                                 std::to_string(width) + " x " + std::to_string(height) + " pixels");
  }
  PixelRect rect;
  rect.x = std::min(static_cast<int>(std::floor(region.x * scale_x + kRounding)), width - 1);
  rect.y = std::min(static_cast<int>(std::floor(region.y * scale_y + kRounding)), height - 1);
  rect.width = std::max(1, std::min(static_cast<int>(std::ceil(right - kRounding)), width) - rect.x);
  rect.height = std::max(1, std::min(static_cast<int>(std::ceil(bottom - kRounding)), height) - rect.y);
  return rect;
}

Image prepare_query_picture(const std::filesystem::path& path, const PictureRegion* region, const ResizeSpec& resize) {
  if (region == nullptr) return decode_prepared(read_file(path, ImageLimits{}.max_file_bytes), path.string(), resize);
  const Image whole = load_image(path);
  const PixelRect rect = region_pixels(*region, whole.width, whole.height, path.string());
  return prepare_image(crop_image(whole, rect.x, rect.y, rect.width, rect.height), resize);
}

Image prepare_query_picture(const Image& picture, const PictureRegion* region, const ResizeSpec& resize) {
  if (region == nullptr) return prepare_image(picture, resize);
  const PixelRect rect = region_pixels(*region, picture.width, picture.height, "the picture");
  return prepare_image(crop_image(picture, rect.x, rect.y, rect.width, rect.height), resize);
}

QueryPart encode_query_picture(ImageEncoder& encoder, Image prepared, int tokens, float weight) {
  const std::array<Image, 1> batch = {std::move(prepared)};
  EncodedBatch encoded = encoder.encode(batch, tokens);
  QueryPart part;
  part.tokens = std::move(encoded.tokens);
  part.token_count = encoded.token_count;
  part.weight = weight;
  return part;
}

}  // namespace tessera
