// tessera flag, tessera label: picks, rejects and colour labels.
#include <CLI/CLI.hpp>
#include <memory>

#include "checked_by.h"
#include "commands.h"
#include "resolve.h"
#include "targets.h"
#include "text.h"

namespace tessera::cli {
namespace {

struct MarkOptions {
  std::string value;
  TargetOptions targets;
};

ExitCode run(const MarkChange& change, const TargetOptions& targets, Context& context) {
  const Library library = open_library(context, OpenMode::kRead);
  const auto contents = target_contents(library, targets, context.console);
  const std::int64_t changed = open_curation(context, OpenMode::kWrite).set_marks(contents, change);
  context.console.note("changed " + plural(changed, "picture"));
  return ExitCode::kOk;
}

}  // namespace

Command make_flag(CLI::App& root) {
  auto options = std::make_shared<MarkOptions>();
  CLI::App* app = root.add_subcommand("flag", "pick or reject pictures")->group("Curate");
  app->add_option("FLAG", options->value, "pick, reject or none")
      ->required()
      ->check(checked_by([](const std::string& text) { parse_flag(text); }));
  add_target_options(*app, options->targets);
  return {app,
          "A flag belongs to the content of a picture, as its stars do.",
          {{"tessera flag pick Pictures/beach.jpg", "This one stays."},
           {"tessera search blur.jpg --format paths0 | tessera flag reject --paths0", "Rejects what a search found."}},
          [options](Context& context) {
            MarkChange change;
            change.flag = parse_flag(options->value);
            return run(change, options->targets, context);
          }};
}

Command make_label(CLI::App& root) {
  auto options = std::make_shared<MarkOptions>();
  CLI::App* app = root.add_subcommand("label", "give pictures a colour label")->group("Curate");
  app->add_option("LABEL", options->value, "none, red, yellow, green, blue or purple")
      ->required()
      ->check(checked_by([](const std::string& text) { parse_label(text); }));
  add_target_options(*app, options->targets);
  return {app,
          "A colour label belongs to the content of a picture, as its stars do.",
          {{"tessera label green --flag pick --date 2024", "The picks of a year."}},
          [options](Context& context) {
            MarkChange change;
            change.label = parse_label(options->value);
            return run(change, options->targets, context);
          }};
}

}  // namespace tessera::cli
