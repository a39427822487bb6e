// Indexing speed: how fast an unchanged tree is recognised, and images/s of new JPEGs with the stage that limits.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "search_bench_util.h"
#include "tessera/error.h"
#include "tessera/indexer/library.h"

namespace tessera::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kUsage =
    "usage: ingest_bench stat [--files N] [--folders N] [--dir DIR]\n"
    "       ingest_bench images --model DIR [--width W] [--height H] [--count N] [--resize SPEC] [--dir DIR]\n"
    "       ingest_bench device [--rate R] [--width W] [--height H] [--count N] [--resize SPEC] [--dir DIR]\n"
    "stat: a second run over N unchanged files against `find -printf` over the same tree.\n"
    "images: a first run over N new JPEGs against its stages run alone: decoding on all cores, encoding.\n"
    "device: a first run over N new JPEGs with an encoder that sleeps as long as a GPU would take that encodes R "
    "images\n"
    "        a second, against the slower of that rate and decoding alone on all cores. Without --rate: what the "
    "roofline\n"
    "        expects of an RTX 4090 and an H100 for C-RADIOv4-1D-H at 512 x 512, and the rate of decoding itself.\n";

struct Options {
  std::string mode;
  int files = 50'000;
  int folders = 500;
  int width = 4000;
  int height = 3000;
  int count = 48;
  double rate = 0;
  std::string model;
  std::string resize = "square:256";
  std::filesystem::path dir = std::filesystem::temp_directory_path();  // works in a new folder in it
};

Options parse(int argc, char** argv) {
  Options options;
  if (argc < 2) throw Error(ErrorCode::kInvalidArgument, kUsage);
  options.mode = argv[1];
  for (int i = 2; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const std::string value = argv[i + 1];
    if (name == "--files")
      options.files = std::stoi(value);
    else if (name == "--folders")
      options.folders = std::stoi(value);
    else if (name == "--width")
      options.width = std::stoi(value);
    else if (name == "--height")
      options.height = std::stoi(value);
    else if (name == "--count")
      options.count = std::stoi(value);
    else if (name == "--rate")
      options.rate = std::stod(value);
    else if (name == "--model")
      options.model = value;
    else if (name == "--resize")
      options.resize = value;
    else if (name == "--dir")
      options.dir = value;
    else
      throw Error(ErrorCode::kInvalidArgument, kUsage);
  }
  return options;
}

double seconds_of(const std::function<void()>& action) {
  const auto begin = Clock::now();
  action();
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double median(const std::vector<double>& values) { return quantile(values, 0.5); }

void check(bool good, const std::string& what) {
  if (!good) throw Error(ErrorCode::kInternal, "the run is wrong: " + what);
}

// Costs next to nothing, so that what is left is the rest of the pipeline.
class FreeEncoder : public ImageEncoder {
 public:
  explicit FreeEncoder(int width) {
    info_.model_name = "free";
    info_.weights_hash = "free";
    info_.token_width = width;
  }
  const EncoderInfo& info() const override { return info_; }
  EncodedBatch encode(std::span<const Image>, int) override {
    throw Error(ErrorCode::kUnsupported, "this encoder gives codes only");
  }
  // Codes and token 0 are pixels: different pictures, different tokens.
  CodedBatch encode_codes(std::span<const Image> images, int tokens) override {
    const auto width = static_cast<std::size_t>(info_.token_width), count = static_cast<std::size_t>(tokens);
    CodedBatch batch;
    batch.batch = static_cast<int>(images.size());
    batch.width = info_.token_width;
    batch.token_count = tokens;
    batch.scales.assign(images.size() * count, 1.0f / 128);
    batch.codes.resize(images.size() * count * width, 1);
    for (std::size_t i = 0; i < images.size(); ++i) {
      const std::vector<std::uint8_t>& pixels = images[i].rgb;
      std::memcpy(batch.codes.data() + i * count * width, pixels.data(), std::min(count * width, pixels.size()));
      for (std::size_t d = 0; d < width; ++d) batch.first.push_back(1.0f + pixels[d % pixels.size()]);
    }
    return batch;
  }

 private:
  EncoderInfo info_;
};

// A GPU as the pipeline sees it: a batch takes its time, and no time of the processor's.
class SleepingEncoder final : public FreeEncoder {
 public:
  SleepingEncoder(int width, double images_per_second) : FreeEncoder(width), rate_(images_per_second) {}
  CodedBatch encode_codes(std::span<const Image> images, int tokens) override {
    const auto begin = Clock::now();
    CodedBatch batch = FreeEncoder::encode_codes(images, tokens);
    std::this_thread::sleep_until(begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(
                                              static_cast<double>(images.size()) / rate_)));
    return batch;
  }

 private:
  double rate_;
};

