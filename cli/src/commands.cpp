// The list of subcommands in the order of the help text.
#include "commands.h"

namespace tessera::cli {

std::vector<Command> make_commands(CLI::App& root) {
  return {
      make_help(root),
  };
}

}  // namespace tessera::cli
