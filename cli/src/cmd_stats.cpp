// tessera stats: what a library holds and takes.
#include <CLI/CLI.hpp>
#include <memory>

#include "commands.h"
#include "format.h"
#include "resolve.h"
#include "tessera/device.h"
#include "text.h"

namespace tessera::cli {
namespace {

// Where commands that encode run unless told otherwise.
std::string standard_device() {
  const CudaStatus cuda = cuda_status();
  return cuda.state == CudaState::kReady ? "cuda:0 (" + cuda.devices[0] + ")" : "cpu";
}

Json stats_json(const Library& library) {
  const LibraryStats stats = library.stats();
  Json object;
  set_path(object, "library", library.dir());
  object["images"] = stats.images;
  object["files"] = stats.files;
  object["missing_files"] = stats.missing_files;
  object["offline_files"] = stats.offline_files;
  object["failed"] = stats.failed;
  object["segments"] = stats.segments;
  object["segment_bytes"] = stats.segment_bytes;
  object["catalog_bytes"] = stats.catalog_bytes;
  object["coarse_index_bytes"] = stats.coarse_index_bytes;
  object["deleted_rows"] = stats.deleted_rows;
  object["device"] = standard_device();
  object["model"] = nullptr;
  if (const auto encoder = library.encoder()) {
    Json model;
    model["name"] = encoder->model_name;
    model["weights_hash"] = encoder->weights_hash;
    model["trained"] = encoder->trained;
    model["resize"] = to_string(encoder->resize);
    model["token_width"] = encoder->token_width;
    model["stored_tokens"] = encoder->stored_tokens;
    object["model"] = std::move(model);
  }
  return object;
}

void write_text(Output& out, const Library& library) {
  const LibraryStats stats = library.stats();
  const auto field = [&](const std::string& name, const std::string& value) { out.line(pad(name, 12) + value); };
  const auto bytes = [](std::int64_t count) { return human_bytes(static_cast<std::uint64_t>(count)); };
  field("library", printable(library.dir().native(), out.terminal().utf8));
  field("pictures", human_count(stats.images));
  std::string files = human_count(stats.files);
  if (stats.missing_files > 0) files += ", " + human_count(stats.missing_files) + " missing";
  if (stats.offline_files > 0) files += ", " + human_count(stats.offline_files) + " offline";
  field("files", files);
  field("failed", human_count(stats.failed));
  std::string tokens = bytes(stats.segment_bytes) + " in " + plural(stats.segments, "segment");
  if (stats.images > 0) tokens += ", " + bytes(stats.segment_bytes / stats.images) + " a picture";
  if (stats.deleted_rows > 0)
    tokens += ", " + human_count(stats.deleted_rows) + " forgotten ('tessera compact' frees them)";
  field("tokens", tokens);
  field("catalog", bytes(stats.catalog_bytes));
  field("first stage", stats.coarse_index_bytes > 0 ? bytes(stats.coarse_index_bytes) + " index" : "exact");
  field("device", standard_device());
  if (const auto encoder = library.encoder()) {
    field("model", encoder->model_name + " (weights " + encoder->weights_hash.substr(0, 8) + ")" +
                       (encoder->trained ? "" : ", untrained"));
    field("vectors", std::to_string(encoder->stored_tokens) + " tokens of " + std::to_string(encoder->token_width) +
                         " values a picture, resized " + to_string(encoder->resize));
  }
}

}  // namespace

Command make_stats(CLI::App& root) {
  auto format = std::make_shared<std::string>("table");
  CLI::App* app =
      root.add_subcommand("stats", "show what the library holds and how much space it takes")->group("Collect");
  app->add_option("--format", *format, "output: table or json")
      ->type_name("FORMAT")
      ->check(check_format)
      ->capture_default_str();
  return {app,
          "Counts of pictures, files and failures, sizes on disk, and the model that the vectors were made with.",
          {{"tessera stats", "An overview."}, {"tessera stats --format json", "The same for a program."}},
          [format](Context& context) {
            const Format parsed = parse_report_format(*format, "stats");
            const Library library = open_library(context, OpenMode::kRead);
            if (parsed == Format::kJson) {
              context.out.line(dump(stats_json(library), 2));
            } else {
              write_text(context.out, library);
            }
            return ExitCode::kOk;
          }};
}

}  // namespace tessera::cli
