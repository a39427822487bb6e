// tessera tag: tags of pictures.
#include <CLI/CLI.hpp>
#include <memory>

#include "commands.h"
#include "format.h"
#include "resolve.h"
#include "targets.h"
#include "text.h"

namespace tessera::cli {
namespace {

struct TagOptions {
  std::vector<std::string> add;
  std::vector<std::string> remove;
  std::vector<std::string> rename;
  bool list = false;
  std::string format = "table";
  TargetOptions targets;
};

ExitCode list_tags(const TagOptions& options, Context& context) {
  const Format format = parse_report_format(options.format, "tag --list");
  const auto tags = open_curation(context, OpenMode::kRead).tags();
  if (format == Format::kJson) {
    Json list = Json::array();
    for (const Tag& tag : tags) list.push_back({{"name", tag.name}, {"pictures", tag.contents}});
    context.out.line(dump(list, 2));
    return ExitCode::kOk;
  }
  for (const Tag& tag : tags) {
    context.out.line(pad(human_count(tag.contents), -8) + "  " + printable(tag.name, context.out.terminal().utf8));
  }
  return ExitCode::kOk;
}

ExitCode run(const TagOptions& options, Context& context) {
  const int tasks =
      int{options.list} + int{!options.rename.empty()} + int{!options.add.empty() || !options.remove.empty()};
  if (tasks != 1) throw UsageError("say what to do: --add and --remove, --rename, or --list");
  if (options.list) return list_tags(options, context);
  if (!options.rename.empty()) {
    const std::int64_t changed =
        open_curation(context, OpenMode::kWrite).rename_tag(options.rename[0], options.rename[1]);
    context.console.note("changed " + plural(changed, "picture"));
    return ExitCode::kOk;
  }
  const Library library = open_library(context, OpenMode::kRead);
  const auto contents = target_contents(library, options.targets, context.console);
  const std::int64_t changed =
      open_curation(context, OpenMode::kWrite).change_tags(contents, options.add, options.remove);
  context.console.note("changed " + plural(changed, "picture"));
  return ExitCode::kOk;
}

}  // namespace

Command make_tag(CLI::App& root) {
  auto options = std::make_shared<TagOptions>();
  CLI::App* app = root.add_subcommand("tag", "add, remove, rename and list tags")->group("Curate");
  app->add_option("--add", options->add, "give the pictures this tag; may be repeated")
      ->type_name("NAME")
      ->allow_extra_args(false);
  app->add_option("--remove", options->remove, "take this tag from the pictures; may be repeated")
      ->type_name("NAME")
      ->allow_extra_args(false);
  app->add_option("--rename", options->rename, "rename a tag; one that is there already takes its pictures")
      ->type_name("OLD NEW")
      ->expected(2);
  app->add_flag("--list", options->list, "all tags with the number of their pictures");
  app->add_option("--format", options->format, "output of --list: table|json")
      ->type_name("FORMAT")
      ->capture_default_str();
  add_target_options(*app, options->targets);
  return {
      app,
      "A tag is a name, or a path of names: 'Places/Vienna' is below 'Places', and --tag Places finds it. Tags belong "
      "to the content of a picture, as its stars do.",
      {{"tessera tag --add cat --add Animals/pets Pictures/cat.jpg", "Two tags for one picture."},
       {"tessera tag --remove cat --tag cat --under Pictures/dogs", "Takes a tag back in a folder."}},
      [options](Context& context) { return run(*options, context); }};
}

}  // namespace tessera::cli
