// Tokens of the pictures of a set: prepared on several threads, encoded in batches, kept in a cache.
//
// The same pictures and settings give the same bits, whatever the number of threads that decode.
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "tessera/encoder.h"
#include "tessera/image.h"
#include "tessera/indexer/eval_set.h"
#include "tessera/resize.h"

namespace tessera::eval {

struct Failure {
  std::size_t picture = 0;
  std::string reason;
};
// "FILE: reason"
std::string failure_text(const EvalSet& set, const Failure& failure);

// Gives picture `index` prepared for the encoder; what it throws is the picture's failure. Called from several threads.
using PictureSource = std::function<Image(std::size_t index, const ResizeSpec& resize)>;
PictureSource file_source(const EvalSet& set);  // decode_prepared() of the files; keeps a reference to the set

struct BatchOptions {
  ResizeSpec resize;
  int batch = 32;   // pictures an encoder call at most
  int threads = 0;  // that decode; 0 = all cores
  std::function<void(std::size_t done, std::size_t total)> progress;
  std::stop_token stop;  // throws kCancelled
};

// Prepares the pictures on several threads and hands them over on the caller's, in batches of one size: `use` gets
// their numbers and pixels. Which pictures share a batch depends on the pictures and on `batch` alone. Returns the
// failures in order.
std::vector<Failure> for_each_batch(
    std::span<const std::size_t> pictures, const PictureSource& source, const BatchOptions& options,
    const std::function<void(std::span<const std::size_t> pictures, std::span<const Image> images)>& use);

// Row r belongs to picture pictures[r]; rows are in ascending order of picture.
struct TokenTable {
  std::vector<std::size_t> pictures;
  int tokens = 0;  // N, room per picture
  int width = 0;   // D
  int summary_width = 0;
  std::vector<int> counts;     // tokens that a picture has, 1 .. N
  std::vector<float> values;   // [rows, N, D]; unit vectors, zeros beyond the count
  std::vector<float> summary;  // [rows, summary_width]; unit vectors
  std::vector<Failure> failures;

  std::size_t rows() const { return pictures.size(); }
  std::span<const float> token(std::size_t row, int token) const {
    return std::span(values).subspan((row * std::size_t(tokens) + std::size_t(token)) * std::size_t(width),
                                     std::size_t(width));
  }
};

struct TokenOptions {
  int tokens = 16;                 // N; a picture with fewer has them all
  std::vector<int> summary_slots;  // prefix tokens that are the summary (ModelConfig::summary_slots); may be empty
  std::filesystem::path cache;     // a folder that keeps what was extracted; empty = none
};

TokenTable extract_tokens(std::span<const std::size_t> pictures, const PictureSource& source, ImageEncoder& encoder,
                          const TokenOptions& tokens, const BatchOptions& options);
// All pictures of the set; the only one that uses the cache. `hash` = data_hash(set).
TokenTable extract_tokens(const EvalSet& set, const std::string& hash, ImageEncoder& encoder,
                          const TokenOptions& tokens, const BatchOptions& options);

// Tokens as a library stores them for its second stage: int8 codes with a scale.
void store_as_library(TokenTable& table);

}  // namespace tessera::eval
