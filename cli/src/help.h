// Help texts, manual pages and shell completion, all made from the one description of each command.
#pragma once

#include <span>
#include <string>

#include "command.h"

namespace tessera::cli {

struct EnvironmentText {
  const char* name;
  const char* text;
};
extern const EnvironmentText kEnvironmentTexts[];  // ends with a null name

// `tessera --help`: what it is, the commands in groups, the global options.
std::string overview_help(const CLI::App& root, std::span<const Command> commands);
// `tessera COMMAND --help`.
std::string command_help(const CLI::App& root, const Command& command);

// roff (man macros) of tessera.1, which holds every command, and of tessera-COMMAND.1.
std::string overview_man(const CLI::App& root, std::span<const Command> commands, const std::string& version);
std::string command_man(const CLI::App& root, const Command& command, const std::string& version);

std::string bash_completion(const CLI::App& root, std::span<const Command> commands);

}  // namespace tessera::cli
