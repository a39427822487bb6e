// The tessera program: parses the command line, runs one command, turns every error into a sentence and an exit code.
#include "program.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <filesystem>
#include <new>
#include <string>

#include "commands.h"
#include "help.h"
#include "option_text.h"
#include "tessera/error.h"

namespace tessera::cli {
namespace {

constexpr const char* kDescription =
    "Tessera indexes a photo collection and finds pictures by their content and composition. Offline: pictures and "
    "searches stay on this machine.";

constexpr const char* kLibraryNote =
    "The library is --library DIR, else $TESSERA_LIBRARY, else the folder .tessera here or in a folder above, else the "
    "one in your data folder. Photos are only read, never changed.";

ColorMode parse_color(const std::string& text) {
  return text == "always" ? ColorMode::kAlways : text == "never" ? ColorMode::kNever : ColorMode::kAuto;
}

std::string check_color(const std::string& text) {
  if (text == "auto" || text == "always" || text == "never") return {};
  return "'" + text + "' is none of auto, always, never";
}

// Edit distance of two short words (Levenshtein), for "did you mean".
std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

// The first argument that is no option, if it is no command: the sentence to say, else "".
std::string unknown_command(const std::vector<Command>& commands, int argc, const char* const* argv) {
  if (argc < 2 || argv[1][0] == '-') return {};
  const std::string given = argv[1];
  std::string nearest;
  std::size_t best = 3;
  for (const Command& command : commands) {
    const std::string name = command.app->get_name();
    if (name == given) return {};
    const std::size_t distance = edit_distance(given, name);
    if (distance < best) {
      best = distance;
      nearest = name;
    }
  }
  return "no command '" + given + "'" + (nearest.empty() ? "" : "; did you mean '" + nearest + "'?");
}

}  // namespace

const char* version() { return TESSERA_VERSION; }

Program::Program() : root_(kDescription, "tessera") {
  root_.footer(kLibraryNote);
  root_.require_subcommand(0, 1);
  root_.set_help_flag("-h,--help", "this help")->group("General");
  root_.set_version_flag("--version", std::string("tessera ") + version(), "print the version")->group("General");
  root_.add_option("-L,--library", globals_.library, "library folder")->type_name("DIR");
  root_.add_option("-m,--model", globals_.model, "model folder (config.json, model.safetensors)")->type_name("DIR");
  root_.add_flag("-q,--quiet", globals_.quiet, "only errors on standard error");
  root_.add_option("--color", globals_.color, "colours: auto, always or never")
      ->type_name("WHEN")
      ->check(check_color)
      ->capture_default_str();
  commands_ = make_commands(root_);
  const auto take_global_options = [](const Command& command) {
    command.app->fallthrough();
    command.app->set_help_flag("-h,--help", "this help")->group("");  // listed with the global options
  };
  for (const Command& command : commands_) {
    take_global_options(command);
    for (const Command& each : command.subcommands) take_global_options(each);
  }
}

const Command* Program::parsed_command() const {
  for (const Command& command : commands_) {
    if (!command.app->parsed()) continue;
    for (const Command& each : command.subcommands) {
      if (each.app->parsed()) return &each;
    }
    return &command;
  }
  return nullptr;
}

std::string Program::help_for_parsed() const {
  const Command* command = parsed_command();
  return command == nullptr ? overview_help(root_, commands_) : command_help(root_, *command);
}

ExitCode Program::usage_error(Console& console, const std::string& message) const {
  console.error(message);
  const Command* command = parsed_command();
  console.note(std::string("Try 'tessera ") + (command == nullptr ? "" : full_name(*command->app) + " ") + "--help'.");
  return ExitCode::kUsage;
}

ExitCode Program::parse_and_run(int argc, const char* const* argv, Console& fallback) {
  Output help_out(1, ColorMode::kAuto);
  try {
    root_.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    help_out.write(help_for_parsed());
    help_out.flush();
    return ExitCode::kOk;
  } catch (const CLI::CallForVersion&) {
    help_out.line(std::string("tessera ") + version());
    help_out.flush();
    return ExitCode::kOk;
  } catch (const CLI::ParseError& error) {
    const std::string unknown = parsed_command() == nullptr ? unknown_command(commands_, argc, argv) : "";
    return usage_error(fallback, unknown.empty() ? error.what() : unknown);
  }
  const Command* command = parsed_command();
  if (command == nullptr) {
    const std::string unknown = unknown_command(commands_, argc, argv);
    return usage_error(fallback, unknown.empty() ? "no command given" : unknown);
  }
  const ColorMode color = parse_color(globals_.color);
  Output out(1, color);
  Console console(2, globals_.quiet, color);
  try {
    Context context{globals_, out, console};
    const ExitCode code = command->run(context);
    out.flush();
    return code;
  } catch (const UsageError& error) {
    return usage_error(console, error.what());
  } catch (const Error& error) {
    console.error(error.what());
    return exit_code_for(error.code());
  }
}

ExitCode Program::run(int argc, const char* const* argv) noexcept {
  Console console(2, false, ColorMode::kAuto);
  try {
    return parse_and_run(argc, argv, console);
  } catch (const OutputClosed&) {
    return ExitCode::kOk;
  } catch (const Error& error) {
    console.error(error.what());
    return exit_code_for(error.code());
  } catch (const std::filesystem::filesystem_error& error) {
    const std::string path = error.path1().string();
    console.error((path.empty() ? "the current folder" : path) + ": " + error.code().message());
  } catch (const std::bad_alloc&) {
    console.error("not enough memory");
  } catch (const std::exception& error) {
    console.error(std::string("unexpected error: ") + error.what());
  }
  return ExitCode::kError;
}

}  // namespace tessera::cli
