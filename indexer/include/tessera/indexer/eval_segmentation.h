// Segmentation by patches: a linear classifier over each patch's dense features, against masks or boxes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <vector>

#include "tessera/index_png.h"
#include "tessera/indexer/eval_features.h"
#include "tessera/indexer/eval_probe.h"

namespace tessera::eval {

// A class each pixel. Throws what read_file() and decode_index_png() throw.
IndexImage read_index_mask(const std::filesystem::path& path);

// Pictures and their masks, in the same order.
struct MaskedSet {
  EvalSet pictures;
  EvalSet masks;
};
// The pictures of `folder` for which `masks` has a .png that differs in the ending alone; others are left out.
MaskedSet read_masks(const std::filesystem::path& masks, const std::filesystem::path& folder);

// Classes of a grid of patches over a part of the picture, row by row; -1 = not counted.
//
// The class of a patch is 1 + the category of the smallest box that its centre lies in, else 0.
std::vector<int> patches_of_boxes(std::span<const Box> boxes, const ImagePart& part, int grid_height, int grid_width);
// The most frequent value of the mask's pixels there, the smallest of several; -1 if it is one of `ignored`.
std::vector<int> patches_of_mask(const IndexImage& mask, const ImagePart& part, int grid_height, int grid_width,
                                 std::span<const int> ignored);

// Patches of one picture: how many have a class, were given it, and both.
struct ClassCounts {
  std::vector<std::int64_t> truth, predicted, both;

  explicit ClassCounts(int classes = 0)
      : truth(std::size_t(classes)), predicted(std::size_t(classes)), both(std::size_t(classes)) {}
  void add(int true_class, int predicted_class);
  ClassCounts& operator+=(const ClassCounts& other);
};
// Mean over the classes that occur in the truth of both / (truth + predicted - both).
double mean_iou(const ClassCounts& counts);
// Of all pictures together; the interval draws pictures.
Interval mean_iou_interval(std::span<const ClassCounts> pictures, std::uint64_t seed, int resamples = 2000);

struct SegmentationSide {
  const EvalSet& set;
  const EvalSet* masks = nullptr;     // of the same pictures; none: the boxes of `set`
  std::vector<std::size_t> pictures;  // of the set, ascending
};

struct SegmentationRequest {
  ImageEncoder* encoder = nullptr;
  std::function<DecodedBatch(const EncodedBatch&)> decode;
  std::vector<int> token_counts = {1, 2, 4, 8, 16};  // a picture with fewer has them all
  std::vector<int> ignored = {255};                  // values of masks
  std::size_t patches = 0;                           // of each training picture, a seeded sample; 0 = all
};

struct SegmentationResult {
  // "mIoU" and "right" (share of the patches): a row "dense:l" for each token count, "cell" (colours and gradients of
  // the patch's pixels) and "majority" (the most frequent class).
  Measured measured;
  int classes = 0;
  std::size_t training_patches = 0;
  std::vector<Failure> training_failures, test_failures;
};
// Throws kUnsupported if either side has no patch with a class.
SegmentationResult probe_segmentation(const SegmentationSide& training, const SegmentationSide& test,
                                      const SegmentationRequest& request, const ProbeOptions& options,
                                      const BatchOptions& batches);

}  // namespace tessera::eval
