// tessera rate: stars.
#include <CLI/CLI.hpp>
#include <memory>

#include "commands.h"
#include "resolve.h"
#include "targets.h"
#include "text.h"

namespace tessera::cli {
namespace {

struct RateOptions {
  int stars = 0;
  TargetOptions targets;
};

ExitCode run(const RateOptions& options, Context& context) {
  const Library library = open_library(context, OpenMode::kRead);
  const auto contents = target_contents(library, options.targets, context.console);
  MarkChange change;
  change.rating = options.stars;
  const std::int64_t changed = open_curation(context, OpenMode::kWrite).set_marks(contents, change);
  context.console.note("changed " + plural(changed, "picture"));
  return ExitCode::kOk;
}

}  // namespace

Command make_rate(CLI::App& root) {
  auto options = std::make_shared<RateOptions>();
  CLI::App* app = root.add_subcommand("rate", "give pictures stars")->group("Curate");
  app->add_option("STARS", options->stars, "0 to 5")->required()->check(CLI::Range(0, 5).description(""));
  add_target_options(*app, options->targets);
  return {app,
          "Stars belong to the content of a picture: they stay when its file is moved, forgotten or indexed anew. "
          "'tessera undo' takes the change back.",
          {{"tessera rate 5 Pictures/beach.jpg 4711", "Five stars for two pictures."},
           {"tessera rate 0 --rating 1..2", "Takes one and two stars away."}},
          [options](Context& context) { return run(*options, context); }};
}

}  // namespace tessera::cli