IngestReport index_into(const std::filesystem::path& library_dir, const std::filesystem::path& photos,
                        ImageEncoder& encoder, const std::string& resize, int tokens) {
  Library library = Library::open(library_dir, OpenMode::kCreate);
  LibraryEncoder identity;
  identity.model_name = encoder.info().model_name;
  identity.weights_hash = encoder.info().weights_hash;
  identity.resize = parse_resize_spec(resize);
  identity.token_width = encoder.info().token_width;
  identity.stored_tokens = tokens;
  library.set_encoder(identity);
  const std::vector roots{photos};
  return library.index(roots, {}, encoder);
}

nlohmann::json run_stat(const Options& options) {
  const std::filesystem::path photos = options.dir / "photos";
  for (int i = 0; i < options.files; ++i) {
    const std::filesystem::path folder = photos / ("folder " + std::to_string(i % options.folders));
    if (i < options.folders) std::filesystem::create_directories(folder);
    std::mt19937 random(static_cast<unsigned>(i));
    std::string pixels(3 * 16 * 16, '\0');
    for (char& value : pixels) value = static_cast<char>(random());
    std::ofstream(folder / ("IMG_" + std::to_string(i) + ".ppm"), std::ios::binary) << "P6 16 16 255\n" << pixels;
  }
  FreeEncoder encoder(64);
  const IngestReport first = index_into(options.dir / "library", photos, encoder, "square:32", 1);
  check(first.encoded == options.files && first.failed.empty(), "the first run did not take every file");
  const std::string find = "find '" + photos.string() + "' -type f -printf '%s %T@ %p\\n' > /dev/null";
  std::vector<double> ours;
  std::vector<double> theirs;
  for (int run = 0; run < 7; ++run) {
    theirs.push_back(seconds_of([&] { check(std::system(find.c_str()) == 0, "find"); }));
    IngestReport again;
    ours.push_back(seconds_of([&] { again = index_into(options.dir / "library", photos, encoder, "square:32", 1); }));
    check(again.unchanged == options.files && again.decode_seconds == 0 && again.encoded == 0, "a file was read again");
  }
  return {{"files", options.files},
          {"folders", options.folders},
          {"first_run_files_per_s", options.files / first.seconds},
          {"second_run_s", median(ours)},
          {"second_run_files_per_s", options.files / median(ours)},
          {"find_s", median(theirs)},
          {"find_files_per_s", options.files / median(theirs)},
          {"ratio_to_find", median(theirs) / median(ours)}};
}

// Smooth waves with fine noise over them: about the bytes per pixel of a photograph.
Image make_photo(int width, int height, unsigned seed) {
  std::mt19937 random(seed);
  Image image{width, height, std::vector<std::uint8_t>(std::size_t(3) * width * height)};
  const int period = 90 + static_cast<int>(random() % 200);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const unsigned noise = random();
      std::uint8_t* pixel = &image.rgb[3 * (static_cast<std::size_t>(y) * width + x)];
      for (int c = 0; c < 3; ++c) {
        const int wave = (x * (c + 1) / period + y * (3 - c) / period) % 40;
        pixel[c] = static_cast<std::uint8_t>(60 + 3 * wave + static_cast<int>((noise >> (8 * c)) & 15));
      }
    }
  }
  return image;
}

// `count` JPEGs below options.dir; their bytes.
std::uint64_t make_photos(const Options& options) {
  const std::filesystem::path photos = options.dir / "photos";
  std::filesystem::create_directories(photos);
  std::uint64_t bytes = 0;
  for (int i = 0; i < options.count; ++i) {
    const auto path = photos / (std::to_string(i) + ".jpg");
    write_image(path, make_photo(options.width, options.height, static_cast<unsigned>(i)), 88);
    bytes += std::filesystem::file_size(path);
  }
  return bytes;
}

// Images a second when all cores read, hash, decode and resize the photos and do nothing else.
double decode_rate(const Options& options) {
  const ResizeSpec spec = parse_resize_spec(options.resize);
  std::atomic<int> next{0};
  const double seconds = seconds_of([&] {
    std::vector<std::jthread> threads;
    for (unsigned t = 0; t < std::max(1u, std::thread::hardware_concurrency()); ++t) {
      threads.emplace_back([&] {
        for (int i = next++; i < options.count; i = next++) {
          const auto path = options.dir / "photos" / (std::to_string(i) + ".jpg");
          const std::vector<std::uint8_t> bytes = read_file(path);
          check(hash_content(bytes).bytes == bytes.size(), "hashing");
          check(!decode_prepared(bytes, path.string(), spec).rgb.empty(), "decoding");
        }
      });
    }
  });
  return options.count / seconds;
}

