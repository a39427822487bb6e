// Times reading photos for the encoder on one thread: reduced decoding against full decoding, and the resize alone.
//
//   decode_bench [--write DIR]    JSON on stdout; with --write also the pictures, for other programs to time
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "image/resample.h"
#include "tessera/error.h"
#include "tessera/image.h"
#include "tessera/resize.h"

namespace {

using namespace tessera;
using nlohmann::json;

std::uint32_t hash(std::uint32_t x, std::uint32_t y, std::uint32_t seed) {
  std::uint32_t h = x * 0x9E3779B1u ^ y * 0x85EBCA77u ^ seed * 0xC2B2AE3Du;
  h = (h ^ h >> 15) * 0x2C1B3C6Du;
  h = (h ^ h >> 12) * 0x297A2D39u;
  return h ^ h >> 15;
}

// Value noise on a grid of `cell` pixels, 0..1.
double value_noise(int x, int y, int cell, std::uint32_t seed) {
  const std::uint32_t cx = static_cast<std::uint32_t>(x / cell);
  const std::uint32_t cy = static_cast<std::uint32_t>(y / cell);
  const double fx = double(x % cell) / cell;
  const double fy = double(y % cell) / cell;
  const auto at = [&](std::uint32_t i, std::uint32_t j) { return hash(cx + i, cy + j, seed) / 4294967295.0; };
  const double top = at(0, 0) * (1 - fx) + at(1, 0) * fx;
  const double bottom = at(0, 1) * (1 - fx) + at(1, 1) * fx;
  return top * (1 - fy) + bottom * fy;
}

// Octaves of noise with a spectrum like a photograph's, and sensor grain.
Image photo(int width, int height) {
  Image image{width, height, std::vector<std::uint8_t>(std::size_t(width) * height * 3)};
  std::size_t i = 0;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      double light = 0;
      double weight = 110;
      for (int cell = 512; cell >= 4; cell /= 2, weight *= 0.6) light += weight * (value_noise(x, y, cell, 1) - 0.5);
      for (std::uint32_t c = 0; c < 3; ++c) {
        const double tint = 60 * (value_noise(x, y, 300, 10 + c) - 0.5);
        const double grain =
            24.0 * (hash(static_cast<std::uint32_t>(x), static_cast<std::uint32_t>(y), 20 + c) / 4294967295.0 - 0.5);
        image.rgb[i++] = static_cast<std::uint8_t>(std::clamp(128 + light + tint + grain, 0.0, 255.0));
      }
    }
  }
  return image;
}

// Processor time of this thread, which other programs on the machine disturb less than they do the clock on the wall.
double thread_milliseconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return double(now.tv_sec) * 1e3 + double(now.tv_nsec) * 1e-6;
}

// Median milliseconds of single calls, after one call to warm up.
double milliseconds(const std::function<void()>& call) {
  call();
  std::vector<double> times;
  double total = 0;
  while (times.size() < 5 || (total < 1500 && times.size() < 200)) {
    const double start = thread_milliseconds();
    call();
    times.push_back(thread_milliseconds() - start);
    total += times.back();
  }
  std::nth_element(times.begin(), times.begin() + std::ptrdiff_t(times.size() / 2), times.end());
  return times[times.size() / 2];
}

double mean_difference(const Image& a, const Image& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.rgb.size(); ++i) sum += std::abs(a.rgb[i] - b.rgb[i]);
  return sum / double(a.rgb.size());
}

void require(bool condition, const std::string& what) {
  if (!condition) throw Error(ErrorCode::kInternal, "validation failed: " + what);
}

json decode_times(const std::string& name, const std::vector<std::uint8_t>& jpeg) {
  const Image full = decode_image(jpeg, name);
  json out{{"picture", name},
           {"width", full.width},
           {"height", full.height},
           {"file_bytes", jpeg.size()},
           {"full_decode_ms", milliseconds([&] { decode_image(jpeg, name); })}};
  for (const char* text : {"square:256", "short:512"}) {
    const ResizeSpec spec = parse_resize_spec(text);
    const Image reduced = decode_prepared(jpeg, name, spec);
    const Image reference = prepare_image(full, spec);
    require(reduced.width == reference.width && reduced.height == reference.height, "size of the reduced decode");
    const double difference = mean_difference(reduced, reference);
    require(difference < 3.0, "reduced decode differs by " + std::to_string(difference) + " grey levels");
    const double full_ms = milliseconds([&] { prepare_image(decode_image(jpeg, name), spec); });
    const double reduced_ms = milliseconds([&] { decode_prepared(jpeg, name, spec); });
    out["specs"].push_back({{"spec", text},
                            {"full_decode_and_prepare_ms", full_ms},
                            {"decode_prepared_ms", reduced_ms},
                            {"speedup", full_ms / reduced_ms},
                            {"mean_difference_to_full_decode", difference}});
  }
  return out;
}

json resize_times(const Image& image, int width, int height) {
  const double ms = milliseconds([&] { resize_bicubic(image, width, height); });
  return {{"from", std::to_string(image.width) + "x" + std::to_string(image.height)},
          {"to", std::to_string(width) + "x" + std::to_string(height)},
          {"ms", ms},
          {"ns_per_source_pixel", ms * 1e6 / (double(image.width) * image.height)}};
}

int run(int count, char** arguments) {
  const Image large = photo(4000, 3000);
  const Image small = photo(1152, 864);
  const auto large_jpeg = encode_jpeg(large, 90);
  const auto small_jpeg = encode_jpeg(small, 90);
  const Image flat = resize_bicubic(Image{64, 64, std::vector<std::uint8_t>(64 * 64 * 3, 200)}, 20, 31);
  require(std::all_of(flat.rgb.begin(), flat.rgb.end(), [](auto v) { return v == 200; }), "a flat colour changes");
  if (count == 3 && std::string(arguments[1]) == "--write") {
    const std::filesystem::path folder = arguments[2];
    write_image(folder / "large.png", large);
    for (const auto& [name, bytes] : {std::pair("large.jpg", &large_jpeg), std::pair("small.jpg", &small_jpeg)}) {
      std::ofstream(folder / name).write(reinterpret_cast<const char*>(bytes->data()), std::streamsize(bytes->size()));
    }
  }
  json out{{"benchmark", "decode_bench"}, {"threads", 1}, {"avx2", avx2_resample_kernels() != nullptr}};
  out["decode"] = {decode_times("12 MP", large_jpeg), decode_times("1 MP", small_jpeg)};
  const Image eighth = resize_bicubic(large, 500, 375);
  out["resize"] = {resize_times(large, 688, 512), resize_times(large, 341, 256), resize_times(eighth, 341, 256),
                   resize_times(small, 688, 512), resize_times(eighth, 1000, 750)};
  std::printf("%s\n", out.dump(2).c_str());
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return run(count, arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "decode_bench: %s\n", error.what());
    return 1;
  }
}
