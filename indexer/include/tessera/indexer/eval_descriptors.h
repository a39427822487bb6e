// What evaluation compares: vectors made of an encoder's tokens, and hand-made descriptors as baselines.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tessera/indexer/eval_features.h"

namespace tessera::eval {

// w_i = (1 - i/N)^power, the weight of token i of N in every comparison of token sets.
double token_weight(int token, int most, double power);

struct Descriptor {
  enum class Kind {
    kToken0,     // "token0"
    kTokens,     // "tokens:l": the first l tokens, each times sqrt(w_i), concatenated
    kSummary,    // "summary"
    kPHash,      // "phash": 64 bits of the DCT of 32 x 32 greys
    kDHash,      // "dhash": 64 bits, neighbours of 9 x 8 greys
    kColorHist,  // "colorhist": HSV 8 x 4 x 4, cosine of the roots (Bhattacharyya)
    kHog,        // "hog": gradients of 128 x 128 greys, 16 pixels a cell, 9 directions, blocks of 2 x 2
    kGist,       // "gist": Gabor energies of 128 x 128 greys, 4 scales x 8 directions, 4 x 4 fields
    kRandom,     // "random": token 0 of the same network with random weights
  };
  Kind kind = Kind::kToken0;
  int tokens = 0;  // kTokens
};
Descriptor parse_descriptor(std::string_view text);  // throws kInvalidArgument with the accepted forms
std::string descriptor_name(const Descriptor& descriptor);
bool needs_model(const Descriptor& descriptor) noexcept;
bool is_baseline(const Descriptor& descriptor) noexcept;  // made of pixels, without an encoder

// Unit vectors; cosine = dot product.
struct VectorTable {
  std::string name;  // of the descriptor
  int width = 0;
  std::vector<float> values;  // [rows, width]

  std::size_t rows() const { return width == 0 ? 0 : values.size() / std::size_t(width); }
  std::span<const float> row(std::size_t r) const {
    return std::span(values).subspan(r * std::size_t(width), std::size_t(width));
  }
};

// Out of the tokens: kToken0, kTokens, kSummary. Throws kInvalidArgument if the table lacks them.
VectorTable describe(const TokenTable& table, const Descriptor& descriptor, double weight_power);
// Out of pixels, in one pass; one table each, rows as in `pictures` without the failures.
struct BaselineTables {
  std::vector<std::size_t> pictures;
  std::vector<VectorTable> tables;
  std::vector<Failure> failures;
};
BaselineTables extract_baselines(std::span<const std::size_t> pictures, const PictureSource& source,
                                 std::span<const Descriptor> descriptors, const BatchOptions& options);
// One baseline of one picture of any size.
std::vector<float> baseline_vector(const Image& image, Descriptor::Kind kind);
// The size at which baselines take pictures: the whole picture, shorter side 128 pixels.
ResizeSpec baseline_resize();

struct FeatureRequest {
  std::vector<Descriptor> descriptors;
  bool token_sets = false;  // keep the tokens, for a second stage
  bool stored = false;      // tokens as a library stores them
  double weight_power = 2;
  TokenOptions tokens;
  ImageEncoder* encoder = nullptr;         // for what needs a model
  ImageEncoder* random_encoder = nullptr;  // for kRandom
  PictureSource source;                    // of the pictures' pixels; empty = their files. With one nothing is cached
  std::vector<std::size_t> pictures;       // of the set, ascending; empty = all. Only with a source
};

// Rows of all tables belong to `pictures`: those that every descriptor asked for could be made of.
struct FeatureSet {
  std::vector<std::size_t> pictures;
  TokenTable tokens;                 // only with token_sets
  std::vector<VectorTable> vectors;  // in the order asked for
  std::vector<Failure> failures;
};

FeatureSet extract_features(const EvalSet& set, const std::string& hash, const FeatureRequest& request,
                            const BatchOptions& options);

}  // namespace tessera::eval
