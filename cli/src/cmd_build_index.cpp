// tessera build-index: make the approximate first-stage index of a large library.
#include <CLI/CLI.hpp>
#include <memory>

#include "commands.h"
#include "exit_code.h"
#include "resolve.h"
#include "text.h"

namespace tessera::cli {

Command make_build_index(CLI::App& root) {
  auto method = std::make_shared<std::string>("ivfpq");
  CLI::App* app =
      root.add_subcommand("build-index", "make the first-stage index of a large library")->group("Keep in order");
  app->add_option("--method", *method, "ivfpq (small, for very large libraries) or hnsw (fastest, more memory)")
      ->type_name("METHOD")
      ->check([](const std::string& text) {
        return text == "ivfpq" || text == "hnsw" ? std::string() : "'" + text + "' is none of ivfpq, hnsw";
      })
      ->capture_default_str();
  return {app,
          "Searches compare the query with every picture, which is exact and fast up to some 200,000 pictures. Beyond "
          "that this index finds the candidates sooner, at the price of missing a few. Pictures added later are "
          "compared exactly until it is built again; it can be made again at any time and holds nothing of its own.",
          {{"tessera build-index", "After indexing a million pictures."}},
          [method](Context& context) {
            Library library = open_library(context, OpenMode::kWrite);
            library.build_coarse_index(parse_coarse_method(*method));
            const LibraryStats stats = library.stats();
            context.console.note(*method + " index of " + plural(stats.images, "picture") + ", " +
                                 human_bytes(static_cast<std::uint64_t>(stats.coarse_index_bytes)));
            return ExitCode::kOk;
          }};
}

}  // namespace tessera::cli
