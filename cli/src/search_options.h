// What `search` and `similar` share: options of the two stages, the output, the contact sheet.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "command.h"
#include "hits.h"
#include "targets.h"
#include "tessera/indexer/library.h"

namespace tessera::cli {

inline constexpr int kDefaultHits = 20;

struct SearchCommandOptions {
  std::optional<int> k;  // default: kDefaultHits, with auto_cut as many as there are candidates
  int tokens = 0;
  int candidates = 200;
  std::string rerank = "aligned";
  float rerank_weight = SearchOptions{}.rerank_weight;
  std::string coarse = "auto";
  std::vector<std::string> under;
  FilterOptions conditions;
  CatalogFilter saved;  // of a saved search, beside the conditions
  float not_weight = 0.5F;
  bool auto_cut = false;
  double precision = 0.9;  // of auto_cut
  std::string format = "table";
  std::string sheet;
  std::string open;
};

void add_search_options(CLI::App& app, SearchCommandOptions& options);

// Runs the search, prints the hits and writes the contact sheet. `examples` describe the query's parts in order.
ExitCode run_search(Context& context, const Library& library, const Query& query, std::vector<QueryExample> examples,
                    const std::vector<ImageId>& exclude, const SearchCommandOptions& options);

}  // namespace tessera::cli
