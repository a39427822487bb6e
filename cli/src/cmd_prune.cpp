// tessera prune: forget files that are no longer there.
#include <CLI/CLI.hpp>

#include "commands.h"
#include "resolve.h"
#include "text.h"

namespace tessera::cli {

Command make_prune(CLI::App& root) {
  CLI::App* app = root.add_subcommand("prune", "forget files that are no longer there")->group("Keep in order");
  return {app,
          "Forgets every file that the last 'tessera index' of its folder did not find ('tessera list --missing' shows "
          "them). Files on a disk or folder that could not be reached are kept.",
          {{"tessera list --missing && tessera prune", "Looks first, then forgets."}},
          [](Context& context) {
            Library library = open_library(context, OpenMode::kWrite);
            context.console.note("forgot " + plural(library.prune(), "missing file"));
            return ExitCode::kOk;
          }};
}

}  // namespace tessera::cli
