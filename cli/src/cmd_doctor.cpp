// tessera doctor: what this machine, this build, the model and the library can do.
#include <sched.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <fstream>
#include <memory>
#include <sstream>

#include "commands.h"
#include "format.h"
#include "program.h"
#include "resolve.h"
#include "tessera/device.h"
#include "tessera/image.h"
#include "tessera/memory_plan.h"
#include "text.h"

namespace tessera::cli {
namespace {

enum class Verdict { kOk, kWarning, kBad, kNote };

struct Finding {
  Verdict verdict = Verdict::kOk;
  std::string subject;
  std::string text;
};

struct DoctorOptions {
  ComputeOptions compute;
  bool plan = false;
  std::string format = "table";
};

const char* verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kOk: return "ok";
    case Verdict::kWarning: return "warning";
    case Verdict::kBad: return "bad";
    case Verdict::kNote: return "note";
  }
  return "";
}

// The value of a field of the first processor in /proc/cpuinfo.
std::string cpuinfo_field(const std::string& name) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos || !line.starts_with(name)) continue;
    return colon + 2 <= line.size() ? line.substr(colon + 2) : "";
  }
  return "";
}

int usable_threads() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

Finding processor() {
  static constexpr std::array<std::string_view, 8> kWanted = {"avx2",        "fma",         "avx512f",  "avx512_vnni",
                                                              "avx512_bf16", "avx512_fp16", "amx_bf16", "amx_int8"};
  std::string found;
  std::istringstream flags(cpuinfo_field("flags"));
  for (std::string flag; flags >> flag;) {
    if (std::find(kWanted.begin(), kWanted.end(), flag) != kWanted.end()) found += " " + flag;
  }
  std::string name = cpuinfo_field("model name");
  if (name.empty()) name = "unknown processor";
  return {Verdict::kOk, "processor",
          name + ", " + plural(usable_threads(), "thread") + (found.empty() ? ", no AVX2" : ";" + found)};
}

Finding formats() {
  std::string names;
  for (const ImageFormat format : {ImageFormat::kJpeg, ImageFormat::kPng, ImageFormat::kWebp, ImageFormat::kTiff,
                                   ImageFormat::kBmp, ImageFormat::kPnm, ImageFormat::kGif}) {
    names += (names.empty() ? "" : " ") + std::string(image_format_name(format));
  }
  return {Verdict::kOk, "formats", names};
}

// Encodes one grey picture after a first one that warms up; true if every value is finite.
bool encodes(Encoder& encoder, double& milliseconds) {
  constexpr int kSide = 256;
  const std::array<Image, 1> grey = {Image{kSide, kSide, std::vector<std::uint8_t>(3 * kSide * kSide, 128)}};
  encoder.encode(grey, kAllTokens);
  const auto start = std::chrono::steady_clock::now();
  const EncodedBatch encoded = encoder.encode(grey, kAllTokens);
  milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return std::all_of(encoded.tokens.begin(), encoded.tokens.end(), [](float value) { return std::isfinite(value); });
}

// Findings about the model; its weights hash, or "" if it could not be loaded.
std::string check_model(const Context& context, const ComputeOptions& compute, std::vector<Finding>& findings) {
  try {
    const std::filesystem::path asked = asked_model_dir(context.globals);
    const auto encoder = Encoder::load(asked.empty() ? default_model_dir() : asked, compute.encoder_options());
    const EncoderInfo& info = encoder->info();
    findings.push_back({info.trained ? Verdict::kOk : Verdict::kWarning, "model",
                        info.model_name + " at " + info.model_dir.string() + " (weights " +
                            info.weights_hash.substr(0, 8) + ", tokens of " + std::to_string(info.token_width) +
                            " values)" + (info.trained ? "" : ": untrained, what it calls similar means little")});
    double milliseconds = 0;
    const bool good = encodes(*encoder, milliseconds);
    if (!info.device_note.empty()) {
      findings.push_back({Verdict::kWarning, "encoder", info.device_note});
    }
    findings.push_back(
        {good ? Verdict::kOk : Verdict::kBad, "encoder",
         info.device + " (" + info.device_detail + "), " + compute_type_name(info.compute) +
             (good ? ", 256 x 256 in " + human_milliseconds(milliseconds) : ": gives values that are no numbers")});
    return info.weights_hash;
  } catch (const Error& error) {
    findings.push_back({Verdict::kBad, "model", error.what()});
    return {};
  }
}

// What of CUDA there is. Machines without a GPU are as good as others.
Finding cuda_devices() {
  const CudaStatus status = cuda_status();
  switch (status.state) {
    case CudaState::kNoDriver:
    case CudaState::kNoLibrary:
    case CudaState::kNoDevice: return {Verdict::kNote, "cuda", status.reason + "; the CPU is used"};
    case CudaState::kWrongLibrary: return {Verdict::kWarning, "cuda", status.reason + "; the CPU is used"};
    case CudaState::kReady: break;
  }
  std::string text;
  for (std::size_t i = 0; i < status.devices.size(); ++i) {
    text += (i > 0 ? "; cuda:" : "cuda:") + std::to_string(i) + " " + status.devices[i];
  }
  return {Verdict::kOk, "cuda", text + "; by " + status.library.string()};
}

