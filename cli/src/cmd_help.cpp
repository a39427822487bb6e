// tessera help: help texts, manual pages and shell completion.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "commands.h"
#include "help.h"
#include "program.h"

namespace tessera::cli {
namespace {

struct HelpOptions {
  std::vector<std::string> topic;
  bool man = false;
  bool completion = false;
};

// The command with this name, given as one or two words.
const Command& find_command(const std::vector<Command>& commands, const std::vector<std::string>& words) {
  const std::vector<Command>* among = &commands;
  const Command* found = nullptr;
  std::string name;
  for (const std::string& word : words) {
    name += (name.empty() ? "" : " ") + word;
    const auto match =
        std::find_if(among->begin(), among->end(), [&](const Command& each) { return each.app->get_name() == word; });
    if (match == among->end()) throw UsageError("no command '" + name + "'");
    found = &*match;
    among = &found->subcommands;
  }
  return *found;
}

ExitCode run_help(const HelpOptions& options, Context& context) {
  const Program program;  // the same texts, from parsers that have parsed nothing
  const auto& commands = program.commands();
  if (options.completion) {
    context.out.write(bash_completion(program.root(), commands));
    return ExitCode::kOk;
  }
  if (options.topic.empty()) {
    context.out.write(options.man ? overview_man(program.root(), commands, version())
                                  : overview_help(program.root(), commands));
    return ExitCode::kOk;
  }
  const Command& command = find_command(commands, options.topic);
  context.out.write(options.man ? command_man(program.root(), command, version())
                                : command_help(program.root(), command));
  return ExitCode::kOk;
}

}  // namespace

Command make_help(CLI::App& root) {
  auto options = std::make_shared<HelpOptions>();
  CLI::App* app = root.add_subcommand("help", "show help for a command, or its manual page")->group("About");
  app->add_option("COMMAND", options->topic, "the command to explain, e.g. search or eval knn; without it, an overview")
      ->expected(0, 2);
  app->add_flag("--man", options->man, "as a manual page (roff) for man(1)");
  app->add_flag("--completion", options->completion, "print a completion script for bash");
  return {app,
          "Prints the text of --help, the same text as a manual page, or a completion script.",
          {{"tessera help search", "Explains the search command."},
           {"tessera help --man search | man -l -", "Reads it as a manual page."},
           {"source <(tessera help --completion)", "Lets bash complete commands and options."}},
          [options](Context& context) { return run_help(*options, context); }};
}

}  // namespace tessera::cli
