// Help texts and shell completion, made from the description of each command.
#include "help.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "option_text.h"
#include "text.h"

namespace tessera::cli {
namespace {

constexpr int kColumns = 80;
constexpr int kOptionIndent = 2;
constexpr int kTextColumn = 26;

// "  --option N   text", the text wrapped in its own column.
std::string entry(const std::string& label, const std::string& text) {
  std::string result = std::string(kOptionIndent, ' ') + label;
  const std::string body = wrap(text, kColumns, kTextColumn);
  if (display_width(result) + 2 <= kTextColumn) {
    result += std::string(kTextColumn - display_width(result), ' ') +
              body.substr(std::min<std::size_t>(kTextColumn, body.size()));
  } else {
    result += "\n" + body;
  }
  return result;
}

std::string options_block(const CLI::App& app, bool positionals) {
  std::string text;
  for (const OptionText& option : option_texts(app)) {
    if (option.positional == positionals) text += entry(option.label, option.text);
  }
  return text;
}

// Single-quoted for a shell.
std::string shell_quoted(const std::string& text) { return "'" + text + "'"; }

}  // namespace

const EnvironmentText kEnvironmentTexts[] = {
    {"TESSERA_LIBRARY", "the library folder, where --library is not given"},
    {"TESSERA_MODEL", "the model folder, where --model is not given"},
    {"XDG_DATA_HOME", "where the default library lies: $XDG_DATA_HOME/tessera, else ~/.local/share/tessera"},
    {"NO_COLOR", "if set and not empty: no colours, where --color is auto"},
    {nullptr, nullptr},
};

std::string overview_help(const CLI::App& root, std::span<const Command> commands) {
  std::string text = wrap(root.get_description(), kColumns, 0) + "\nUsage: tessera COMMAND [OPTIONS] [ARGUMENTS]\n";
  std::string group;
  for (const Command& command : commands) {
    if (command.app->get_group() != group) {
      group = command.app->get_group();
      text += "\n" + group + ":\n";
    }
    text += entry(command.app->get_name(), command.app->get_description());
  }
  text += "\nGlobal options, before or after the command:\n" + options_block(root, false);
  text += "\n" + wrap(root.get_footer(), kColumns, 0) + "\nEnvironment:\n";
  for (const EnvironmentText* variable = kEnvironmentTexts; variable->name != nullptr; ++variable) {
    text += entry(variable->name, variable->text);
  }
  text += "\nExit codes:\n";
  for (const ExitCodeText* code = kExitCodeTexts; code->text != nullptr; ++code) {
    text += entry(std::to_string(static_cast<int>(code->code)), code->text);
  }
  return text + "\n'tessera COMMAND --help' tells more and gives examples.\n";
}

std::string command_help(const CLI::App& root, const Command& command) {
  std::string text = "tessera " + full_name(*command.app) + " - " + command.app->get_description() + "\n\n";
  text += "Usage: " + usage_text(*command.app) + "\n\n" + wrap(command.description, kColumns, 0);
  if (!command.subcommands.empty()) text += "\nSubcommands:\n";
  for (const Command& each : command.subcommands) text += entry(each.app->get_name(), each.app->get_description());
  const std::string arguments = options_block(*command.app, true);
  if (!arguments.empty()) text += "\nArguments:\n" + arguments;
  const std::string options = options_block(*command.app, false);
  if (!options.empty()) text += "\nOptions:\n" + options;
  text += "\nGlobal options:\n" + options_block(root, false);
  text += command.examples.size() == 1 ? "\nExample:\n" : "\nExamples:\n";
  for (const Example& example : command.examples) {
    text += "  " + example.command + "\n" + wrap(example.purpose, kColumns, 6);
  }
  return text;
}

std::string bash_completion(const CLI::App& root, std::span<const Command> commands) {
  std::string names;
  std::string cases;
  const auto option_words = [](const CLI::App& app) {
    std::string words;
    for (const OptionText& option : option_texts(app)) {
      for (const std::string& name : option.names) words += (words.empty() ? "" : " ") + name;
    }
    return words;
  };
  const std::string global_words = option_words(root);
  for (const Command& command : commands) {
    names += (names.empty() ? "" : " ") + command.app->get_name();
    std::string words = option_words(*command.app);
    std::string subcommands;
    for (const Command& each : command.subcommands) {
      words += " " + option_words(*each.app);
      subcommands += (subcommands.empty() ? "" : " ") + each.app->get_name();
    }
    cases += "    " + command.app->get_name() + ") options=" + shell_quoted(words);
    if (!subcommands.empty()) cases += " subcommands=" + shell_quoted(subcommands);
    cases += " ;;\n";
  }
  return "# bash completion of tessera; made by 'tessera help --completion'.\n"
         "_tessera() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} command='' options='' subcommands='' i\n"
         "  local commands=" +
         shell_quoted(names) +
         "\n"
         "  for ((i = 1; i < COMP_CWORD; ++i)); do\n"
         "    case \" $commands \" in *\" ${COMP_WORDS[i]} \"*) command=${COMP_WORDS[i]}; break ;; esac\n"
         "  done\n"
         "  case $command in\n" +
         cases +
         "  esac\n"
         "  COMPREPLY=()\n"
         "  if [[ $word == -* ]]; then\n"
         "    mapfile -t COMPREPLY < <(compgen -W \"$options " +
         global_words +
         "\" -- \"$word\")\n"
         "  elif [[ -z $command ]]; then\n"
         "    mapfile -t COMPREPLY < <(compgen -W \"$commands\" -- \"$word\")\n"
         "  elif [[ -n $subcommands && ${COMP_WORDS[COMP_CWORD - 1]} == $command ]]; then\n"
         "    mapfile -t COMPREPLY < <(compgen -W \"$subcommands\" -- \"$word\")\n"
         "  elif [[ $command == help ]]; then\n"
         "    mapfile -t COMPREPLY < <(compgen -W \"$commands\" -- \"$word\")\n"
         "  fi\n"
         "}\n"
         "complete -o default -o filenames -F _tessera tessera\n";
}

}  // namespace tessera::cli
