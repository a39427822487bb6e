// tessera eval copies: whether altered pictures find their originals.
#include <CLI/CLI.hpp>
#include <memory>

#include "cmd_eval.h"
#include "eval_run.h"
#include "tessera/indexer/eval_copies.h"

namespace tessera::cli {
namespace {

struct CopiesOptions {
  std::string folder;
  std::string distractors;
  FeatureOptions features;
  MeasureSettings measure;
  RerankSettings rerank;
  double precision = 0.9;
  ReportOptions report;
};

ExitCode run(const CopiesOptions& options, Context& context) {
  const std::vector<eval::Descriptor> descriptors = parse_descriptors(options.features.descriptors);
  const std::vector<eval::TokenMatchOptions> matches = parse_matches(options.rerank, options.features);
  std::optional<eval::EvalSet> others;
  if (!options.distractors.empty()) others = eval::read_folder(options.distractors);
  const EvalSets sets = make_sets(eval::read_folder(options.folder), std::move(others));
  EvalRun run(context, options.features);
  const MeasuredSides sides = extract_sides(run, sets, descriptors, !matches.empty());
  eval::FeatureSet gallery = sides.queries;
  if (sides.gallery) eval::append_features(gallery, *sides.gallery, sets.queries.set.pictures.size());

  const eval::FeatureRequest request = run.request(descriptors, !matches.empty());
  const std::vector<eval::AlteredFeatures> copies =
      eval::extract_altered(sets.queries.set, request, static_cast<std::size_t>(options.measure.queries),
                            options.measure.seed, run.batch_options(request));
  for (const eval::AlteredFeatures& each : copies) run.note_failures(sets.queries.set, each.features.failures);

  eval::Report report;
  report.measure = "copies";
  add_sides(run, report, sets, sides);
  run.add_model(report);
  add_measure_settings(report, options.measure);
  report.settings.emplace_back("candidates", std::int64_t{options.rerank.candidates});
  report.settings.emplace_back("claimed_precision", options.precision);
  MeasureSettings all = options.measure;
  all.queries = 0;  // the sample has been taken
  const eval::MeasureOptions measure = measure_options(all, options.features, options.rerank, matches);
  const eval::Measured measured = eval::measure_copies(gallery, copies, measure, options.precision);
  report.settings.emplace_back("measured_queries", static_cast<std::int64_t>(measured.queries));
  eval::add_measured(report, measured);
  return run.finish(report, options.report);
}

}  // namespace

Command make_eval_copies(CLI::App& eval) {
  auto options = std::make_shared<CopiesOptions>();
  options->features.descriptors = "token0,phash,dhash";
  options->rerank.methods = "aligned:16";
  CLI::App* app = eval.add_subcommand("copies", "whether altered pictures find their originals");
  app->add_option("PICTURES", options->folder, "folder of the originals")->required()->type_name("DIR");
  app->add_option("--distractors", options->distractors, "a folder of more pictures that are searched")
      ->type_name("DIR");
  add_feature_options(*app, options->features);
  add_rerank_options(*app, options->rerank);
  add_precision_option(*app, options->precision);
  add_measure_options(*app, options->measure);
  add_report_options(*app, options->report);
  return {
      app,
      "Alters every picture of the folder (or a sample of --queries) in nine ways and searches the folder and the "
      "distractors for the original: crop (50 to 90 % of the area), rotate (2 to 10 degrees), mirror, jpeg20 (quality "
      "20), resize (to 25 to 75 % of the sides), text over it, a border around it, colour (brightness, contrast, "
      "saturation, channels), blur. Amounts and places come from --seed.\n\n"
      "The table has, per cent with 95 % intervals, how often the original comes first for each alteration and in "
      "total; then what 'tessera search --auto-cut --precision P' would leave: 'found' is how often the original is in "
      "the list, 'precision' its share of the list, mean over lists that are not empty. Pictures of the folder that "
      "are near copies of each other count as wrong.",
      {{"tessera eval copies photos/", "Token 0, 16 tokens, and two perceptual hashes."},
       {"tessera eval copies photos/ --queries 200 --distractors more/ --out copies.json",
        "200 originals among all pictures of both folders."}},
      [options](Context& context) { return run(*options, context); },
      {}};
}

}  // namespace tessera::cli
