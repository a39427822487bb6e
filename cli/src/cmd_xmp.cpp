// tessera xmp: sidecars for and from other programs.
#include <CLI/CLI.hpp>
#include <memory>

#include "commands.h"
#include "resolve.h"
#include "targets.h"
#include "tessera/indexer/xmp.h"
#include "text.h"

namespace tessera::cli {
namespace {

ExitCode tell(const SidecarReport& report, const char* done, const char* unchanged, Context& context) {
  for (const SidecarReport::Failure& failure : report.failed) {
    context.console.error(failure.path.string() + ": " + failure.reason);
  }
  context.console.note(done + plural(report.done, "file") + ", " + plural(report.unchanged, "file") + " " + unchanged);
  return report.failed.empty() ? ExitCode::kOk : ExitCode::kSomeFailed;
}

Command make_write(CLI::App& parent) {
  auto options = std::make_shared<TargetOptions>();
  CLI::App* app = parent.add_subcommand("write", "write marks and tags into sidecars");
  add_target_options(*app, *options);
  return {
      app,
      "Stars (rejected: -1), colour label and tags go into PHOTO.EXT.xmp, or into PHOTO.xmp if that is there already. "
      "What "
      "other programs wrote into it stays. Pictures without marks get no new sidecar. The photos are never changed.",
      {{"tessera xmp write --rating 1..", "Sidecars for all rated pictures."}},
      [options](Context& context) {
        const Library library = open_library(context, OpenMode::kRead);
        const auto pictures = target_pictures(library, *options);
        const Curation curation = open_curation(context, OpenMode::kRead);
        return tell(write_sidecars(curation, pictures), "wrote ", "as they were", context);
      }};
}

Command make_read(CLI::App& parent) {
  auto options = std::make_shared<TargetOptions>();
  CLI::App* app = parent.add_subcommand("read", "take marks and tags from sidecars");
  add_target_options(*app, *options);
  return {app,
          "What a sidecar says takes the place of the picture's flag, stars, label and tags; 'tessera undo' takes it "
          "back. 'tessera index' reads the sidecars of new pictures by itself.",
          {{"tessera xmp read --under Pictures/2019", "After another program was used in a folder."}},
          [options](Context& context) {
            const Library library = open_library(context, OpenMode::kRead);
            const auto pictures = target_pictures(library, *options);
            Curation curation = open_curation(context, OpenMode::kWrite);
            return tell(read_sidecars(curation, pictures), "took marks from ", "said the same", context);
          }};
}

}  // namespace

Command make_xmp(CLI::App& root) {
  CLI::App* app = root.add_subcommand("xmp", "sidecars for and from other programs")->group("Curate");
  app->require_subcommand(0, 1);
  Command command;
  command.app = app;
  command.description =
      "XMP sidecars as digiKam, Lightroom and darktable read and write them. They are written only by 'tessera xmp "
      "write'.";
  command.examples = {{"tessera xmp write --all", "A sidecar beside every marked picture."}};
  command.subcommands = {make_write(*app), make_read(*app)};
  command.run = [](Context&) -> ExitCode {
    throw UsageError("'tessera xmp' needs a subcommand, e.g. 'tessera xmp write'");
  };
  return command;
}

}  // namespace tessera::cli
