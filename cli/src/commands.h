// The subcommands, each made by a file of its own.
#pragma once

#include <vector>

#include "command.h"

namespace tessera::cli {

// Adds every subcommand to the parser, in the order of the help text.
std::vector<Command> make_commands(CLI::App& root);

// One per subcommand: adds its parser to `root`.
Command make_help(CLI::App& root);

}  // namespace tessera::cli
