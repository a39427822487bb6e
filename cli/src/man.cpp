// Manual pages (roff, man macros), made from the description of each command.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <string_view>

#include "help.h"
#include "option_text.h"

namespace tessera::cli {
namespace {

// Text as roff shows it unchanged: backslashes and hyphens escaped, no line taken for a request.
std::string roff(std::string_view text) {
  std::string result;
  bool line_start = true;
  for (const char c : text) {
    if (line_start && (c == '.' || c == '\'')) result += "\\&";
    line_start = c == '\n';
    switch (c) {
      case '\\': result += "\\e"; break;
      case '-': result += "\\-"; break;
      default: result.push_back(c); break;
    }
  }
  return result;
}

// Paragraphs; lines that start with a space are shown as they are.
std::string paragraphs(std::string_view text) {
  std::string result;
  bool verbatim = false;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const bool wants_verbatim = !line.empty() && line[0] == ' ';
    if (wants_verbatim != verbatim) result += wants_verbatim ? ".nf\n" : ".fi\n";
    verbatim = wants_verbatim;
    result += line.empty() ? ".PP\n" : roff(line) + "\n";
  }
  if (verbatim) result += ".fi\n";
  return result;
}

std::string title(const std::string& name, const std::string& version) {
  return ".TH " + name + " 1 \"\" \"Tessera " + version + "\" \"User Commands\"\n";
}

std::string definitions(const CLI::App& app, bool positionals) {
  std::string text;
  for (const OptionText& option : option_texts(app)) {
    if (option.positional != positionals) continue;
    text += ".TP\n\\fB" + roff(option.label) + "\\fR\n" + roff(option.text) + "\n";
  }
  return text;
}

std::string command_body(const Command& command, const std::string& options_heading) {
  std::string text = paragraphs(command.description);
  for (const Command& each : command.subcommands) {
    text += ".TP\n\\fB" + roff(each.app->get_name()) + "\\fR\n" + roff(each.app->get_description()) + "\n";
  }
  text += options_heading;
  text += definitions(*command.app, true) + definitions(*command.app, false);
  return text;
}

std::string example_list(const Command& command) {
  std::string text;
  for (const Example& example : command.examples) {
    text += ".TP\n\\fB" + roff(example.command) + "\\fR\n" + roff(example.purpose) + "\n";
  }
  return text;
}

// A command as a part of the page of all, or of the command it belongs to.
std::string section(const Command& command) {
  return ".SS " + roff(usage_text(*command.app)) + "\n" + roff(command.app->get_description()) + ".\n.PP\n" +
         command_body(command, "") + ".PP\n\\fIExamples\\fR\n" + example_list(command);
}

std::string subcommand_sections(const Command& command) {
  std::string text;
  for (const Command& each : command.subcommands) text += section(each);
  return text;
}

std::string exit_codes() {
  std::string text = ".SH EXIT STATUS\n";
  for (const ExitCodeText* code = kExitCodeTexts; code->text != nullptr; ++code) {
    text += ".TP\n\\fB" + std::to_string(static_cast<int>(code->code)) + "\\fR\n" + roff(code->text) + "\n";
  }
  return text;
}

std::string environment_man() {
  std::string text = ".SH ENVIRONMENT\n";
  for (const EnvironmentText* variable = kEnvironmentTexts; variable->name != nullptr; ++variable) {
    text += ".TP\n\\fB" + roff(variable->name) + "\\fR\n" + roff(variable->text) + "\n";
  }
  return text;
}

}  // namespace

std::string overview_man(const CLI::App& root, std::span<const Command> commands, const std::string& version) {
  std::string text = title("TESSERA", version);
  text += ".SH NAME\ntessera \\- index a photo collection and find pictures by content and composition\n";
  text += ".SH SYNOPSIS\n\\fBtessera\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR] [\\fIARGUMENTS\\fR]\n";
  text += ".SH DESCRIPTION\n" + roff(root.get_description()) + "\n.PP\n" + roff(root.get_footer()) + "\n";
  text += ".SH GLOBAL OPTIONS\nThey may stand before or after the command.\n" + definitions(root, false);
  text += ".SH COMMANDS\n";
  for (const Command& command : commands) {
    text += section(command);
    text += subcommand_sections(command);
  }
  return text + exit_codes() + environment_man();
}

std::string command_man(const CLI::App& root, const Command& command, const std::string& version) {
  std::string name = "tessera-" + full_name(*command.app);
  std::replace(name.begin(), name.end(), ' ', '-');
  std::string upper = name;
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  std::string text =
      title(roff(upper), version) + ".SH NAME\n" + roff(name) + " \\- " + roff(command.app->get_description()) + "\n";
  text += ".SH SYNOPSIS\n\\fB" + roff(usage_text(*command.app)) + "\\fR\n.SH DESCRIPTION\n";
  text += command_body(command, ".SH OPTIONS\n");
  if (!command.subcommands.empty()) text += ".SH SUBCOMMANDS\n" + subcommand_sections(command);
  text += ".SH GLOBAL OPTIONS\n" + definitions(root, false);
  text += ".SH EXAMPLES\n" + example_list(command) + exit_codes() + environment_man();
  return text + ".SH SEE ALSO\n\\fBtessera\\fR(1)\n";
}

}  // namespace tessera::cli
