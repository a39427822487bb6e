// tessera rm: forget files.
#include <CLI/CLI.hpp>
#include <array>
#include <memory>

#include "commands.h"
#include "resolve.h"
#include "text.h"

namespace tessera::cli {
namespace {

ExitCode run(const std::vector<std::string>& paths, Context& context) {
  Library library = open_library(context, OpenMode::kWrite);
  std::int64_t forgotten = 0;
  bool all_known = true;
  for (const std::filesystem::path& path : absolute_paths(paths)) {
    const std::int64_t count = library.remove(std::array{path});
    if (count == 0) {
      all_known = false;
      context.console.error(path.string() + " is not in the library " + library.dir().string());
    }
    forgotten += count;
  }
  context.console.note("forgot " + plural(forgotten, "file"));
  if (all_known) return ExitCode::kOk;
  return forgotten == 0 ? ExitCode::kError : ExitCode::kSomeFailed;
}

}  // namespace

Command make_rm(CLI::App& root) {
  auto paths = std::make_shared<std::vector<std::string>>();
  CLI::App* app = root.add_subcommand("rm", "forget files; photos on disk are never touched")->group("Keep in order");
  app->add_option("PATH", *paths, "files, or folders with everything below them")->required();
  return {app,
          "Takes files out of the library. A picture whose last file goes is forgotten with its tokens; 'tessera "
          "compact' gives its space back. The files themselves stay, and a later 'tessera index' of their folder adds "
          "them again.",
          {{"tessera rm Pictures/screenshots", "Forgets everything below a folder."}},
          [paths](Context& context) { return run(*paths, context); }};
}

}  // namespace tessera::cli
