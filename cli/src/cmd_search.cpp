// tessera search: pictures of the library that are like picture files.
#include <CLI/CLI.hpp>
#include <memory>
#include <optional>

#include "commands.h"
#include "query.h"
#include "resolve.h"
#include "search_options.h"

namespace tessera::cli {
namespace {

struct SearchImageOptions {
  std::vector<std::string> images;
  std::vector<std::string> negatives;
  std::string region;
  bool exclude_self = false;
  ComputeOptions compute;
  SearchCommandOptions search;
};

// The library's pictures with the content of the query files.
std::vector<ImageId> same_content(const Library& library, const std::vector<QueryExample>& examples) {
  std::vector<ImageId> ids;
  for (const QueryExample& example : examples) {
    if (const auto id = library.find_hash(hash_content(read_file(example.path)))) ids.push_back(*id);
  }
  return ids;
}

ExitCode run(const SearchImageOptions& options, Context& context) {
  std::optional<PictureRegion> region;
  if (!options.region.empty()) {
    region = parse_region(options.region);
    if (options.images.size() != 1) throw UsageError("--region needs exactly one IMAGE");
  }
  std::vector<QueryExample> examples;
  for (const std::string& image : options.images) examples.push_back({absolute_path(image), 1.0F, options.region});
  for (const std::string& image : options.negatives) {
    examples.push_back({absolute_path(image), -options.search.not_weight, ""});
  }

  const Library library = open_library(context, OpenMode::kRead);
  const auto settings = filled_library_encoder(library);
  std::vector<Image> prepared;  // before the model is loaded: a picture that cannot be read is reported at once
  for (const QueryExample& example : examples) {
    const PictureRegion* part = region && !example.region.empty() ? &*region : nullptr;
    prepared.push_back(prepare_query_picture(example.path, part, settings.resize));
  }
  const auto encoder = load_library_encoder(context, library, options.compute);
  Query query;
  query.width = settings.token_width;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    query.parts.push_back(
        encode_query_picture(*encoder, std::move(prepared[i]), settings.stored_tokens, examples[i].weight));
  }
  std::vector<ImageId> exclude;
  if (options.exclude_self) exclude = same_content(library, examples);
  return run_search(context, library, query, std::move(examples), exclude, options.search);
}

}  // namespace

Command make_search(CLI::App& root) {
  auto options = std::make_shared<SearchImageOptions>();
  CLI::App* app = root.add_subcommand("search", "find pictures like one or more picture files")->group("Find");
  app->add_option("IMAGE", options->images, "example pictures; several are combined")->required();
  app->add_option("--region", options->region,
                  "use only this part of IMAGE: X,Y,WIDTH,HEIGHT in pixels, or all as fractions, e.g. 0.5,0,0.5,1.0")
      ->type_name("X,Y,W,H");
  app->add_option("--not", options->negatives, "an example of what is not wanted; may be repeated")
      ->type_name("IMAGE")
      ->allow_extra_args(false);
  app->add_flag("--exclude-self", options->exclude_self, "leave out pictures with the same content as an example");
  add_search_options(*app, options->search);
  add_compute_options(*app, options->compute);
  return {
      app,
      "Encodes each IMAGE as the library's pictures were and prints the most similar ones, best first. The examples "
      "need not be in the library; one that is appears as the first result with a score near 1, unless "
      "--exclude-self is given.\n\n"
      "A score is a cosine between -1 and 1: coarse compares the first tokens, score mixes in how the token sets "
      "compare, by --rerank-weight. "
      "'by chance' is how many of the pictures searched would be this similar if all were unrelated to the example: "
      "far below 1 is remarkable. --auto-cut ends the list by it; docs/SEARCH.md explains both. "
      "Whole numbers in --region are pixels of the upright picture; a decimal point in any of them makes all four "
      "fractions of its width and height.",
      {{"tessera search beach.jpg", "The 20 pictures most like beach.jpg."},
       {"tessera search beach.jpg --auto-cut", "Only those that are more similar than chance explains, maybe none."},
       {"tessera search beach.jpg -k 50 --sheet sheet.html", "Also writes a page with the 50 results."},
       {"tessera search dog.jpg sofa.jpg --not cat.jpg", "Like both of the first, unlike the last."},
       {"tessera search party.jpg --region 0.25,0.1,0.5,0.5", "Like a part of the picture."},
       {"tessera search beach.jpg --format paths0 | xargs -0 cp -t picks", "Copies the results."}},
      [options](Context& context) { return run(*options, context); }};
}

}  // namespace tessera::cli
