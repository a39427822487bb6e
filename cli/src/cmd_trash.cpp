// tessera trash: files into the trash, and back.
#include <CLI/CLI.hpp>
#include <memory>

#include "commands.h"
#include "format.h"
#include "interrupt.h"
#include "report_actions.h"
#include "resolve.h"
#include "targets.h"
#include "text.h"

namespace tessera::cli {
namespace {

struct TrashOptions {
  TargetOptions targets;
  bool list = false;
  std::vector<std::int64_t> restore;
  std::string format = "table";
};

ExitCode list_trash(const TrashOptions& options, Curation curation, Context& context) {
  const Format format = parse_report_format(options.format, "trash --list");
  Json list = Json::array();
  for (const TrashedFile& file : FileActions(curation).trashed()) {
    if (format == Format::kJson) {
      Json entry;
      entry["number"] = file.id;
      set_path(entry, "path", file.path);
      set_path(entry, "place", file.place);
      entry["hash"] = file.content.hex();
      entry["time_ns"] = file.time_ns;
      entry["in_place"] = file.in_place;
      list.push_back(std::move(entry));
    } else {
      context.out.line(pad(std::to_string(file.id), -7) + "  " +
                       printable(file.path.native(), context.out.terminal().utf8) +
                       (file.in_place ? "" : "  (no longer there)"));
    }
  }
  if (format == Format::kJson) context.out.line(dump(list, 2));
  return ExitCode::kOk;
}

ExitCode run(const TrashOptions& options, Context& context) {
  if (options.list) return list_trash(options, open_curation(context, OpenMode::kRead), context);
  Curation curation = open_curation(context, OpenMode::kWrite);
  FileActions actions(curation);
  if (!options.restore.empty()) return report_actions(actions.restore(options.restore), "restored", context);
  const Interrupt interrupt;
  const auto files = target_files(open_library(context, OpenMode::kRead), options.targets);
  return report_actions(actions.trash(files, {}, interrupt.token()), "moved to the trash:", context);
}

}  // namespace

Command make_trash(CLI::App& root) {
  auto options = std::make_shared<TrashOptions>();
  CLI::App* app = root.add_subcommand("trash", "move files to the trash, and restore them")->group("Curate");
  app->add_flag("--list", options->list, "what Tessera put into the trash, with numbers, latest first");
  app->add_option("--restore", options->restore, "put this number of --list back; may be repeated")
      ->type_name("N")
      ->allow_extra_args(false);
  app->add_option("--format", options->format, "output of --list: table|json")
      ->type_name("FORMAT")
      ->capture_default_str();
  add_target_options(*app, options->targets);
  return {
      app,
      "Files go to the trash of the desktop (freedesktop.org Trash specification), of their own file system. A path "
      "names one file; an id or a condition means all files of a picture. 'tessera undo' brings them back, also "
      "later; marks and tags stay.",
      {{"tessera trash Pictures/blurred.jpg", "One file."},
       {"tessera trash --flag reject --under Pictures/2019", "What was rejected in a folder."},
       {"tessera trash --list", "What could be restored."}},
      [options](Context& context) { return run(*options, context); }};
}

}  // namespace tessera::cli
