// Near copies: pictures altered as people and programs alter them, and how well the original is found again.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "tessera/image.h"
#include "tessera/indexer/eval_measures.h"

namespace tessera::eval {

enum class Alteration {
  kCrop,        // 50 to 90 % of the area, of the same shape, anywhere
  kRotate,      // by 2 to 10 degrees either way, the largest upright part of the same shape
  kMirror,      // left and right exchanged
  kRecompress,  // JPEG of quality 20
  kResize,      // to 25 to 75 % of the sides
  kText,        // one to three lines over the picture, together a tenth to a quarter of its height
  kBorder,      // a frame of one colour around it, 4 to 12 % of the shorter side
  kColor,       // brightness, contrast, saturation and each channel changed
  kBlur,        // Gaussian, sigma 0.5 to 1.5 % of the shorter side
};
std::span<const Alteration> alterations() noexcept;
const char* alteration_name(Alteration alteration) noexcept;  // "crop", "rotate", ...

// The same picture, alteration and seed give the same pixels. Sides must be at least 16 pixels.
Image altered(const Image& image, Alteration alteration, std::uint64_t seed);

// Decodes a file of the set in full, alters it and prepares it. Each picture has a seed of its own.
PictureSource altered_source(const EvalSet& set, Alteration alteration, std::uint64_t seed);

// Features of altered pictures; `features.pictures` are the numbers of the originals.
struct AlteredFeatures {
  Alteration alteration = Alteration::kCrop;
  FeatureSet features;
};

// Every alteration of a seeded sample of the set's pictures (0 = of all). The request's source and pictures are not
// looked at.
std::vector<AlteredFeatures> extract_altered(const EvalSet& set, const FeatureRequest& request, std::size_t queries,
                                             std::uint64_t seed, const BatchOptions& options);

// Adds the rows of `more`, whose pictures are numbered from `offset` on. Both must have the same descriptors.
void append_features(FeatureSet& features, const FeatureSet& more, std::size_t offset);

// Every altered picture is a query; the gallery holds the originals and what else is there; right is the original
// alone. Figures: recall@1 for each alteration and "total", then of the lists that the automatic cut at `precision`
// leaves: "found" (lists that hold the original) and "precision" (share of right results, mean over lists that are not
// empty).
Measured measure_copies(const FeatureSet& gallery, std::span<const AlteredFeatures> copies,
                        const MeasureOptions& options, double precision);

}  // namespace tessera::eval
