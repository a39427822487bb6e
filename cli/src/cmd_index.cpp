// tessera index: bring a library up to date with the folders of a photo collection.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <optional>

#include "checked_by.h"
#include "commands.h"
#include "format.h"
#include "interrupt.h"
#include "progress.h"
#include "resolve.h"
#include "tessera/device.h"
#include "text.h"

namespace tessera::cli {
namespace {

constexpr std::size_t kFailuresShown = 10;

struct IndexOptions {
  std::vector<std::string> dirs;
  std::string resize;
  int tokens = 0;
  IngestOptions ingest;
  ComputeOptions compute;
  std::string format = "table";
};

std::vector<std::filesystem::path> existing_folders(const std::vector<std::string>& texts) {
  std::vector<std::filesystem::path> roots = absolute_paths(texts);
  for (const std::filesystem::path& root : roots) {
    std::error_code error;
    if (!std::filesystem::exists(root, error)) throw Error(ErrorCode::kNotFound, "no folder " + root.string());
    if (!std::filesystem::is_directory(root, error)) {
      throw Error(ErrorCode::kUnsupported, root.string() + " is not a folder; 'tessera index' takes folders");
    }
  }
  return roots;
}

// The model of the library if it has one, else the one asked for or the default.
std::unique_ptr<Encoder> load_index_encoder(const Context& context, const std::optional<Library>& library,
                                            const ComputeOptions& compute) {
  if (library && library->encoder()) return load_library_encoder(context, *library, compute);
  return load_encoder(context, compute.encoder_options());
}

// What the vectors of this library are to be made with: as before, or as asked for a new one.
LibraryEncoder library_encoder(const Encoder& encoder, const std::optional<LibraryEncoder>& before,
                               const IndexOptions& options) {
  LibraryEncoder wanted;
  wanted.model_name = encoder.info().model_name;
  wanted.weights_hash = encoder.info().weights_hash;
  wanted.model_dir = encoder.info().model_dir.string();
  wanted.token_width = encoder.info().token_width;
  wanted.trained = encoder.info().trained;
  if (!options.resize.empty()) {
    wanted.resize = parse_resize_spec(options.resize);
  } else if (before) {
    wanted.resize = before->resize;
  } else {
    wanted.resize = {ResizeSpec::Mode::kShort, encoder.config().preferred_size, 32};
  }
  if (before) {
    wanted.stored_tokens = before->stored_tokens;
    wanted.model_dir = before->model_dir;
  }
  if (options.tokens > 0) wanted.stored_tokens = options.tokens;
  return wanted;
}

Json report_json(const IngestReport& report) {
  Json object;
  object["files_seen"] = report.files_seen;
  object["unchanged"] = report.unchanged;
  object["encoded"] = report.encoded;
  object["known_content"] = report.known_content;
  object["missing"] = report.missing;
  object["failed_before"] = report.failed_before;
  object["cancelled"] = report.cancelled;
  object["seconds"] = rounded(static_cast<float>(report.seconds));
  object["walk_seconds"] = rounded(static_cast<float>(report.walk_seconds));
  object["decode_seconds"] = rounded(static_cast<float>(report.decode_seconds));
  object["encode_seconds"] = rounded(static_cast<float>(report.encode_seconds));
  object["failed"] = Json::array();
  for (const IngestFailure& failure : report.failed) {
    Json entry;
    set_path(entry, "path", failure.path);
    entry["error_code"] = failure.code;
    entry["error"] = failure.reason;
    object["failed"].push_back(std::move(entry));
  }
  return object;
}

void print_summary(Console& console, const IngestReport& report) {
  const std::size_t shown = std::min(report.failed.size(), kFailuresShown);
  for (std::size_t i = 0; i < shown; ++i) console.note("failed: " + report.failed[i].reason);
  if (report.failed.size() > shown) {
    console.note("... and " + human_count(static_cast<std::int64_t>(report.failed.size() - shown)) + " more");
  }
  std::string line = (report.cancelled ? "Stopped: " : "") + plural(report.encoded, "new picture");
  if (report.known_content > 0) line += ", " + human_count(report.known_content) + " moved or copied";
  line += ", " + human_count(report.unchanged) + " unchanged";
  if (report.missing > 0) line += ", " + human_count(report.missing) + " missing";
  line += " in " + human_seconds(report.seconds);
  if (report.encoded > 0 && report.seconds > 0) {
    line += " (" + human_count(static_cast<std::int64_t>(double(report.encoded) / report.seconds + 0.5)) + " a second)";
  }
  console.note(line);
  const std::int64_t failed = static_cast<std::int64_t>(report.failed.size());
  if (failed > 0) console.note(plural(failed, "file") + " could not be read; 'tessera list --failed' shows them");
  if (report.failed_before > 0) {
    console.note(plural(report.failed_before, "file") +
                 " could not be read before and did not change; --retry-failed reads them again");
  }
  if (report.missing > 0) console.note("'tessera list --missing' shows what is missing, 'tessera prune' forgets it");
}

ExitCode run_index(const IndexOptions& options, Context& context) {
  const Format format = parse_report_format(options.format, "index");
  const std::vector<std::filesystem::path> roots = existing_folders(options.dirs);
  const Interrupt interrupt;

  // A library is made only once there is a model to make it with.
  const std::filesystem::path dir = resolve_library_dir(context.globals.library);
  std::optional<Library> library;
  if (is_library(dir)) library = Library::open(dir, OpenMode::kWrite);
  std::vector<std::unique_ptr<Encoder>> loaded;
  std::vector<ImageEncoder*> encoders;
  for (const std::string& device : parse_device_list(options.compute.device)) {
    ComputeOptions compute = options.compute;
    compute.device = device;
    loaded.push_back(load_index_encoder(context, library, compute));
    encoders.push_back(loaded.back().get());
  }
  const Encoder& encoder = *loaded.front();
  if (!library) {
    library = Library::open(dir, OpenMode::kCreate);
    context.console.note("new library " + library->dir().string());
  }
  library->set_encoder(library_encoder(encoder, library->encoder(), options));

  IngestOptions ingest = options.ingest;
  ingest.decode_threads = options.compute.threads;
  Progress progress(context.console);
  const auto observe = [&](const IngestProgress& now) {
    ProgressState state;
    state.done = now.done;
    state.total = now.to_do;
    state.total_known = now.walk_done;
    state.failed = now.failed;
    state.seen = now.files_seen;
    state.seconds = now.seconds;
    progress.update(state);
  };
  const std::string device_note = encoder.info().device_note;
  const IngestReport report = library->index(roots, ingest, encoders, observe, interrupt.token());
  progress.finish();
  warn_if_device_changed(context.console, encoder.info(), device_note);
  print_summary(context.console, report);
  if (format == Format::kJson) context.out.line(dump(report_json(report), 2));
  if (report.cancelled) return ExitCode::kInterrupted;
  return report.failed.empty() && report.failed_before == 0 ? ExitCode::kOk : ExitCode::kSomeFailed;
}

void add_options(CLI::App& app, IndexOptions& options) {
  app.add_option("DIR", options.dirs, "folders to index, with everything below them")->required();
  app.add_option("--exclude", options.ingest.exclude,
                 "leave out files and folders that match this pattern, e.g. '*.gif' or 'raw/**'; may be repeated")
      ->type_name("GLOB")
      ->allow_extra_args(false);
  app.add_flag("--retry-failed", options.ingest.retry_failed, "read files again that could not be read before");
  app.add_flag("--follow-symlinks", options.ingest.follow_symlinks, "also look into linked folders and files");
  app.add_option("--resize", options.resize,
                 "how pictures are prepared: short:N, square:N or fit:N (new library; default short:N/32 with the "
                 "model's size)")
      ->type_name("SPEC")
      ->check(checked_by([](const std::string& text) { parse_resize_spec(text); }));
  app.add_option("--tokens", options.tokens, "tokens stored per picture (new library; default 16)")
      ->type_name("N")
      ->check(CLI::Range(1, 4096).description(""));
  app.add_option("--batch", options.ingest.batch, "pictures per encoder call (default: chosen for the model)")
      ->type_name("N")
      ->check(CLI::Range(1, 4096).description(""));
  add_compute_options(app, options.compute, true);
  app.add_option("--format", options.format, "json: also print a report on standard output")
      ->type_name("FORMAT")
      ->check(check_format)
      ->capture_default_str();
}

}  // namespace

Command make_index(CLI::App& root) {
  auto options = std::make_shared<IndexOptions>();
  CLI::App* app = root.add_subcommand("index", "read the pictures below folders into the library")->group("Collect");
  add_options(*app, *options);
  return {app,
          "Finds the pictures below each DIR, encodes what is new and stores the result in the library, which is made "
          "if there is none. Files that did not change since the last run are not opened; moved or copied ones are "
          "recognised by their content. Dot-files, @eaDir, node_modules and trash folders are left out.\n\n"
          "Ctrl-C stops cleanly: what is finished is kept and the next run goes on from there. Files that cannot be "
          "read are recorded with the reason, and the exit code is 3 as long as there are any.\n\n"
          "Model, --resize and --tokens are fixed by the first run.",
          {{"tessera index ~/Pictures", "Indexes a collection, or brings its library up to date."},
           {"tessera index ~/Pictures --exclude 'Screenshots/**' -L ~/Pictures/.tessera",
            "Keeps the library beside the photos, so that commands below ~/Pictures find it."}},
          [options](Context& context) { return run_index(*options, context); }};
}

}  // namespace tessera::cli
