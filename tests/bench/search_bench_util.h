// Shared by the benchmarks of search: synthetic images, timing and a folder that goes away.
#pragma once

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "store/segment.h"
#include "store/segment_writer.h"

namespace tessera::bench {

inline double milliseconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

// The value at a share (0..1) of the sorted samples.
inline double quantile(std::vector<double> samples, double share) {
  std::sort(samples.begin(), samples.end());
  return samples.at(static_cast<std::size_t>(share * double(samples.size() - 1) + 0.5));
}

inline void require(bool condition, const std::string& what) {
  if (!condition) throw std::runtime_error("wrong output: " + what);
}

class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::filesystem::path& parent) {
    std::string name = (parent / "tessera-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a folder in " + parent.string());
    path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Token sets around themes: token = theme + noise of `noise` times its length. Normal deviates come from a table, read
// from a random place, so that making millions of tokens takes seconds.
class SyntheticImages {
 public:
  SyntheticImages(int width, int tokens, int themes, float noise, unsigned seed)
      : width_(width), tokens_(tokens), noise_(noise), random_(seed), normals_(1 << 22) {
    std::normal_distribution<float> normal;
    for (float& x : normals_) x = normal(random_);
    for (int t = 0; t < themes; ++t) themes_.push_back(random_() % (normals_.size() - std::size_t(width_ * tokens_)));
  }

  std::vector<float> make() {
    const std::size_t count = std::size_t(width_) * std::size_t(tokens_);
    const float* theme = normals_.data() + themes_[random_() % themes_.size()];
    std::vector<float> tokens(count);
    for (std::size_t begin = 0; begin < count; begin += std::size_t(width_)) {
      const float* noise = normals_.data() + random_() % (normals_.size() - std::size_t(width_));
      for (std::size_t i = 0; i < std::size_t(width_); ++i) tokens[begin + i] = theme[begin + i] + noise_ * noise[i];
    }
    return tokens;
  }

  std::vector<std::shared_ptr<const Segment>> write(const std::filesystem::path& folder, std::int64_t images,
                                                    int per_segment) {
    std::vector<std::shared_ptr<const Segment>> segments;
    ContentHash hash;
    for (std::int64_t done = 0; done < images;) {
      const auto path = folder / (std::to_string(segments.size()) + ".seg");
      SegmentWriter writer(path, {std::string(32, '0'), "square:256", width_, tokens_});
      for (int i = 0; i < per_segment && done < images; ++i, ++done) {
        hash.bytes = std::uint64_t(done);
        writer.add(hash, make(), tokens_);
      }
      writer.finish();
      segments.push_back(Segment::open(path));
    }
    return segments;
  }

 private:
  int width_;
  int tokens_;
  float noise_;
  std::mt19937_64 random_;
  std::vector<float> normals_;
  std::vector<std::size_t> themes_;
};

inline std::vector<float> unit(std::vector<float> v) {
  double norm = 0;
  for (const float x : v) norm += double(x) * x;
  for (float& x : v) x = static_cast<float>(x / std::sqrt(norm));
  return v;
}

// Reads the command line and prints what `run` measured.
inline int report(CLI::App& app, int argc, char** argv, const std::function<nlohmann::json()>& run) {
  CLI11_PARSE(app, argc, argv);
  try {
    std::printf("%s\n", run().dump(2).c_str());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}

}  // namespace tessera::bench
