// tessera list: what the library knows of.
#include <CLI/CLI.hpp>
#include <memory>

#include "commands.h"
#include "records.h"
#include "resolve.h"
#include "targets.h"

namespace tessera::cli {
namespace {

struct ListOptions {
  bool failed = false;
  bool missing = false;
  bool offline = false;
  std::vector<std::string> under;
  FilterOptions conditions;
  std::string format = "table";
};

ExitCode run(const ListOptions& options, Context& context) {
  const Library library = open_library(context, OpenMode::kRead);
  ListFilter filter;
  filter.failed_only = options.failed;
  filter.under = absolute_paths(options.under);
  filter.filter = options.conditions.filter();
  if (filter.filter && options.missing) filter.filter->with_trashed = true;
  if (options.missing) filter.state = FileState::kMissing;
  if (options.offline) filter.state = FileState::kOffline;
  const FileState* state = filter.state ? &*filter.state : nullptr;
  RecordWriter writer(context.out, parse_format(options.format), current_folder(), state);
  if (tells_marks(options.format)) writer.set_marks(MarkBook(open_curation(context, OpenMode::kRead)));
  library.list(filter, [&](const ImageRecord& record) {
    writer.add(record);
    return true;
  });
  writer.finish();
  return ExitCode::kOk;
}

}  // namespace

Command make_list(CLI::App& root) {
  auto options = std::make_shared<ListOptions>();
  CLI::App* app = root.add_subcommand("list", "list the pictures of the library")->group("Collect");
  app->add_flag("--failed", options->failed, "only files that could not be read, with the reason");
  CLI::Option* missing = app->add_flag("--missing", options->missing, "only files that are no longer where they were");
  app->add_flag("--offline", options->offline, "only files whose disk or folder could not be reached")
      ->excludes(missing);
  app->add_option("--under", options->under, "only files below this folder; may be repeated")
      ->type_name("DIR")
      ->allow_extra_args(false);
  add_filter_options(*app, options->conditions, false);
  app->add_option("--format", options->format, "output: " + std::string(kFormatNames))
      ->type_name("FORMAT")
      ->check(check_format)
      ->capture_default_str();
  return {app,
          "One line per file, in order of the pictures' ids. Files with the same content share an id.",
          {{"tessera list --failed", "What could not be read, and why."},
           {"tessera list --rating 4.. --date 2019", "The good ones of a year."},
           {"tessera list --under Pictures/2019 --format paths | wc -l", "Counts the indexed files of a folder."}},
          [options](Context& context) { return run(*options, context); }};
}

}  // namespace tessera::cli
