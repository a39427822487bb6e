// The probe of patches: dense features from the first tokens, a linear classifier, intersection over union.
#include "tessera/indexer/eval_segmentation.h"

#include <algorithm>
#include <numeric>

#include "eval/patch_cells.h"
#include "eval/random.h"
#include "tessera/error.h"

namespace tessera::eval {
namespace {

struct Patches {
  std::vector<int> classes;  // of the grid, row by row
  std::vector<float> cells;  // [patches, kCellWidth]
};

// Pictures that were encoded together; numbers are places in Extracted::pictures.
struct Group {
  std::vector<std::size_t> places;
  EncodedBatch encoded;
};

struct Extracted {
  std::vector<Patches> pictures;  // as in the side; empty for one that failed
  std::vector<Group> groups;
  std::vector<Failure> failures;
};

Extracted extract(const SegmentationSide& side, const SegmentationRequest& request, const BatchOptions& batches) {
  Extracted result;
  result.pictures.resize(side.pictures.size());
  const auto place_of = [&side](std::size_t picture) {
    const auto found = std::lower_bound(side.pictures.begin(), side.pictures.end(), picture);
    return static_cast<std::size_t>(found - side.pictures.begin());
  };
  const PictureSource source = [&](std::size_t picture, const ResizeSpec& resize) {
    const std::filesystem::path path = side.set.path(picture);
    ImageInfo info;
    Image image =
        decode_prepared(read_file(path, ImageLimits{}.max_file_bytes), path.string(), resize, ImageLimits{}, &info);
    const ImagePart part = prepared_part(info.width, info.height, resize);
    const int height = image.height / kPatchSide, width = image.width / kPatchSide;
    Patches& patches = result.pictures[place_of(picture)];
    patches.classes = side.masks == nullptr ? patches_of_boxes(side.set.pictures[picture].boxes, part, height, width)
                                            : patches_of_mask(read_index_mask(side.masks->path(picture)), part, height,
                                                              width, request.ignored);
    patches.cells = patch_cells(image);
    return image;
  };
  const int most = *std::max_element(request.token_counts.begin(), request.token_counts.end());
  result.failures = for_each_batch(side.pictures, source, batches,
                                   [&](std::span<const std::size_t> pictures, std::span<const Image> images) {
                                     Group& group = result.groups.emplace_back();
                                     for (const std::size_t each : pictures) group.places.push_back(place_of(each));
                                     group.encoded = request.encoder->encode(images, most);
                                   });
  return result;
}

EncodedBatch first_tokens(const EncodedBatch& encoded, int count) {
  EncodedBatch first = encoded;
  first.token_count = std::min(count, encoded.token_count);
  first.tokens.clear();
  const std::size_t kept = std::size_t(first.token_count) * std::size_t(first.width);
  for (int image = 0; image < encoded.batch; ++image) {
    const std::span<const float> tokens = encoded.image_tokens(image).first(kept);
    first.tokens.insert(first.tokens.end(), tokens.begin(), tokens.end());
  }
  return first;
}

// [images, patches, width] of a group.
using PatchFeatures = std::function<std::vector<float>(const Extracted& side, const Group& group)>;

PatchFeatures dense_features(const SegmentationRequest& request, int tokens) {
  return [&request, tokens](const Extracted&, const Group& group) {
    return request.decode(first_tokens(group.encoded, tokens)).dense;
  };
}

std::vector<float> cell_features(const Extracted& side, const Group& group) {
  std::vector<float> values;
  for (const std::size_t place : group.places) {
    const std::vector<float>& cells = side.pictures[place].cells;
    values.insert(values.end(), cells.begin(), cells.end());
  }
  return values;
}

// Hands over the vectors of the patches of each picture in turn: place in the side, vectors, width.
template <typename Use>
void for_each_picture(const Extracted& side, const PatchFeatures& features, const Use& use) {
  for (const Group& group : side.groups) {
    const std::vector<float> values = features(side, group);
    const std::size_t share = values.size() / group.places.size();
    for (std::size_t i = 0; i < group.places.size(); ++i) {
      const std::size_t patches = side.pictures[group.places[i]].classes.size();
      use(group.places[i], std::span(values).subspan(i * share, share), share / patches);
    }
  }
}

// The patches of each training picture that are trained on.
std::vector<std::vector<std::size_t>> chosen_patches(const Extracted& side, std::size_t most, std::uint64_t seed) {
  std::vector<std::vector<std::size_t>> chosen(side.pictures.size());
  for (std::size_t p = 0; p < chosen.size(); ++p) {
    std::vector<std::size_t> counted;
    const std::vector<int>& classes = side.pictures[p].classes;
    for (std::size_t i = 0; i < classes.size(); ++i) {
      if (classes[i] >= 0) counted.push_back(i);
    }
    for (const std::size_t i : sample(counted.size(), most, seed + p)) chosen[p].push_back(counted[i]);
  }
  return chosen;
}

ProbeRows training_rows(const Extracted& side, const std::vector<std::vector<std::size_t>>& chosen,
                        const PatchFeatures& features) {
  ProbeRows rows;
  for_each_picture(side, features, [&](std::size_t place, std::span<const float> values, std::size_t width) {
    rows.width = static_cast<int>(width);
    for (const std::size_t patch : chosen[place]) {
      const auto vector = values.subspan(patch * width, width);
      rows.values.insert(rows.values.end(), vector.begin(), vector.end());
      rows.classes.push_back(side.pictures[place].classes[patch]);
    }
  });
  return rows;
}

int classes_of(const Extracted& side, int classes) {
  for (const Patches& patches : side.pictures) {
    for (const int each : patches.classes) classes = std::max(classes, each + 1);
  }
  return classes;
}

std::int64_t sum(const std::vector<std::int64_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
}

double right_share(const ClassCounts& counts) { return double(sum(counts.both)) / double(sum(counts.truth)); }

// A figure of all pictures together, and its interval over draws of pictures.
template <typename Figure>
Interval drawn_interval(std::span<const ClassCounts> pictures, std::uint64_t seed, int resamples,
                        const Figure& figure) {
  if (pictures.empty()) return {};
  const auto total = [&](const auto& number_of) {
    ClassCounts counts(static_cast<int>(pictures.front().truth.size()));
    for (std::size_t i = 0; i < pictures.size(); ++i) counts += pictures[number_of(i)];
    return figure(counts);
  };
  Random random(seed);
  std::vector<double> values;
  for (int i = 0; i < resamples; ++i) {
    values.push_back(total([&](std::size_t) { return random.below(pictures.size()); }));
  }
  std::sort(values.begin(), values.end());
  const double whole = total([](std::size_t i) { return i; });
  if (values.empty()) return {whole, whole, whole};
  const auto at = [&](double share) { return values[static_cast<std::size_t>(share * double(values.size() - 1))]; };
  return {whole, at(0.025), at(0.975)};
}

Interval per_cent(const Interval& share) { return {100 * share.mean, 100 * share.low, 100 * share.high}; }

}  // namespace

void ClassCounts::add(int true_class, int predicted_class) {
  ++truth[static_cast<std::size_t>(true_class)];
  ++predicted[static_cast<std::size_t>(predicted_class)];
  if (true_class == predicted_class) ++both[static_cast<std::size_t>(true_class)];
}

ClassCounts& ClassCounts::operator+=(const ClassCounts& other) {
  for (std::size_t k = 0; k < truth.size(); ++k) {
    truth[k] += other.truth[k];
    predicted[k] += other.predicted[k];
    both[k] += other.both[k];
  }
  return *this;
}

double mean_iou(const ClassCounts& counts) {
  double total = 0;
  int classes = 0;
  for (std::size_t k = 0; k < counts.truth.size(); ++k) {
    if (counts.truth[k] == 0) continue;
    total += double(counts.both[k]) / double(counts.truth[k] + counts.predicted[k] - counts.both[k]);
    ++classes;
  }
  return classes == 0 ? 0 : total / classes;
}

Interval mean_iou_interval(std::span<const ClassCounts> pictures, std::uint64_t seed, int resamples) {
  return drawn_interval(pictures, seed, resamples, mean_iou);
}

SegmentationResult probe_segmentation(const SegmentationSide& training, const SegmentationSide& test,
                                      const SegmentationRequest& request, const ProbeOptions& options,
                                      const BatchOptions& batches) {
  if (request.encoder == nullptr || !request.decode || request.token_counts.empty()) {
    throw Error(ErrorCode::kInvalidArgument, "a probe of patches needs an encoder, a decoder and numbers of tokens");
  }
  const Extracted trained = extract(training, request, batches), tested = extract(test, request, batches);
  SegmentationResult result;
  result.training_failures = trained.failures;
  result.test_failures = tested.failures;
  result.classes = classes_of(tested, classes_of(trained, 0));
  const std::vector<std::vector<std::size_t>> chosen = chosen_patches(trained, request.patches, options.seed);
  std::vector<std::int64_t> frequency(static_cast<std::size_t>(result.classes));
  for (std::size_t p = 0; p < chosen.size(); ++p) {
    for (const std::size_t patch : chosen[p]) {
      ++frequency[static_cast<std::size_t>(trained.pictures[p].classes[patch])];
    }
  }
  result.training_patches = static_cast<std::size_t>(sum(frequency));
  if (result.training_patches == 0 || classes_of(tested, 0) == 0) {
    throw Error(ErrorCode::kUnsupported, "a probe needs patches with a class to train on and others to test with");
  }

  Measured& measured = result.measured;
  measured.figures = {"mIoU", "right"};
  const auto add = [&](const std::string& name, int tokens, const PatchFeatures& features, const auto& predict) {
    std::vector<ClassCounts> all(tested.pictures.size(), ClassCounts(result.classes));
    for_each_picture(tested, features, [&](std::size_t place, std::span<const float> values, std::size_t width) {
      const std::vector<int>& classes = tested.pictures[place].classes;
      for (std::size_t i = 0; i < classes.size(); ++i) {
        if (classes[i] >= 0) all[place].add(classes[i], predict(values.subspan(i * width, width)));
      }
    });
    std::erase_if(all, [](const ClassCounts& each) { return sum(each.truth) == 0; });
    measured.queries = all.size();
    measured.rows.push_back({name,
                             tokens,
                             {per_cent(mean_iou_interval(all, options.seed)),
                              per_cent(drawn_interval(all, options.seed, 2000, right_share))}});
  };
  const auto probe = [&](const std::string& name, int tokens, const PatchFeatures& features) {
    const LinearClassifier classifier(training_rows(trained, chosen, features), result.classes, options);
    add(name, tokens, features, [&](std::span<const float> vector) { return classifier.predict(vector); });
  };
  for (const int tokens : request.token_counts) {
    probe("dense:" + std::to_string(tokens), tokens, dense_features(request, tokens));
  }
  probe("cell", 0, cell_features);
  const auto most = static_cast<int>(std::max_element(frequency.begin(), frequency.end()) - frequency.begin());
  add("majority", 0, cell_features, [most](std::span<const float>) { return most; });
  measured.without_match = test.pictures.size() - tested.failures.size() - measured.queries;
  return result;
}

}  // namespace tessera::eval
