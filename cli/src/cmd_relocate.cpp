// tessera relocate: tell the library that a folder has moved.
#include <CLI/CLI.hpp>
#include <memory>

#include "commands.h"
#include "resolve.h"
#include "text.h"

namespace tessera::cli {
namespace {

struct RelocateOptions {
  std::string from;
  std::string to;
};

ExitCode run(const RelocateOptions& options, Context& context) {
  const std::filesystem::path from = absolute_path(options.from);
  const std::filesystem::path to = absolute_path(options.to);
  Library library = open_library(context, OpenMode::kWrite);
  const std::int64_t files = library.relocate(from, to);
  if (files == 0) {
    throw Error(ErrorCode::kNotFound,
                "no file below " + from.string() + " is in the library " + library.dir().string());
  }
  context.console.note(plural(files, "file") + " now below " + to.string());
  std::error_code ignored;
  if (!std::filesystem::is_directory(to, ignored)) context.console.warning(to.string() + " is no folder at this time");
  return ExitCode::kOk;
}

}  // namespace

Command make_relocate(CLI::App& root) {
  auto options = std::make_shared<RelocateOptions>();
  CLI::App* app = root.add_subcommand("relocate", "tell the library that a folder has moved")->group("Keep in order");
  app->add_option("OLD", options->from, "where the folder was")->required();
  app->add_option("NEW", options->to, "where it is now")->required();
  return {app,
          "Rewrites the paths of all files below OLD to be below NEW, without reading a single photo. Use it when a "
          "collection moves to another disk or folder as a whole.",
          {{"tessera relocate /media/old/Pictures ~/Pictures", "The collection has been copied to this machine."}},
          [options](Context& context) { return run(*options, context); }};
}

}  // namespace tessera::cli
