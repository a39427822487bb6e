// tessera undo, tessera redo: the journal.
#include <CLI/CLI.hpp>
#include <ctime>
#include <memory>

#include "commands.h"
#include "format.h"
#include "targets.h"
#include "text.h"

namespace tessera::cli {
namespace {

struct UndoOptions {
  int steps = 1;
  bool list = false;
  std::string format = "table";
};

const char* state_name(EntryState state) {
  switch (state) {
    case EntryState::kDone: return "done";
    case EntryState::kUndone: return "undone";
    case EntryState::kDiscarded: return "discarded";
    case EntryState::kRunning: return "running";
    case EntryState::kFailed: return "failed";
  }
  return "";
}

std::string local_time(std::int64_t nanoseconds) {
  const std::time_t seconds = static_cast<std::time_t>(nanoseconds / 1'000'000'000);
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  std::string text(32, '\0');
  text.resize(std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &parts));
  return text;
}

ExitCode list_journal(const UndoOptions& options, Context& context) {
  const Format format = parse_report_format(options.format, "undo --list");
  Json list = Json::array();
  for (const JournalEntry& entry : open_curation(context, OpenMode::kRead).journal()) {
    if (format == Format::kJson) {
      list.push_back(
          {{"id", entry.id}, {"time_ns", entry.time_ns}, {"state", state_name(entry.state)}, {"title", entry.title}});
    } else {
      context.out.line(local_time(entry.time_ns) + "  " + pad(state_name(entry.state), 9) + "  " +
                       printable(entry.title, context.out.terminal().utf8));
    }
  }
  if (format == Format::kJson) context.out.line(dump(list, 2));
  return ExitCode::kOk;
}

ExitCode run(const UndoOptions& options, bool undo, Context& context) {
  if (options.list) return list_journal(options, context);
  Curation curation = open_curation(context, OpenMode::kWrite);
  ExitCode code = ExitCode::kOk;
  for (int step = 0; step < options.steps; ++step) {
    const auto entry = undo ? curation.undo() : curation.redo();
    if (!entry) {
      context.console.error(undo ? "there is nothing to undo" : "there is nothing to do again");
      return ExitCode::kError;
    }
    context.console.note((undo ? "undone: " : "done again: ") + entry->title);
    for (const std::string& problem : entry->problems) context.console.error(problem);
    if (!entry->problems.empty()) code = ExitCode::kSomeFailed;
  }
  return code;
}

void add_options(CLI::App& app, UndoOptions& options) {
  app.add_option("-n", options.steps, "how many changes")
      ->type_name("N")
      ->check(CLI::Range(1, 100'000).description(""))
      ->capture_default_str();
}

}  // namespace

Command make_undo(CLI::App& root) {
  auto options = std::make_shared<UndoOptions>();
  CLI::App* app =
      root.add_subcommand("undo", "take back the last change of marks, collections or files")->group("Curate");
  add_options(*app, *options);
  app->add_flag("--list", options->list, "the last 100 changes, latest first, instead");
  app->add_option("--format", options->format, "output of --list: table|json")
      ->type_name("FORMAT")
      ->capture_default_str();
  return {
      app,
      "Takes back changes of flags, stars, labels, tags, collections and verdicts, brings files back from the trash "
      "and "
      "moves files back. The journal is in the library, so it makes no difference when or by which program the change "
      "was made.",
      {{"tessera undo", "Takes back the last change."}, {"tessera undo --list", "What was done."}},
      [options](Context& context) { return run(*options, true, context); }};
}

Command make_redo(CLI::App& root) {
  auto options = std::make_shared<UndoOptions>();
  CLI::App* app = root.add_subcommand("redo", "do again what was undone")->group("Curate");
  add_options(*app, *options);
  return {app,
          "Possible until something else is changed.",
          {{"tessera redo", "Does the last undone change again."}},
          [options](Context& context) { return run(*options, false, context); }};
}

}  // namespace tessera::cli
