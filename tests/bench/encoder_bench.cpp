// Encoder speed: checks the output first, then times whole passes and says where the time goes. Prints JSON.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "backend.h"
#include "device/choose_backend.h"
#include "model/config_reader.h"
#include "model/vit.h"
#include "product_peak.h"
#include "profiling_backend.h"
#include "tessera/error.h"

namespace tessera::bench {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::string model;
  int height = 256, width = 256, batch = 1, tokens = kAllTokens;
  EncoderOptions encoder;
  double seconds = 3.0;  // of timed passes
  int min_passes = 5;
  bool check_only = false;
  bool peak = false;
  std::string pixels, tokens_out;  // files of --serve
};

constexpr const char* kUsage =
    "usage: encoder_bench --model DIR [--size S | --height H --width W] [--batch B] [--device NAME]\n"
    "         [--dtype f32|bf16|f16] [--threads N] [--tokens N] [--seconds S] [--passes N] [--check]\n"
    "         [--serve PIXELS TOKENS]\n"
    "Checks that the output is finite, repeatable and independent of the batch, then times; --check only checks.\n"
    "--peak alternates passes with multiply-adds in registers and large products by several libraries.\n"
    "--serve encodes the f32 pixels [batch, 3, height, width] of a file, writes the tokens to another one, then times\n"
    "one pass for every line that it reads and answers with the milliseconds.\n";

std::optional<ComputeType> compute_type(const std::string& name) {
  for (const ComputeType type : {ComputeType::kF32, ComputeType::kBF16, ComputeType::kF16}) {
    if (name == compute_type_name(type)) return type;
  }
  return std::nullopt;
}

Options parse(int argc, char** argv) {
  Options options;
  options.encoder.device = "cpu";
  options.encoder.compute = ComputeType::kF32;
  std::map<std::string, int*> integers = {{"--height", &options.height}, {"--width", &options.width},
                                          {"--batch", &options.batch},   {"--threads", &options.encoder.threads},
                                          {"--tokens", &options.tokens}, {"--passes", &options.min_passes}};
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--check") {
      options.check_only = true;
      continue;
    }
    if (name == "--peak") {
      options.peak = true;
      continue;
    }
    if (name == "--serve" && i + 2 < argc) {
      options.pixels = argv[++i];
      options.tokens_out = argv[++i];
      continue;
    }
    if (i + 1 >= argc) throw Error(ErrorCode::kInvalidArgument, name + " is not an option or lacks its value");
    const std::string value = argv[++i];
    if (integers.contains(name)) {
      *integers[name] = std::stoi(value);
    } else if (name == "--size") {
      options.height = options.width = std::stoi(value);
    } else if (name == "--model") {
      options.model = value;
    } else if (name == "--seconds") {
      options.seconds = std::stod(value);
    } else if (name == "--device") {
      options.encoder.device = value;
    } else if (const auto type = compute_type(value); name == "--dtype" && type) {
      options.encoder.compute = *type;
    } else {
      throw Error(ErrorCode::kInvalidArgument, name + " " + value + " is not understood");
    }
  }
  if (options.model.empty()) throw Error(ErrorCode::kInvalidArgument, "--model is missing");
  return options;
}

const char* dtype_name(DType type) { return type == DType::kF32 ? "f32" : type == DType::kBF16 ? "bf16" : "f16"; }

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

double peak_rss_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

// Smooth waves of different frequency per image and channel: content that differs, without files.
std::vector<Image> make_images(const Options& options) {
  std::vector<Image> images;
  for (int b = 0; b < options.batch; ++b) {
    Image image{options.width, options.height, {}};
    for (int y = 0; y < options.height; ++y) {
      for (int x = 0; x < options.width; ++x) {
        for (int c = 0; c < 3; ++c) {
          const double wave = std::sin(0.05 * (b + 1) * x + c) + std::cos(0.03 * (b + c + 1) * y);
          image.rgb.push_back(static_cast<std::uint8_t>(127.5 + 60.0 * wave));
        }
      }
    }
    images.push_back(std::move(image));
  }
  return images;
}

double cosine(std::span<const float> a, std::span<const float> b) {
  double dot = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    dot += double{a[i]} * b[i];
    aa += double{a[i]} * a[i];
    bb += double{b[i]} * b[i];
  }
  return dot / std::sqrt(aa * bb);
}

struct Session {
  ProfilingBackend backend;
  std::unique_ptr<VisionTransformer> graph;
  std::vector<Image> images;
  Options options;
  double load_seconds = 0;
  double load_rss_mib = 0;

  explicit Session(const Options& chosen)
      : backend(choose_backend(chosen.encoder).backend), images(make_images(chosen)), options(chosen) {
    const auto begin = Clock::now();
    const Checkpoint checkpoint(options.model);
    ModelConfig config = read_model_config(checkpoint);
    ModelWeights weights = load_weights(checkpoint, config, backend, false);
    graph = std::make_unique<VisionTransformer>(backend, std::move(config), std::move(weights));
    load_seconds = seconds_since(begin);
    load_rss_mib = peak_rss_mib();
  }

