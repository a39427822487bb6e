// tessera collect: collections, and files of a selection in a folder.
#include <CLI/CLI.hpp>
#include <memory>

#include "commands.h"
#include "format.h"
#include "interrupt.h"
#include "records.h"
#include "report_actions.h"
#include "resolve.h"
#include "targets.h"
#include "text.h"

namespace tessera::cli {
namespace {

struct CollectOptions {
  std::string name;
  std::string new_name;
  std::string format = "table";
  TargetOptions targets;
  FilterOptions search;
  std::string folder;
  bool move = false;
  bool symlink = false;
};
using Shared = std::shared_ptr<CollectOptions>;

Collection existing(const Curation& curation, const std::string& name) {
  if (auto found = curation.find_collection(name)) return *found;
  throw Error(ErrorCode::kNotFound, "the library has no collection '" + name + "'");
}

ExitCode list(const CollectOptions& options, Context& context) {
  const Format format = parse_report_format(options.format, "collect list");
  Json list = Json::array();
  for (const Collection& collection : open_curation(context, OpenMode::kRead).collections()) {
    const bool manual = collection.kind == CollectionKind::kManual;
    if (format == Format::kJson) {
      list.push_back({{"name", collection.name},
                      {"kind", manual ? "manual" : "search"},
                      {"search", manual ? Json() : Json(collection.search)},
                      {"pictures", manual ? Json(collection.contents) : Json()}});
    } else {
      context.out.line(pad(manual ? human_count(collection.contents) : "search", -8) + "  " +
                       printable(collection.name, context.out.terminal().utf8));
    }
  }
  if (format == Format::kJson) context.out.line(dump(list, 2));
  return ExitCode::kOk;
}

ExitCode show(const CollectOptions& options, Context& context) {
  const Library library = open_library(context, OpenMode::kRead);
  const Curation curation = open_curation(context, OpenMode::kRead);
  const Collection collection = existing(curation, options.name);
  std::vector<ImageId> ids;
  if (collection.kind == CollectionKind::kManual) {
    ids = curation.collection_images(collection.id);
  } else {
    CatalogFilter filter;
    filter.collection = collection.name;  // says what is wrong with a search by pictures
    ids = library.matching(filter);
  }
  RecordWriter writer(context.out, parse_format(options.format), current_folder());
  writer.set_marks(MarkBook(curation));
  for (const ImageId id : ids) writer.add(library.image(id));
  writer.finish();
  return ExitCode::kOk;
}

ExitCode make_new(const CollectOptions& options, Context& context) {
  const auto filter = options.search.filter();
  open_curation(context, OpenMode::kWrite)
      .create_collection(options.name, filter ? CollectionKind::kSavedSearch : CollectionKind::kManual,
                         filter ? filter_text(*filter) : std::string());
  return ExitCode::kOk;
}

ExitCode change(const CollectOptions& options, bool add, Context& context) {
  const Library library = open_library(context, OpenMode::kRead);
  const auto contents = target_contents(library, options.targets, context.console);
  Curation curation = open_curation(context, OpenMode::kWrite);
  const Collection collection = existing(curation, options.name);
  if (collection.kind == CollectionKind::kSavedSearch) {
    throw Error(ErrorCode::kInvalidArgument, "'" + options.name + "' is a saved search: its pictures follow from it");
  }
  const std::int64_t changed = add ? curation.add_to_collection(collection.id, contents)
                                   : curation.remove_from_collection(collection.id, contents);
  context.console.note((add ? "added " : "took out ") + plural(changed, "picture"));
  return ExitCode::kOk;
}

ExitCode copy_files(const CollectOptions& options, Context& context) {
  if (options.move && options.symlink) throw UsageError("--move and --symlink exclude each other");
  const Interrupt interrupt;
  const Library library = open_library(context, OpenMode::kRead);
  std::vector<std::filesystem::path> files;
  for (const ImageRecord& picture : target_pictures(library, options.targets)) {
    for (const FileRecord& file : picture.files) {  // one of each picture
      if (file.state != FileState::kPresent) continue;
      files.push_back(file.path);
      break;
    }
  }
  const Transfer how = options.move ? Transfer::kMove : options.symlink ? Transfer::kSymlink : Transfer::kCopy;
  Curation curation = open_curation(context, OpenMode::kWrite);
  const ActionReport report =
      FileActions(curation).transfer(files, absolute_path(options.folder), how, {}, interrupt.token());
  return report_actions(report, options.move ? "moved" : options.symlink ? "linked" : "copied", context);
}

Command subcommand(CLI::App& parent, const char* name, const char* summary, std::string description, Example example,
                   std::function<ExitCode(Context&)> run) {
  return {parent.add_subcommand(name, summary), std::move(description), {std::move(example)}, std::move(run)};
}

void add_name(const Command& command, const Shared& options) {
  command.app->add_option("NAME", options->name, "of the collection")->required();
}

Command make_list_collections(CLI::App& parent) {
  auto options = std::make_shared<CollectOptions>();
  Command command = subcommand(
      parent, "list", "the collections of the library", "In order of name, with the number of pictures of manual ones.",
      {"tessera collect list", "All collections."}, [options](Context& context) { return list(*options, context); });
  command.app->add_option("--format", options->format, "output: table|json")
      ->type_name("FORMAT")
      ->capture_default_str();
  return command;
}

Command make_show(CLI::App& parent) {
  auto options = std::make_shared<CollectOptions>();
  Command command =
      subcommand(parent, "show", "the pictures of a collection", "As 'tessera list', in the order of the collection.",
                 {"tessera collect show best --format paths", "The files of a collection."},
                 [options](Context& context) { return show(*options, context); });
  add_name(command, options);
  command.app->add_option("--format", options->format, "output: " + std::string(kFormatNames))
      ->type_name("FORMAT")
      ->check(check_format)
      ->capture_default_str();
  return command;
}

Command make_create(CLI::App& parent) {
  auto options = std::make_shared<CollectOptions>();
  Command command =
      subcommand(parent, "new", "make a collection",
                 "Without conditions a manual one, to which 'tessera collect add' adds; with conditions a saved "
                 "search, which holds at any time what passes them.",
                 {"tessera collect new 'good cats' --tag cat --rating 4..", "A saved search."},
                 [options](Context& context) { return make_new(*options, context); });
  add_name(command, options);
  add_filter_options(*command.app, options->search, true);
  return command;
}

Command make_change(CLI::App& parent, bool add) {
  auto options = std::make_shared<CollectOptions>();
  Command command = subcommand(
      parent, add ? "add" : "remove", add ? "put pictures into a collection" : "take pictures out of a collection",
      add ? "At its end, in the order given; what is in it stays where it is." : "The pictures themselves stay.",
      add ? Example{"tessera collect add best --rating 5", "All pictures with five stars."}
          : Example{"tessera collect remove best 4711", "Takes one picture out."},
      [options, add](Context& context) { return change(*options, add, context); });
  add_name(command, options);
  add_target_options(*command.app, options->targets);
  return command;
}

Command make_rename(CLI::App& parent) {
  auto options = std::make_shared<CollectOptions>();
  Command command =
      subcommand(parent, "rename", "rename a collection", "The new name must be free.",
                 {"tessera collect rename best 'the best'", "A longer name."}, [options](Context& context) {
                   Curation curation = open_curation(context, OpenMode::kWrite);
                   curation.rename_collection(existing(curation, options->name).id, options->new_name);
                   return ExitCode::kOk;
                 });
  add_name(command, options);
  command.app->add_option("NEW_NAME", options->new_name, "the new name")->required();
  return command;
}

Command make_delete(CLI::App& parent) {
  auto options = std::make_shared<CollectOptions>();
  Command command = subcommand(parent, "delete", "remove a collection",
                               "Pictures stay, and 'tessera undo' brings the collection back.",
                               {"tessera collect delete best", "Removes it."}, [options](Context& context) {
                                 Curation curation = open_curation(context, OpenMode::kWrite);
                                 curation.remove_collection(existing(curation, options->name).id);
                                 return ExitCode::kOk;
                               });
  add_name(command, options);
  return command;
}

Command make_files(CLI::App& parent) {
  auto options = std::make_shared<CollectOptions>();
  Command command =
      subcommand(parent, "files", "copy, move or link the files of pictures into a folder",
                 "One file of each picture. Names that are taken get a number; nothing is replaced. 'tessera undo' "
                 "takes it back: moved files return, copies go to the trash.",
                 {"tessera collect files --to ~/picks --flag pick", "Copies all picks."},
                 [options](Context& context) { return copy_files(*options, context); });
  command.app->add_option("--to", options->folder, "the folder; made if it is not there")->type_name("DIR")->required();
  command.app->add_flag("--move", options->move, "move instead of copy");
  command.app->add_flag("--symlink", options->symlink, "make symbolic links instead of copies");
  add_target_options(*command.app, options->targets);
  return command;
}

}  // namespace

Command make_collect(CLI::App& root) {
  CLI::App* app = root.add_subcommand("collect", "collections, and copies of selected files")->group("Curate");
  app->require_subcommand(0, 1);
  Command command;
  command.app = app;
  command.description =
      "A collection is a list of pictures in an order of its own, or a saved search: conditions, or a search by "
      "pictures ('tessera search --save'), which 'tessera search --saved' runs. Pictures are in it by content: it "
      "stays complete when files move. --collection NAME of other commands means its pictures.";
  command.examples = {{"tessera collect new best", "Makes an empty collection."}};
  command.subcommands = {make_list_collections(*app), make_show(*app),   make_create(*app), make_change(*app, true),
                         make_change(*app, false),    make_rename(*app), make_delete(*app), make_files(*app)};
  command.run = [](Context&) -> ExitCode {
    throw UsageError("'tessera collect' needs a subcommand, e.g. 'tessera collect list'");
  };
  return command;
}

}  // namespace tessera::cli
