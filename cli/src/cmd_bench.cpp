// tessera bench: how many pictures a second the model encodes on each device.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <memory>
#include <optional>

#include "commands.h"
#include "format.h"
#include "interrupt.h"
#include "resolve.h"
#include "tessera/device.h"
#include "tessera/memory_plan.h"
#include "text.h"

namespace tessera::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct BenchOptions {
  ComputeOptions compute;
  int size = 0;
  int batch = 0;
  double seconds = 3;
  std::string format = "table";
};

struct Measured {
  EncoderInfo encoder;
  int size = 0;
  int batch = 0;
  int passes = 0;
  double images_per_second = 0;  // from the median pass
};

std::vector<std::string> devices_of(const BenchOptions& options) {
  if (options.compute.device != "auto") return {options.compute.device};
  std::vector<std::string> devices = {"cpu"};
  const std::size_t count = cuda_status().devices.size();
  for (std::size_t i = 0; i < count; ++i) devices.push_back("cuda:" + std::to_string(i));
  return devices;
}

// Waves of different frequency: pictures that differ, without files.
std::vector<Image> wave_pictures(int count, int side) {
  std::vector<Image> pictures;
  for (int b = 0; b < count; ++b) {
    Image picture{side, side, {}};
    picture.rgb.reserve(std::size_t{3} * static_cast<std::size_t>(side) * static_cast<std::size_t>(side));
    for (int y = 0; y < side; ++y) {
      for (int x = 0; x < side; ++x) {
        const int wave = static_cast<int>(100 * std::sin(0.02 * (b + 1) * x)) + y;
        for (int c = 0; c < 3; ++c) picture.rgb.push_back(static_cast<std::uint8_t>(wave * (c + 1)));
      }
    }
    pictures.push_back(std::move(picture));
  }
  return pictures;
}

// A first pass makes room and is checked, then passes are timed. Nothing if interrupted.
std::optional<Measured> measure(Encoder& encoder, const BenchOptions& options, const Interrupt& interrupt) {
  EncoderPass pass = standard_pass(encoder.config());
  if (options.size > 0) {
    const int side = std::max(1, options.size / encoder.config().patch) * encoder.config().patch;
    pass.height = pass.width = side;
  }
  if (options.batch > 0) pass.batch = options.batch;
  const std::vector<Image> pictures = wave_pictures(pass.batch, pass.width);
  const EncodedBatch first = encoder.encode(pictures);
  if (!std::all_of(first.tokens.begin(), first.tokens.end(), [](float value) { return std::isfinite(value); })) {
    throw Error(ErrorCode::kInternal, encoder.info().device + " gives values that are no numbers");
  }
  std::vector<double> times;
  const Clock::time_point begin = Clock::now();
  while (times.size() < 3 || std::chrono::duration<double>(Clock::now() - begin).count() < options.seconds) {
    if (interrupt.requested()) return std::nullopt;
    const Clock::time_point start = Clock::now();
    encoder.encode(pictures);
    times.push_back(std::chrono::duration<double>(Clock::now() - start).count());
  }
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
  return Measured{encoder.info(), pass.width, pass.batch, static_cast<int>(times.size()),
                  pass.batch / times[times.size() / 2]};
}

void write(Output& out, Format format, const std::vector<Measured>& all) {
  Json list = Json::array();
  for (const Measured& one : all) {
    const double ratio = one.images_per_second / all.front().images_per_second;
    Json entry;
    entry["device"] = one.encoder.device;
    entry["detail"] = one.encoder.device_detail;
    entry["compute"] = compute_type_name(one.encoder.compute);
    entry["size"] = one.size;
    entry["batch"] = one.batch;
    entry["passes"] = one.passes;
    entry["images_per_second"] = one.images_per_second;
    entry["ratio"] = ratio;
    list.push_back(std::move(entry));
    if (format == Format::kJson) continue;
    char rate[64];
    std::snprintf(rate, sizeof rate, "%10.2f pictures/s  %6.2f x", one.images_per_second, ratio);
    out.line(pad(one.encoder.device, 8) + pad(compute_type_name(one.encoder.compute), 6) + rate + "  " +
             std::to_string(one.size) + " x " + std::to_string(one.size) + ", batch " + std::to_string(one.batch) +
             "  (" + printable(one.encoder.device_detail, out.terminal().utf8) + ")");
  }
  if (format == Format::kJson) out.line(dump(list, 2));
}

ExitCode run(const BenchOptions& options, Context& context) {
  const Format format = parse_report_format(options.format, "bench");
  const Interrupt interrupt;
  std::vector<Measured> all;
  bool failed = false;
  for (const std::string& device : devices_of(options)) {
    EncoderOptions load = options.compute.encoder_options();
    load.device = device;
    try {
      const auto encoder = load_encoder(context, load);
      if (auto measured = measure(*encoder, options, interrupt)) all.push_back(std::move(*measured));
    } catch (const Error& error) {
      context.console.error(device + ": " + error.what());
      failed = true;
    }
    if (interrupt.requested()) return ExitCode::kInterrupted;
  }
  if (all.empty()) return ExitCode::kError;
  write(context.out, format, all);
  return failed ? ExitCode::kSomeFailed : ExitCode::kOk;
}

}  // namespace

Command make_bench(CLI::App& root) {
  auto options = std::make_shared<BenchOptions>();
  CLI::App* app = root.add_subcommand("bench", "time the model on every device of this machine")->group("About");
  app->add_option("--size", options->size, "side of the pictures (default: the model's preferred size)")
      ->type_name("PIXELS")
      ->check(CLI::Range(16, 4096).description(""));
  app->add_option("--batch", options->batch, "pictures per encoder call (default: as 'tessera index' for this size)")
      ->type_name("N")
      ->check(CLI::Range(1, 4096).description(""));
  app->add_option("--seconds", options->seconds, "how long to measure on each device")
      ->type_name("S")
      ->check(CLI::Range(0.0, 3600.0).description(""))
      ->capture_default_str();
  add_compute_options(*app, options->compute);
  app->add_option("--format", options->format, "output: table or json")
      ->type_name("FORMAT")
      ->check(check_format)
      ->capture_default_str();
  return {app,
          "Encodes generated pictures and prints how many a second each device does, by the median pass, and the ratio "
          "to the first line. With --device only that device is timed. A library is not needed.",
          {{"tessera bench", "The default model on the processor and on every GPU."},
           {"tessera bench --device cuda --dtype f16 --size 512 --batch 64", "One device, large batches."}},
          [options](Context& context) { return run(*options, context); }};
}

}  // namespace tessera::cli