  EncodedBatch encode(std::span<const Image> batch) { return encode(batch, {}, static_cast<int>(batch.size())); }

  EncodedBatch encode(std::span<const Image> batch, std::span<const float> pixels, int count) {
    const int patch = graph->config().patch;
    if (options.height % patch != 0 || options.width % patch != 0) {
      throw Error(ErrorCode::kInvalidArgument, "the sides must be multiples of " + std::to_string(patch));
    }
    return graph->encode({batch, pixels, count, {options.height / patch, options.width / patch}}, options.tokens);
  }
};

// Throws kInternal if the output cannot be trusted.
nlohmann::ordered_json check(Session& session) {
  const EncodedBatch first = session.encode(session.images);
  const EncodedBatch second = session.encode(session.images);
  for (const float value : first.tokens) {
    if (!std::isfinite(value)) throw Error(ErrorCode::kInternal, "check failed: a token is not finite");
  }
  if (first.tokens != second.tokens || first.prefix != second.prefix) {
    throw Error(ErrorCode::kInternal, "check failed: two passes over the same input differ");
  }
  double worst = 1.0;
  for (std::size_t b = 0; b < session.images.size(); ++b) {
    const EncodedBatch alone = session.encode(std::span(session.images).subspan(b, 1));
    const auto width = static_cast<std::size_t>(alone.width);
    for (std::size_t begin = 0; begin < alone.tokens.size(); begin += width) {
      worst = std::min(worst, cosine(std::span(alone.tokens).subspan(begin, width),
                                     first.image_tokens(static_cast<int>(b)).subspan(begin, width)));
    }
  }
  const double limit = session.backend.activation_type() == DType::kF32 ? 1 - 1e-6 : 0.999;
  if (worst < limit) {
    throw Error(ErrorCode::kInternal, "check failed: a token in the batch differs from the one encoded alone, cosine " +
                                          std::to_string(worst));
  }
  return {{"finite", true}, {"repeatable", true}, {"worst_batch_cosine", worst}};
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

std::vector<double> time_passes(Session& session) {
  std::vector<double> passes;
  session.backend.clear();
  const auto begin = Clock::now();
  while (static_cast<int>(passes.size()) < session.options.min_passes ||
         seconds_since(begin) < session.options.seconds) {
    const auto start = Clock::now();
    session.encode(session.images);
    passes.push_back(seconds_since(start));
  }
  return passes;
}

// Whole passes alone: a device's operations return before they are done.
nlohmann::ordered_json pass_times(const std::vector<double>& passes, int batch) {
  const double middle = median(passes);
  return {{"passes", passes.size()},
          {"ms_median", 1e3 * middle},
          {"ms_min", 1e3 * *std::min_element(passes.begin(), passes.end())},
          {"images_per_second", batch / middle}};
}

nlohmann::ordered_json measure(Session& session) {
  const std::vector<double> passes = time_passes(session);
  nlohmann::ordered_json report = pass_times(passes, session.options.batch);
  if (session.backend.name() != "cpu") return report;
  const auto count = static_cast<double>(passes.size());
  const auto totals = session.backend.totals();
  session.backend.set_gelu(false);
  session.encode(session.images);
  time_passes(session);
  const OpTotal bare = session.backend.totals().at("linear_gelu");
  session.backend.set_gelu(true);

  nlohmann::ordered_json operations;
  double flops = 0, linear_seconds = 0, linear_flops = 0;
  for (const auto& [label, total] : totals) {
    operations[label] = {{"ms", 1e3 * total.seconds / count}, {"gflops", total.flops / total.seconds / 1e9}};
    flops += total.flops / count;
    if (label.starts_with("linear")) {
      linear_seconds += total.seconds;
      linear_flops += total.flops;
    }
  }
  const OpTotal& fused = totals.at("linear_gelu");
  const double gelu_seconds =
      fused.seconds / static_cast<double>(fused.calls) - bare.seconds / static_cast<double>(bare.calls);
  const double middle = median(passes);
  report["gflop_per_pass"] = flops / 1e9;
  report["gflops"] = flops / middle / 1e9;
  report["linear_gflops"] = linear_flops / linear_seconds / 1e9;
  report["gelu_ms"] = 1e3 * gelu_seconds * static_cast<double>(fused.calls) / count;
  report["operations"] = operations;
  return report;
}

// Passes between measurements of the peak, so that both meet the same moments of the machine. A pass is compared with
// the mean of the measurements right before and right after it.
nlohmann::ordered_json compare_with_peak(Session& session) {
  const int asked = session.options.encoder.threads;
  const ProductPeak peak(session.backend, asked > 0 ? asked : static_cast<int>(std::thread::hardware_concurrency()));
  std::map<std::string, std::vector<double>> rates, of_fma, of_product;
  PeakRates before = peak.measure();
  for (int pass = 0; pass < session.options.min_passes; ++pass) {
    session.backend.clear();
    const auto start = Clock::now();
    session.encode(session.images);
    const double whole = seconds_since(start);
    double flops = 0, product_flops = 0, product_seconds = 0;
    for (const auto& [label, total] : session.backend.totals()) {
      flops += total.flops;
      if (!label.starts_with("linear")) continue;
      product_flops += total.flops;
      product_seconds += total.seconds;
    }
    const PeakRates after = peak.measure();
    const double fma = (before.fma + after.fma) / 2;
    const double product = (before.best_product() + after.best_product()) / 2;
    before = after;
    rates["fma"].push_back(fma);
    for (const auto& [name, rate] :
         {std::pair{"pass", flops / whole / 1e9}, {"products_in_pass", product_flops / product_seconds / 1e9}}) {
      rates[name].push_back(rate);
      of_fma[name].push_back(rate / fma);
      of_product[name].push_back(rate / product);
    }
    for (const auto& [name, rate] : {std::pair{"own_product", after.own},
                                     {"onednn_product", after.onednn},
                                     {"openblas_product", after.openblas},
                                     {"best_product", after.best_product()}}) {
      rates[name].push_back(rate);
      of_fma[name].push_back(rate / after.fma);
    }
  }
  nlohmann::ordered_json report;
  for (const auto& [name, values] : rates) {
    report[name] = {{"gflops_median", median(values)}, {"gflops_max", *std::max_element(values.begin(), values.end())}};
    if (of_fma.contains(name)) report[name]["share_of_fma"] = median(of_fma[name]);
    if (of_product.contains(name)) report[name]["share_of_best_product"] = median(of_product[name]);
  }
  return report;
}

int serve(Session& session) {
  const Options& options = session.options;
  std::vector<float> pixels(static_cast<std::size_t>(options.batch) * 3 * static_cast<std::size_t>(options.height) *
                            static_cast<std::size_t>(options.width));
  std::ifstream in(options.pixels, std::ios::binary);
  if (!in.read(reinterpret_cast<char*>(pixels.data()), static_cast<std::streamsize>(pixels.size() * sizeof(float)))) {
    throw Error(ErrorCode::kIo, options.pixels + " does not hold the pixels of the batch");
  }
  const EncodedBatch encoded = session.encode({}, pixels, options.batch);
  std::ofstream out(options.tokens_out, std::ios::binary);
  out.write(reinterpret_cast<const char*>(encoded.tokens.data()),
            static_cast<std::streamsize>(encoded.tokens.size() * sizeof(float)));
  if (!out.flush()) throw Error(ErrorCode::kIo, options.tokens_out + " cannot be written");
  std::cout << "ready" << std::endl;
  session.backend.clear();
  int passes = 0;
  for (std::string line; std::getline(std::cin, line); ++passes) {
    const auto start = Clock::now();
    session.encode({}, pixels, options.batch);
    std::cout << 1e3 * seconds_since(start) << std::endl;
  }
  nlohmann::ordered_json operations;
  double flops = 0;
  for (const auto& [label, total] : session.backend.totals()) {
    operations[label] = {{"ms", 1e3 * total.seconds / passes}, {"gflops", total.flops / total.seconds / 1e9}};
    flops += total.flops / passes;
  }
  const nlohmann::ordered_json report = {{"device", session.backend.detail()},
                                         {"gflop_per_pass", flops / 1e9},
                                         {"operations", operations},
                                         {"peak_rss_mib", peak_rss_mib()}};
  std::cout << report << std::endl;
  return 0;
}

int run(const Options& options) {
  Session session(options);
  if (!options.pixels.empty()) return serve(session);
  nlohmann::ordered_json report = {{"model", session.graph->config().name},
                                   {"height", options.height},
                                   {"width", options.width},
                                   {"batch", options.batch},
                                   {"dtype", dtype_name(session.backend.activation_type())},
                                   {"device", session.backend.name() + ", " + session.backend.detail()},
                                   {"load_seconds", session.load_seconds},
                                   {"load_peak_rss_mib", session.load_rss_mib}};
  report["check"] = check(session);
  if (options.peak) {
    report["peak"] = compare_with_peak(session);
  } else if (!options.check_only) {
    report["time"] = measure(session);
  }
  report["peak_rss_mib"] = peak_rss_mib();
  std::cout << report.dump(2) << "\n";
  return 0;
}

}  // namespace
}  // namespace tessera::bench

int main(int argc, char** argv) {
  try {
    return tessera::bench::run(tessera::bench::parse(argc, argv));
  } catch (const std::exception& error) {
    std::cerr << "encoder_bench: " << error.what() << "\n" << tessera::bench::kUsage;
    return 1;
  }
}
