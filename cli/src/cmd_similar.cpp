// tessera similar: pictures of the library that are like other pictures of the library.
#include <CLI/CLI.hpp>
#include <memory>

#include "commands.h"
#include "resolve.h"
#include "search_options.h"

namespace tessera::cli {
namespace {

struct SimilarOptions {
  std::vector<std::string> pictures;
  std::vector<std::string> negatives;
  bool include_self = false;
  SearchCommandOptions search;
};

ExitCode run(const SimilarOptions& options, Context& context) {
  const Library library = open_library(context, OpenMode::kRead);
  Query query;
  std::vector<QueryExample> examples;
  std::vector<ImageId> ids;
  const auto add = [&](const std::string& picture, float weight) {
    const ImageId id = find_image(library, picture);
    const ImageRecord record = library.image(id);
    if (record.token_count == 0) {
      throw Error(ErrorCode::kNotFound, picture + " could not be read when it was indexed" +
                                            (record.error.empty() ? "" : ": " + record.error));
    }
    QueryPart part = library.tokens(id);
    part.weight = weight;
    query.width = static_cast<int>(part.tokens.size()) / part.token_count;
    query.parts.push_back(std::move(part));
    examples.push_back({shown_file(record, {}).path, weight, ""});
    ids.push_back(id);
  };
  for (const std::string& picture : options.pictures) add(picture, 1.0F);
  for (const std::string& picture : options.negatives) add(picture, -options.search.not_weight);
  if (const auto encoder = library.encoder()) warn_if_untrained(context.console, encoder->model_name, encoder->trained);
  if (options.include_self) ids.clear();
  return run_search(context, library, query, std::move(examples), ids, options.search);
}

}  // namespace

Command make_similar(CLI::App& root) {
  auto options = std::make_shared<SimilarOptions>();
  CLI::App* app = root.add_subcommand("similar", "find pictures like one in the library")->group("Find");
  app->add_option("PATH_OR_ID", options->pictures, "pictures of the library; several are combined")->required();
  app->add_option("--not", options->negatives, "a picture of the library that is not wanted; may be repeated")
      ->type_name("PATH_OR_ID")
      ->allow_extra_args(false);
  app->add_flag("--include-self", options->include_self, "also show the given pictures themselves");
  add_search_options(*app, options->search);
  return {
      app,
      "Like search, but with the tokens that the library already holds: no model is loaded, and the answer comes at "
      "once. A number is the id of a picture; a file whose name is only digits is written ./123. The given "
      "pictures are left out of the results.",
      {{"tessera similar Pictures/beach.jpg", "The 20 pictures most like this one."},
       {"tessera similar 4711 --under Pictures/2019", "Like picture 4711, from one folder only."}},
      [options](Context& context) { return run(*options, context); }};
}

}  // namespace tessera::cli
