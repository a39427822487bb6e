// Searches kept under a name: `search --save` and `search --saved`.
#pragma once

#include <string>
#include <vector>

#include "hits.h"
#include "search_options.h"
#include "tessera/indexer/saved_search.h"

namespace tessera::cli {

// Throws kNotFound if there is no such collection, and kInvalidArgument if it is no search by pictures.
SavedSearch load_saved_search(const Context& context, const std::string& name);

// What was saved counts where the command line of `app` says nothing.
void apply_saved(const SavedSearch& saved, const CLI::App& app, SearchCommandOptions& options);

// `region` belongs to the examples that have one as typed.
void save_search(const Context& context, const Library& library, const std::string& name,
                 const std::vector<QueryExample>& examples, const PictureRegion* region,
                 const SearchCommandOptions& options);

}  // namespace tessera::cli
