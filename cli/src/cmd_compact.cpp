// tessera compact: give back the space of forgotten pictures.
#include <CLI/CLI.hpp>

#include "commands.h"
#include "resolve.h"
#include "text.h"

namespace tessera::cli {

Command make_compact(CLI::App& root) {
  CLI::App* app = root.add_subcommand("compact", "give back the space of forgotten pictures")->group("Keep in order");
  return {app,
          "Rewrites the token files that hold forgotten pictures ('tessera stats' counts them). It may be stopped at "
          "any time; the library stays whole.",
          {{"tessera compact", "Frees the space."}},
          [](Context& context) {
            Library library = open_library(context, OpenMode::kWrite);
            const std::int64_t freed = library.compact();
            context.console.note("freed " + human_bytes(static_cast<std::uint64_t>(freed > 0 ? freed : 0)));
            return ExitCode::kOk;
          }};
}

}  // namespace tessera::cli
