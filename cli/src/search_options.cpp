// What `search` and `similar` share: options of the two stages, the output, the contact sheet.
#include "search_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "checked_by.h"
#include "resolve.h"
#include "sheet_file.h"

namespace tessera::cli {
void add_search_options(CLI::App& app, SearchCommandOptions& options) {
  app.add_option("-k", options.k, "how many results (default: 20, with --auto-cut all that belong)")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000).description(""));
  CLI::Option* cut = app.add_flag("--auto-cut", options.auto_cut,
                                  "end the list where the rest is as similar as unrelated pictures are by chance");
  app.add_option("--precision", options.precision,
                 "of --auto-cut: the share of the list that is to be more than chance; higher is stricter")
      ->type_name("P")
      ->check(CLI::Range(0.01, 0.9999).description(""))
      ->needs(cut)
      ->capture_default_str();
  app.add_option("--under", options.under, "only pictures with a file below this folder; may be repeated")
      ->type_name("DIR")
      ->allow_extra_args(false);
  add_filter_options(app, options.conditions, false);
  app.add_option("--rerank", options.rerank,
                 "how the candidates are compared: aligned (token by token), maxsim (best matching tokens) or none")
      ->type_name("METHOD")
      ->check(checked_by([](const std::string& text) { parse_rerank_method(text); }))
      ->capture_default_str();
  app.add_option("--rerank-weight", options.rerank_weight,
                 "how much the comparison counts beside the first token: 0 = nothing, 1 = alone")
      ->type_name("W")
      ->check(CLI::Range(0.0, 1.0).description(""))
      ->capture_default_str();
  app.add_option("--tokens", options.tokens,
                 "tokens compared per picture; fewer look at the broad content only (default: all stored)")
      ->type_name("N")
      ->check(CLI::Range(1, 4096).description(""));
  app.add_option("--candidates", options.candidates, "pictures that the first stage hands to the comparison")
      ->type_name("K")
      ->check(CLI::Range(1, 10'000'000).description(""))
      ->capture_default_str();
  app.add_option("--coarse", options.coarse, "first stage: auto, exact, ivfpq or hnsw")
      ->type_name("METHOD")
      ->check(checked_by([](const std::string& text) { parse_coarse_method(text); }))
      ->capture_default_str();
  app.add_option("--not-weight", options.not_weight,
                 "how strongly --not examples push away; 1 = as much as one example attracts")
      ->type_name("W")
      ->check(CLI::Range(0.01, 100.0).description(""))
      ->capture_default_str();
  app.add_option("--format", options.format, "output: " + std::string(kFormatNames))
      ->type_name("FORMAT")
      ->check(check_format)
      ->capture_default_str();
  app.add_option("--sheet", options.sheet, "also write a contact sheet: FILE.jpg, FILE.png or FILE.html")
      ->type_name("FILE");
  app.add_option("--open", options.open, "like --sheet, and show it if there is a display")->type_name("FILE");
}

ExitCode run_search(Context& context, const Library& library, const Query& query, std::vector<QueryExample> examples,
                    const std::vector<ImageId>& exclude, const SearchCommandOptions& options) {
  if (!options.sheet.empty()) check_sheet_name(options.sheet);
  if (!options.open.empty()) check_sheet_name(options.open);
  SearchOptions search;
  search.k = options.k.value_or(options.auto_cut ? options.candidates : kDefaultHits);
  const Format format = parse_format(options.format);
  search.calibrate = format != Format::kPaths && format != Format::kPaths0;
  search.precision = options.auto_cut ? options.precision : 0;
  search.rerank = parse_rerank_method(options.rerank);
  search.rerank_weight = options.rerank_weight;
  search.tokens = options.tokens;
  search.candidates = options.candidates;
  search.coarse = parse_coarse_method(options.coarse);
  search.under = absolute_paths(options.under);
  search.exclude = exclude;
  search.only = passing_both(library, options.conditions.filter().value_or(CatalogFilter()), options.saved);

  HitList list;
  list.result = library.search(query, search);
  list.query = std::move(examples);
  list.rerank = search.rerank;
  list.rerank_weight = search.rerank_weight;
  list.under = search.under;
  list.precision = search.precision;
  const int stored = library.encoder() ? library.encoder()->stored_tokens : 0;
  list.tokens = search.rerank == RerankMethod::kNone ? 1
                : options.tokens == 0                ? stored
                                                     : std::min(options.tokens, stored);
  for (const SearchHit& hit : list.result.hits) list.rows.push_back({hit, library.image(hit.id)});

  write_hits(context.out, format, list, current_folder());
  context.out.flush();
  context.console.note(hits_summary(list));
  if (!options.sheet.empty()) write_sheet(list, options.sheet, context.console);
  if (!options.open.empty()) {
    write_sheet(list, options.open, context.console);
    open_in_viewer(options.open, context.console);
  }
  return ExitCode::kOk;
}

}  // namespace tessera::cli
