// tessera verify: check that a library is whole.
#include <CLI/CLI.hpp>
#include <memory>

#include "commands.h"
#include "format.h"
#include "interrupt.h"
#include "resolve.h"
#include "text.h"

namespace tessera::cli {
namespace {

struct VerifyOptions {
  bool photos = false;
  std::string format = "table";
};

ExitCode run(const VerifyOptions& options, Context& context) {
  const Format format = parse_report_format(options.format, "verify");
  const Interrupt interrupt;
  const Library library = open_library(context, OpenMode::kRead);
  const std::vector<VerifyProblem> problems = library.verify(options.photos, interrupt.token());
  if (format == Format::kJson) {
    Json list = Json::array();
    for (const VerifyProblem& problem : problems) {
      Json entry;
      set_path(entry, "file", problem.file);
      entry["problem"] = problem.problem;
      list.push_back(std::move(entry));
    }
    context.out.line(dump(list, 2));
  } else {
    const bool utf8 = context.out.terminal().utf8;
    for (const VerifyProblem& problem : problems) {
      context.out.line(printable(problem.file.native(), utf8) + ": " + printable(problem.problem, utf8));
    }
  }
  if (interrupt.requested()) {
    context.console.note("stopped before everything was checked");
    return ExitCode::kInterrupted;
  }
  const LibraryStats stats = library.stats();
  if (problems.empty()) {
    context.console.note("the library " + library.dir().string() + " is whole: " + plural(stats.images, "picture") +
                         ", " + plural(stats.segments, "segment") + (options.photos ? ", every photo read" : ""));
    return ExitCode::kOk;
  }
  context.console.note(plural(static_cast<std::int64_t>(problems.size()), "problem"));
  return ExitCode::kError;
}

}  // namespace

Command make_verify(CLI::App& root) {
  auto options = std::make_shared<VerifyOptions>();
  CLI::App* app = root.add_subcommand("verify", "check that the library is whole")->group("Keep in order");
  app->add_flag("--photos", options->photos, "also read every photo and compare its content with the library");
  app->add_option("--format", options->format, "output: table or json")
      ->type_name("FORMAT")
      ->check(check_format)
      ->capture_default_str();
  return {
      app,
      "Checks the catalog, the checksum of every token file, and that they agree. Each problem is a line on standard "
      "output; the exit code is 1 if there are any. Nothing is changed.",
      {{"tessera verify", "After a crash of the machine, or before a backup."},
       {"tessera verify --photos", "Also finds photos whose content has changed or decayed."}},
      [options](Context& context) { return run(*options, context); }};
}

}  // namespace tessera::cli
