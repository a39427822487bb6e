// Random token sets, segments made of them and a folder that goes away, for tests of store and search.
#pragma once

#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <stdexcept>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "store/segment.h"
#include "store/segment_writer.h"

namespace tessera::test {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "tessera-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// One image as an encoder would give it.
struct TestImage {
  ContentHash content;
  std::vector<float> tokens;  // [count, D]
  int count = 0;
};

inline SegmentSpec test_spec(int width, int max_tokens) {
  return {"0123456789abcdef0123456789abcdef", "square:256", width, max_tokens};
}

class ImageMaker {
 public:
  ImageMaker(int width, int max_tokens, unsigned seed) : width_(width), max_tokens_(max_tokens), random_(seed) {}

  std::vector<float> vector() {
    std::normal_distribution<float> normal;
    std::vector<float> v(std::size_t(width_), 0.0f);
    for (float& x : v) x = normal(random_);
    return v;
  }
  TestImage image(int count) {
    TestImage made;
    made.count = count;
    std::normal_distribution<float> normal(0.0f, 3.0f);
    for (int i = 0; i < count * width_; ++i) made.tokens.push_back(normal(random_));
    for (std::uint8_t& byte : made.content.digest) byte = static_cast<std::uint8_t>(random_());
    made.content.bytes = random_();
    return made;
  }
  TestImage image() { return image(1 + static_cast<int>(random_() % unsigned(max_tokens_))); }
  std::mt19937& random() { return random_; }

 private:
  int width_;
  int max_tokens_;
  std::mt19937 random_;
};

inline std::shared_ptr<const Segment> write_segment(const std::filesystem::path& path, const SegmentSpec& spec,
                                                    std::span<const TestImage> images) {
  SegmentWriter writer(path, spec);
  for (const TestImage& image : images) writer.add(image.content, image.tokens, image.count);
  writer.finish();
  return Segment::open(path);
}

inline std::vector<TestImage> make_images(ImageMaker& maker, int count) {
  std::vector<TestImage> images;
  for (int i = 0; i < count; ++i) images.push_back(maker.image());
  return images;
}

inline std::vector<float> normalised(std::span<const float> v) {
  double norm = 0;
  for (const float x : v) norm += double(x) * x;
  std::vector<float> result(v.begin(), v.end());
  if (norm > 0) {
    for (float& x : result) x = static_cast<float>(x / std::sqrt(norm));
  }
  return result;
}

}  // namespace tessera::test