// The reference of every run is measured right before it, so that a machine that is slower for a while slows both.
nlohmann::json run_device(const Options& options) {
  constexpr int kWidth = 2560, kTokens = 16, kRounds = 3;
  constexpr double kRtx4090 = 66, kH100 = 373;  // docs/benchmarks/cuda_static.md
  make_photos(options);
  const double decode = decode_rate(options);  // warms the cache too
  std::vector<double> encoders = {kRtx4090, kH100, decode};
  if (options.rate > 0) encoders = {options.rate};
  nlohmann::json runs;
  int libraries = 0;
  for (const double rate : encoders) {
    std::vector<double> alone, rates, ratios;
    for (int round = 0; round < kRounds; ++round) {
      alone.push_back(decode_rate(options));
      SleepingEncoder encoder(kWidth, rate);
      const IngestReport report = index_into(options.dir / ("library" + std::to_string(libraries++)),
                                             options.dir / "photos", encoder, options.resize, kTokens);
      check(report.encoded == options.count, "a run did not take every file");
      rates.push_back(options.count / report.seconds);
      ratios.push_back(rates.back() / std::min(alone.back(), rate));
    }
    runs.push_back({{"encoder_images_per_s", rate},
                    {"decode_alone_images_per_s", median(alone)},
                    {"images_per_s", median(rates)},
                    {"limit", rate < median(alone) ? "encode" : "decode"},
                    {"ratio_to_slower_stage", median(ratios)}});
  }
  return {{"pixels", {options.width, options.height}},
          {"count", options.count},
          {"resize", options.resize},
          {"runs", runs}};
}

nlohmann::json run_images(const Options& options) {
  const std::filesystem::path photos = options.dir / "photos";
  const std::uint64_t bytes = make_photos(options);
  const auto encoder = Encoder::load(options.model);
  const IngestReport warm_up = index_into(options.dir / "warm", photos, *encoder, options.resize, 16);
  check(warm_up.encoded == options.count, "the first run did not take every file");
  FreeEncoder free_encoder(64);
  const IngestReport decoding = index_into(options.dir / "decode", photos, free_encoder, options.resize, 16);
  check(decoding.encoded == options.count, "decoding alone did not take every file");

  const ResizeSpec spec = parse_resize_spec(options.resize);
  std::vector<Image> prepared;
  for (int i = 0; i < std::min(options.count, 32); ++i) {
    const auto path = photos / (std::to_string(i) + ".jpg");
    prepared.push_back(decode_prepared(read_file(path), path.string(), spec));
  }
  const double encode_batch = seconds_of(
      [&] { check(encoder->encode(prepared, 16).batch == static_cast<int>(prepared.size()), "encoding alone"); });
  const double encode_alone = encode_batch / static_cast<double>(prepared.size()) * options.count;

  std::vector<double> seconds;
  IngestReport report;
  for (int run = 0; run < 3; ++run) {
    const auto library = options.dir / ("library" + std::to_string(run));
    report = index_into(library, photos, *encoder, options.resize, 16);
    check(report.encoded == options.count, "a run did not take every file");
    seconds.push_back(report.seconds);
  }
  const double whole = median(seconds);
  return {{"model", encoder->info().model_name},
          {"device", encoder->info().device_detail},
          {"pixels", {options.width, options.height}},
          {"mean_file_bytes", bytes / static_cast<std::uint64_t>(options.count)},
          {"count", options.count},
          {"resize", options.resize},
          {"images_per_s", options.count / whole},
          {"decode_alone_images_per_s", options.count / decoding.seconds},
          {"encode_alone_images_per_s", options.count / encode_alone},
          {"ratio_to_stages_one_after_the_other", (decoding.seconds + encode_alone) / whole},
          {"share_of_encoder", report.encode_seconds / report.seconds},
          {"limit", decoding.seconds > encode_alone ? "decode" : "encode"}};
}

int run(int argc, char** argv) {
  Options options = parse(argc, argv);
  const TemporaryFolder folder(options.dir);
  options.dir = folder.path();
  nlohmann::json result;
  if (options.mode == "stat") {
    result = run_stat(options);
  } else if (options.mode == "device") {
    result = run_device(options);
  } else if (options.mode == "images" && !options.model.empty()) {
    result = run_images(options);
  } else {
    throw Error(ErrorCode::kInvalidArgument, kUsage);
  }
  std::cout << result.dump(2) << '\n';
  return 0;
}

}  // namespace
}  // namespace tessera::bench

int main(int argc, char** argv) {
  try {
    return tessera::bench::run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
