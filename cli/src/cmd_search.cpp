// tessera search: pictures of the library that are like picture files.
#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <sstream>

#include "commands.h"
#include "query.h"
#include "resolve.h"
#include "saved_query.h"
#include "search_options.h"

namespace tessera::cli {
namespace {

struct SearchImageOptions {
  std::vector<std::string> images;
  std::vector<std::string> negatives;
  std::string region;
  std::string save;   // name to keep it under
  std::string saved;  // name it was kept under
  bool exclude_self = false;
  ComputeOptions compute;
  SearchCommandOptions search;
};

// One example of the query: tokens that the library holds, or a picture to encode.
struct QuerySource {
  QueryExample example;
  ImageId id = 0;  // 0 = encode `prepared`
  Image prepared;
};

// Pictures are read before the model is loaded: one that cannot be read is reported at once.
std::vector<QuerySource> given_examples(const SearchImageOptions& options, const PictureRegion* region,
                                        const ResizeSpec& resize) {
  std::vector<QuerySource> sources;
  const auto add = [&](const std::string& image, float weight, const PictureRegion* part) {
    QuerySource source;
    source.example = {absolute_path(image), weight, part != nullptr ? options.region : ""};
    source.prepared = prepare_query_picture(source.example.path, part, resize);
    sources.push_back(std::move(source));
  };
  for (const std::string& image : options.images) add(image, 1.0F, region);
  for (const std::string& image : options.negatives) add(image, -options.search.not_weight, nullptr);
  return sources;
}

std::string region_text(const PictureRegion& region) {
  std::ostringstream text;
  text << region.x << ',' << region.y << ',' << region.width << ',' << region.height;
  return text.str();
}

std::vector<QuerySource> saved_examples(const Library& library, const SavedSearch& saved, float not_weight,
                                        const ResizeSpec& resize) {
  std::vector<QuerySource> sources;
  for (const SavedExample& example : saved.examples) {
    const FoundExample found = find_example(library, example);
    QuerySource source;
    source.example = {found.file, example.negative ? -not_weight : 1.0F, ""};
    if (found.id != 0 && !example.region) {
      source.id = found.id;
    } else {
      const PictureRegion* region = example.region ? &*example.region : nullptr;
      if (region != nullptr) source.example.region = region_text(*region);
      source.prepared = prepare_query_picture(found.file, region, resize);
    }
    sources.push_back(std::move(source));
  }
  return sources;
}

Query encode(const Context& context, const Library& library, std::vector<QuerySource>& sources,
             const LibraryEncoder& settings, const ComputeOptions& compute) {
  Query query;
  query.width = settings.token_width;
  std::unique_ptr<Encoder> encoder;
  for (QuerySource& source : sources) {
    if (source.id == 0) {
      if (!encoder) encoder = load_library_encoder(context, library, compute);
      query.parts.push_back(
          encode_query_picture(*encoder, std::move(source.prepared), settings.stored_tokens, source.example.weight));
    } else {
      query.parts.push_back(library.tokens(source.id));
      query.parts.back().weight = source.example.weight;
    }
  }
  return query;
}

void check_usage(const SearchImageOptions& options) {
  if (options.images.empty() == options.saved.empty()) {
    throw UsageError(options.saved.empty() ? "at least one IMAGE, or --saved NAME, is needed"
                                           : "--saved has its own examples and takes no IMAGE");
  }
  if (!options.saved.empty() && !options.save.empty()) throw UsageError("--save and --saved exclude each other");
  if (!options.saved.empty() && !options.negatives.empty()) throw UsageError("--saved takes no --not");
  if (!options.region.empty() && options.images.size() != 1) throw UsageError("--region needs exactly one IMAGE");
  absolute_paths(options.images);  // none may be empty
  absolute_paths(options.negatives);
}

ExitCode run(SearchImageOptions options, const CLI::App& app, Context& context) {
  check_usage(options);
  std::optional<PictureRegion> region;
  if (!options.region.empty()) region = parse_region(options.region);

  const Library library = open_library(context, OpenMode::kRead);
  const auto settings = filled_library_encoder(library);
  std::vector<QuerySource> sources;
  if (options.saved.empty()) {
    sources = given_examples(options, region ? &*region : nullptr, settings.resize);
  } else {
    const SavedSearch saved = load_saved_search(context, options.saved);
    apply_saved(saved, app, options.search);
    sources = saved_examples(library, saved, options.search.not_weight, settings.resize);
  }
  const Query query = encode(context, library, sources, settings, options.compute);
  std::vector<QueryExample> examples;
  std::vector<ImageId> exclude;
  for (const QuerySource& source : sources) {
    examples.push_back(source.example);
    if (source.id != 0) exclude.push_back(source.id);  // as `similar` does
    if (!options.exclude_self) continue;
    if (const auto same = library.find_hash(hash_content(read_file(source.example.path)))) exclude.push_back(*same);
  }
  if (!options.save.empty()) {
    save_search(context, library, options.save, examples, region ? &*region : nullptr, options.search);
    context.console.note("saved as '" + options.save + "'");
  }
  return run_search(context, library, query, std::move(examples), exclude, options.search);
}

}  // namespace

Command make_search(CLI::App& root) {
  auto options = std::make_shared<SearchImageOptions>();
  CLI::App* app = root.add_subcommand("search", "find pictures like one or more picture files")->group("Find");
  app->add_option("IMAGE", options->images, "example pictures; several are combined");
  app->add_option("--region", options->region,
                  "use only this part of IMAGE: X,Y,WIDTH,HEIGHT in pixels, or all as fractions, e.g. 0.5,0,0.5,1.0")
      ->type_name("X,Y,W,H");
  app->add_option("--not", options->negatives, "an example of what is not wanted; may be repeated")
      ->type_name("IMAGE")
      ->allow_extra_args(false);
  app->add_option("--save", options->save, "also keep this search under a name, as a collection")->type_name("NAME");
  app->add_option("--saved", options->saved,
                  "the search kept under this name, with its examples; other options go before what was kept")
      ->type_name("NAME");
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
      "fractions of its width and height.\n\n"
      "--save keeps examples, --tokens, --rerank-weight, --auto-cut and conditions as a collection, which the window "
      "shows too. Examples of the library are known by their content, wherever their files move; --saved leaves them "
      "out "
      "of the results, as 'similar' does.",
      {{"tessera search beach.jpg", "The 20 pictures most like beach.jpg."},
       {"tessera search beach.jpg --auto-cut", "Only those that are more similar than chance explains, maybe none."},
       {"tessera search beach.jpg -k 50 --sheet sheet.html", "Also writes a page with the 50 results."},
       {"tessera search dog.jpg sofa.jpg --not cat.jpg", "Like both of the first, unlike the last."},
       {"tessera search party.jpg --region 0.25,0.1,0.5,0.5", "Like a part of the picture."},
       {"tessera search beach.jpg --tag holiday --save beaches", "Also keeps the search."},
       {"tessera search --saved beaches -k 100", "Runs it again, over what is in the library by then."},
       {"tessera search beach.jpg --format paths0 | xargs -0 cp -t picks", "Copies the results."}},
      [options, app](Context& context) { return run(*options, *app, context); }};
}

}  // namespace tessera::cli
