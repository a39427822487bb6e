// Small collections and a cheap deterministic encoder for the tests of libraries.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tessera/error.h"
#include "tessera/indexer/library.h"

namespace tessera::testing {

// A new folder, removed with everything in it at the end.
class TempDir {
 public:
  explicit TempDir(const std::filesystem::path& parent = std::filesystem::temp_directory_path()) {
    std::string pattern = (parent / "tessera_test_XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw errno_error("make folder", pattern, errno);
    path_ = std::filesystem::canonical(pattern);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::filesystem::path& below) const { return path_ / below; }

 private:
  std::filesystem::path path_;
};

inline constexpr int kWidth = 32;  // D of the encoder below
inline constexpr int kStoredTokens = 4;

// Token t holds the mean colours of the cells of a coarse grid, rotated by t: similar pictures, similar tokens.
class FakeEncoder : public ImageEncoder {
 public:
  explicit FakeEncoder(std::string weights_hash = "00112233445566778899aabbccddeeff") {
    info_.model_name = "fake";
    info_.weights_hash = std::move(weights_hash);
    info_.device = "cpu";
    info_.token_width = kWidth;
  }

  const EncoderInfo& info() const override { return info_; }

  EncodedBatch encode(std::span<const Image> images, int tokens) override {
    EncodedBatch batch;
    batch.batch = static_cast<int>(images.size());
    batch.width = kWidth;
    batch.grid_width = images.front().width / 16;
    batch.grid_height = images.front().height / 16;
    const int most = batch.grid_width * batch.grid_height / 4;
    batch.token_count = tokens < 0 ? most : std::min(tokens, most);
    for (const Image& image : images) {
      if (image.width != images.front().width || image.height != images.front().height) {
        throw Error(ErrorCode::kInvalidArgument, "images of a batch differ in size");
      }
      const std::vector<float> cells = mean_cells(image);
      for (int t = 0; t < batch.token_count; ++t) {
        for (int d = 0; d < kWidth; ++d) batch.tokens.push_back(cells[static_cast<std::size_t>((d + 3 * t) % kWidth)]);
      }
      ++encoded;
      if (on_image) on_image(image);
    }
    ++calls;
    return batch;
  }

  std::int64_t encoded = 0;
  std::int64_t calls = 0;
  std::function<void(const Image&)> on_image;

 private:
  static std::vector<float> mean_cells(const Image& image) {
    std::vector<float> cells(kWidth, 0.01f);
    for (int y = 0; y < image.height; ++y) {
      for (int x = 0; x < image.width; ++x) {
        const std::uint8_t* pixel = &image.rgb[3 * (static_cast<std::size_t>(y) * image.width + x)];
        const int cell = (4 * y / image.height) * 2 + 2 * x / image.width;  // 4 x 2 cells, 4 values each
        for (int c = 0; c < 3; ++c) cells[static_cast<std::size_t>(4 * cell + c)] += (pixel[c] - 127.5f) / 127.5f;
      }
    }
    for (float& value : cells) value /= static_cast<float>(image.width * image.height) / 8.0f;
    return cells;
  }

  EncoderInfo info_;
};

inline LibraryEncoder library_encoder(const ImageEncoder& encoder) {
  LibraryEncoder result;
  result.model_name = encoder.info().model_name;
  result.weights_hash = encoder.info().weights_hash;
  result.model_dir = "/models/fake";
  result.resize = parse_resize_spec("square:64");
  result.token_width = kWidth;
  result.stored_tokens = kStoredTokens;
  return result;
}

// A picture that is different for every seed: coloured rectangles.
inline Image make_picture(unsigned seed, int width = 80, int height = 64) {
  std::mt19937 random(seed);
  Image image;
  image.width = width;
  image.height = height;
  image.rgb.resize(std::size_t(3) * width * height);
  for (int shape = 0; shape < 6; ++shape) {
    const int x0 = shape == 0 ? 0 : static_cast<int>(random() % static_cast<unsigned>(width));
    const int y0 = shape == 0 ? 0 : static_cast<int>(random() % static_cast<unsigned>(height));
    const int x1 = shape == 0 ? width : x0 + 1 + static_cast<int>(random() % static_cast<unsigned>(width));
    const int y1 = shape == 0 ? height : y0 + 1 + static_cast<int>(random() % static_cast<unsigned>(height));
    const std::uint8_t colour[3] = {static_cast<std::uint8_t>(random()), static_cast<std::uint8_t>(random()),
                                    static_cast<std::uint8_t>(random())};
    for (int y = y0; y < std::min(y1, height); ++y) {
      for (int x = x0; x < std::min(x1, width); ++x) {
        std::copy(colour, colour + 3, &image.rgb[3 * (static_cast<std::size_t>(y) * width + x)]);
      }
    }
  }
  return image;
}

inline void write_picture(const std::filesystem::path& path, unsigned seed, int width = 80, int height = 64) {
  std::filesystem::create_directories(path.parent_path());
  write_image(path, make_picture(seed, width, height));
}

inline void write_text(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

inline IngestReport index(Library& library, const std::vector<std::filesystem::path>& roots, ImageEncoder& encoder,
                          IngestOptions options = {}) {
  if (options.decode_threads == 0) options.decode_threads = 2;
  library.set_encoder(library_encoder(encoder));
  return library.index(roots, options, encoder);
}

inline std::vector<ImageRecord> list_all(const Library& library, const ListFilter& filter = {}) {
  std::vector<ImageRecord> images;
  library.list(filter, [&](const ImageRecord& image) {
    images.push_back(image);
    return true;
  });
  return images;
}

inline std::vector<std::string> problems_of(const Library& library, bool photos = false) {
  std::vector<std::string> texts;
  for (const VerifyProblem& problem : library.verify(photos))
    texts.push_back(problem.file.string() + ": " + problem.problem);
  return texts;
}

// The code of the Error that `action` throws; fails the test if it throws none.
inline ErrorCode code_of(const std::function<void()>& action, std::string* message = nullptr) {
  try {
    action();
  } catch (const Error& error) {
    if (message != nullptr) *message = error.what();
    return error.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorCode::kInternal;
}

// Photos, a library and an encoder in a folder of their own.
class LibraryTest : public ::testing::Test {
 protected:
  std::filesystem::path photos() const { return dir_ / "photos"; }
  std::filesystem::path library_dir() const { return dir_ / "library"; }
  Library open(OpenMode mode = OpenMode::kCreate) const { return Library::open(library_dir(), mode); }

  TempDir dir_;
  FakeEncoder encoder_;
};

}  // namespace tessera::testing
