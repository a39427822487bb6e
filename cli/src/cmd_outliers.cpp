// tessera outliers: the pictures of a set that are least like the rest of it.
#include <CLI/CLI.hpp>
#include <memory>

#include "commands.h"
#include "interrupt.h"
#include "picture_set.h"
#include "resolve.h"
#include "tessera/indexer/outliers.h"
#include "text.h"

namespace tessera::cli {
namespace {

struct OutliersOptions {
  PictureSetOptions set;
  std::size_t count = 20;
  int neighbours = 5;
};

ExitCode run(const OutliersOptions& options, Context& context) {
  const Interrupt interrupt;
  const Library library = open_library(context, OpenMode::kRead);
  const PictureVectors vectors = chosen_vectors(library, options.set);
  OutlierOptions wanted;
  wanted.count = options.count;
  wanted.neighbours = options.neighbours;
  wanted.stop = interrupt.token();
  PictureTable table;
  table.under = absolute_paths(options.set.under);
  table.columns = {{"similarity", "similar", PictureColumn::Kind::kSimilarity},
                   {"by_chance", "by chance", PictureColumn::Kind::kByChance}};
  for (const Outlier& found : find_outliers(vectors.vectors, wanted)) {
    table.rows.push_back({library.image(vectors.ids[found.row]), {found.similarity, found.by_chance}});
  }
  show_pictures(context, table, "Least like the rest", options.set);
  context.console.note(plural(static_cast<std::int64_t>(table.rows.size()), "picture") + " of " +
                       human_count(static_cast<std::int64_t>(vectors.ids.size())));
  return ExitCode::kOk;
}

}  // namespace

Command make_outliers(CLI::App& root) {
  auto options = std::make_shared<OutliersOptions>();
  CLI::App* app = root.add_subcommand("outliers", "find the pictures least like the rest of a set")->group("Curate");
  app->add_option("-n", options->count, "how many")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000).description(""))
      ->capture_default_str();
  app->add_option("--neighbours", options->neighbours, "how many of the most similar others a picture is compared with")
      ->type_name("K")
      ->check(CLI::Range(1, 64).description(""))
      ->capture_default_str();
  add_picture_set_options(*app, options->set);
  add_picture_set_conditions(*app, options->set);
  return {app,
          "'similar' is the mean similarity of a picture to the K most similar others of the set, least first. 'by "
          "chance' is how many of the set would be this far from the rest if it held no odd ones; well below 1 means "
          "that a picture stands out (docs/SEARCH.md). No model is loaded and nothing is changed.",
          {{"tessera outliers --under Pictures/Birds", "What does not belong into a folder."},
           {"tessera outliers --collection Birds", "What does not belong into a collection."},
           {"tessera outliers -n 50 --open odd.html", "The oddest pictures of the library as a page."}},
          [options](Context& context) { return run(*options, context); }};
}

}  // namespace tessera::cli
