// tessera pick: a diverse choice out of a set of pictures, or more pictures like a set.
#include <CLI/CLI.hpp>
#include <memory>

#include "checked_by.h"
#include "commands.h"
#include "interrupt.h"
#include "picture_set.h"
#include "resolve.h"
#include "tessera/indexer/diversity.h"
#include "tessera/indexer/outliers.h"
#include "text.h"

namespace tessera::cli {
namespace {

struct PickOptions {
  PictureSetOptions set;
  std::size_t diverse = 0;
  std::size_t like = 0;
  std::string method = "farthest";
  std::vector<std::string> keep;
};

using Kind = PictureColumn::Kind;

ExitCode pick_different(const PickOptions& options, const Library& library, const Interrupt& interrupt,
                        Context& context) {
  std::vector<ImageId> kept;
  for (const std::string& picture : options.keep) kept.push_back(find_image(library, picture));
  auto ids = chosen_ids(library, options.set);
  if (ids) ids->insert(ids->end(), kept.begin(), kept.end());
  const PictureVectors vectors = ids ? library.vectors(*ids) : library.vectors();
  if (vectors.ids.empty()) throw Error(ErrorCode::kNotFound, "the set holds no picture that could be read");
  DiverseOptions wanted;
  wanted.count = options.diverse;
  wanted.method = parse_diversity_method(options.method);
  wanted.stop = interrupt.token();
  for (const ImageId id : kept) wanted.fixed.push_back(row_of(vectors, id));
  PictureTable table;
  table.under = absolute_paths(options.set.under);
  table.columns = {{"nearest", "nearest", Kind::kSimilarity}};
  for (const DiversePicked& picked : pick_diverse(vectors.vectors, wanted)) {
    const double nearest =
        table.rows.empty() && kept.empty() ? std::numeric_limits<double>::quiet_NaN() : double(picked.nearest);
    table.rows.push_back({library.image(vectors.ids[picked.row]), {nearest}});
  }
  show_pictures(context, table, "A diverse pick", options.set);
  context.console.note(plural(static_cast<std::int64_t>(table.rows.size()), "picture") + " of " +
                       human_count(static_cast<std::int64_t>(vectors.ids.size())));
  return ExitCode::kOk;
}

ExitCode pick_alike(const PickOptions& options, const Library& library, const Interrupt& interrupt, Context& context) {
  const auto members = chosen_ids(library, options.set);
  if (!members) throw UsageError("--like needs a set: pictures, --under a folder, or conditions such as --collection");
  const PictureVectors vectors = library.vectors();
  std::vector<std::size_t> rows;
  for (const ImageId id : *members) rows.push_back(row_of(vectors, id));
  if (rows.empty()) throw Error(ErrorCode::kNotFound, "the set holds no picture that could be read");
  AffinityOptions wanted;
  wanted.count = options.like;
  wanted.stop = interrupt.token();
  PictureTable table;
  table.columns = {{"similarity", "similar", Kind::kSimilarity},
                   {"fits", "fits", Kind::kShare},
                   {"by_chance", "by chance", Kind::kByChance}};
  for (const Affinity& found : find_more_like(vectors.vectors, rows, wanted)) {
    table.rows.push_back({library.image(vectors.ids[found.row]), {found.similarity, found.fits, found.by_chance}});
  }
  show_pictures(context, table, "More like these", options.set);
  context.console.note(plural(static_cast<std::int64_t>(table.rows.size()), "picture") + " like " +
                       plural(static_cast<std::int64_t>(rows.size()), "picture"));
  return ExitCode::kOk;
}

ExitCode run(const PickOptions& options, Context& context) {
  if ((options.diverse > 0) == (options.like > 0)) throw UsageError("say --diverse N or --like N");
  const Interrupt interrupt;
  const Library library = open_library(context, OpenMode::kRead);
  return options.diverse > 0 ? pick_different(options, library, interrupt, context)
                             : pick_alike(options, library, interrupt, context);
}

}  // namespace

Command make_pick(CLI::App& root) {
  auto options = std::make_shared<PickOptions>();
  CLI::App* app = root.add_subcommand("pick", "pick pictures that differ, or more like a set")->group("Curate");
  CLI::Option* diverse =
      app->add_option("--diverse", options->diverse, "pick N pictures of the set that differ as much as possible")
          ->type_name("N")
          ->check(CLI::Range(1, 1'000'000).description(""));
  app->add_option("--like", options->like, "find N pictures outside the set that would fit into it")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000).description(""))
      ->excludes(diverse);
  app->add_option("--method", options->method,
                  "of --diverse: farthest (each as unlike the others as can be) or facility (each stands for many)")
      ->type_name("METHOD")
      ->check(checked_by([](const std::string& text) { parse_diversity_method(text); }))
      ->needs(diverse)
      ->capture_default_str();
  app->add_option("--keep", options->keep, "of --diverse: a picture that is picked already; may be repeated")
      ->type_name("PATH_OR_ID")
      ->allow_extra_args(false)
      ->needs(diverse);
  add_picture_set_options(*app, options->set);
  add_picture_set_conditions(*app, options->set);
  return {
      app,
      "With --diverse, 'nearest' says how similar a picture is to the most similar one picked before it. 'farthest' "
      "reaches into the corners of a set and takes odd pictures too; 'facility' leaves odd ones out.\n\n"
      "With --like, pictures are compared with the three nearest of the set, so a set may hold several themes. "
      "'fits' says what share of the set's own pictures is no nearer to the rest of it.\n\n"
      "No model is loaded and nothing is changed.",
      {{"tessera pick --diverse 12 --under Pictures/2019", "Twelve different pictures of a year."},
       {"tessera pick --diverse 8 --method facility --open album.html", "Eight that stand for the whole library."},
       {"tessera pick --like 20 --collection Birds", "Pictures that belong into a collection."}},
      [options](Context& context) { return run(*options, context); }};
}

}  // namespace tessera::cli