// Memory on a CUDA device for pictures of several sizes, counted without one.
void plan_memory_of(const Context& context, const ComputeOptions& compute, std::vector<Finding>& findings) {
  static constexpr std::array<int, 4> kSides = {256, 384, 512, 1024};
  static constexpr std::array<int, 4> kBatches = {1, 8, 32, 64};
  try {
    const std::filesystem::path asked = asked_model_dir(context.globals);
    const ComputeType type = compute.encoder_options().compute.value_or(ComputeType::kBF16);
    std::vector<EncoderPass> passes;
    for (const int side : kSides) {
      for (const int batch : kBatches) passes.push_back({batch, side, side});
    }
    const std::vector<MemoryPlan> plans = plan_memory(asked.empty() ? default_model_dir() : asked, type, passes);
    findings.push_back(
        {Verdict::kNote, "memory",
         std::string("on a GPU in ") + compute_type_name(type) + ": weights " + human_bytes(plans.front().weights)});
    std::size_t next = 0;
    for (const int side : kSides) {
      std::string text = std::to_string(side) + " x " + std::to_string(side) + ": ";
      for (const int batch : kBatches) {
        text += (batch > kBatches.front() ? ", " : "") + human_bytes(plans[next++].total()) + " with batch " +
                std::to_string(batch);
      }
      findings.push_back({Verdict::kNote, "memory", text});
    }
  } catch (const Error& error) {
    findings.push_back({Verdict::kBad, "memory", error.what()});
  }
}

void check_library(const Context& context, const std::string& weights_hash, std::vector<Finding>& findings) {
  try {
    const std::filesystem::path dir = resolve_library_dir(context.globals.library);
    if (!is_library(dir)) {
      findings.push_back({Verdict::kNote, "library", "none at " + dir.string() + "; 'tessera index FOLDER' makes one"});
      return;
    }
    const Library library = Library::open(dir, OpenMode::kRead);
    const LibraryStats stats = library.stats();
    std::string text = dir.string() + ": " + plural(stats.images, "picture") + " in " + plural(stats.files, "file");
    if (stats.failed > 0) text += ", " + human_count(stats.failed) + " failed";
    if (stats.missing_files > 0) text += ", " + human_count(stats.missing_files) + " missing";
    if (stats.offline_files > 0) text += ", " + human_count(stats.offline_files) + " offline";
    Verdict verdict = Verdict::kOk;
    const auto encoder = library.encoder();
    if (encoder && !weights_hash.empty() && encoder->weights_hash != weights_hash) {
      verdict = Verdict::kWarning;
      text += "; made with another model, " + encoder->model_name + " (weights " + encoder->weights_hash.substr(0, 8) +
              ") at " + encoder->model_dir;
    }
    findings.push_back({verdict, "library", text});
  } catch (const Error& error) {
    findings.push_back({Verdict::kBad, "library", error.what()});
  }
}

void write_findings(Output& out, const std::vector<Finding>& findings) {
  const Terminal& terminal = out.terminal();
  for (const Finding& finding : findings) {
    const char* color = finding.verdict == Verdict::kOk     ? "\x1b[32m"
                        : finding.verdict == Verdict::kBad  ? "\x1b[31m"
                        : finding.verdict == Verdict::kNote ? ""
                                                            : "\x1b[33m";
    const std::string verdict = pad(verdict_name(finding.verdict), 7);
    out.line((terminal.color ? color + verdict + "\x1b[0m" : verdict) + "  " + pad(finding.subject, 9) + "  " +
             printable(finding.text, terminal.utf8));
  }
}

ExitCode run(const DoctorOptions& options, Context& context) {
  const Format format = parse_report_format(options.format, "doctor");
  std::vector<Finding> findings = {
      {Verdict::kOk, "version", std::string("tessera ") + version()}, processor(), cuda_devices(), formats()};
  const std::string weights_hash = check_model(context, options.compute, findings);
  if (options.plan) plan_memory_of(context, options.compute, findings);
  check_library(context, weights_hash, findings);
  if (format == Format::kJson) {
    Json list = Json::array();
    for (const Finding& finding : findings) {
      Json entry;
      entry["verdict"] = verdict_name(finding.verdict);
      entry["subject"] = finding.subject;
      entry["text"] = finding.text;
      list.push_back(std::move(entry));
    }
    context.out.line(dump(list, 2));
  } else {
    write_findings(context.out, findings);
  }
  const bool bad = std::any_of(findings.begin(), findings.end(),
                               [](const Finding& finding) { return finding.verdict == Verdict::kBad; });
  return bad ? ExitCode::kError : ExitCode::kOk;
}

}  // namespace

Command make_doctor(CLI::App& root) {
  auto options = std::make_shared<DoctorOptions>();
  CLI::App* app = root.add_subcommand("doctor", "check this machine, the model and the library")->group("About");
  add_compute_options(*app, options->compute);
  app->add_flag("--plan", options->plan, "also say how much GPU memory the model takes at several picture sizes");
  app->add_option("--format", options->format, "output: table or json")
      ->type_name("FORMAT")
      ->check(check_format)
      ->capture_default_str();
  return {
      app,
      "Says which processor features, GPUs, picture formats, model and library are used, and encodes a test picture. A "
      "library is not needed. The exit code is 1 if something is bad.",
      {{"tessera doctor", "The first thing to look at when something is odd."}},
      [options](Context& context) { return run(*options, context); }};
}

}  // namespace tessera::cli
