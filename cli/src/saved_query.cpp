// Searches kept under a name: `search --save` and `search --saved`.
#include "saved_query.h"

#include <CLI/CLI.hpp>

#include "resolve.h"
#include "tessera/error.h"

namespace tessera::cli {
namespace {

PictureRegion in_fractions(const PictureRegion& region, const std::filesystem::path& file) {
  if (region.fractions) return region;
  const Image picture = load_image(file);
  const double width = picture.width, height = picture.height;
  return {region.x / width, region.y / height, region.width / width, region.height / height, true};
}

}  // namespace

SavedSearch load_saved_search(const Context& context, const std::string& name) {
  const auto collection = open_curation(context, OpenMode::kRead).find_collection(name);
  if (!collection) throw Error(ErrorCode::kNotFound, "the library has no collection '" + name + "'");
  if (!searches_by_pictures(collection->search)) {
    throw Error(ErrorCode::kInvalidArgument,
                "'" + name + "' is no search by pictures; 'tessera collect show' lists what is in it");
  }
  return parse_saved_search(collection->search);
}

void apply_saved(const SavedSearch& saved, const CLI::App& app, SearchCommandOptions& options) {
  options.saved = saved.filter;
  if (app.count("--tokens") == 0) options.tokens = saved.tokens;
  if (app.count("--rerank-weight") == 0) options.rerank_weight = saved.rerank_weight;
  if (app.count("--not-weight") == 0) options.not_weight = saved.not_weight;
  if (app.count("--auto-cut") == 0 && saved.precision > 0) {
    options.auto_cut = true;
    options.precision = saved.precision;
  }
}

void save_search(const Context& context, const Library& library, const std::string& name,
                 const std::vector<QueryExample>& examples, const PictureRegion* region,
                 const SearchCommandOptions& options) {
  SavedSearch saved;
  for (const QueryExample& example : examples) {
    SavedExample kept{{}, example.path, {}, example.weight < 0};
    const ContentHash content = hash_content(read_file(example.path));
    if (library.find_hash(content)) kept.content = content;
    if (region != nullptr && !example.region.empty()) kept.region = in_fractions(*region, example.path);
    saved.examples.push_back(std::move(kept));
  }
  saved.filter = options.conditions.filter().value_or(CatalogFilter());
  for (const std::filesystem::path& folder : absolute_paths(options.under)) saved.filter.under.push_back(folder);
  saved.tokens = options.tokens;
  saved.rerank_weight = options.rerank_weight;
  saved.not_weight = options.not_weight;
  saved.precision = options.auto_cut ? options.precision : 0;
  open_curation(context, OpenMode::kWrite)
      .create_collection(name, CollectionKind::kSavedSearch, saved_search_text(saved));
}

}  // namespace tessera::cli
