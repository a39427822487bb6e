// tessera eval map: retrieval of pictures with the same label or of the same group.
#include <CLI/CLI.hpp>
#include <memory>

#include "cmd_eval.h"
#include "eval_run.h"

namespace tessera::cli {
namespace {

struct MapOptions {
  LabelledOptions data;
  FeatureOptions features;
  MeasureSettings measure;
  RerankSettings rerank;
  ReportOptions report;
};

ExitCode run(const MapOptions& options, Context& context) {
  const std::vector<eval::Descriptor> descriptors = parse_descriptors(options.features.descriptors);
  const std::vector<eval::TokenMatchOptions> matches = parse_matches(options.rerank, options.features);
  const EvalSets sets = read_labelled_sets(options.data);
  EvalRun run(context, options.features);
  const MeasuredSides sides = extract_sides(run, sets, descriptors, !matches.empty());

  eval::Report report;
  report.measure = "map";
  add_sides(run, report, sets, sides);
  run.add_model(report);
  add_measure_settings(report, options.measure);
  const eval::MeasureOptions measure = measure_options(options.measure, options.features, options.rerank, matches);
  if (!matches.empty()) report.settings.emplace_back("candidates", std::int64_t{options.rerank.candidates});
  const eval::Measured measured = eval::measure_map(sides.view(sets), measure);
  add_counts(report, measured);
  eval::add_measured(report, measured);
  return run.finish(report, options.report);
}

}  // namespace

Command make_eval_map(CLI::App& eval) {
  auto options = std::make_shared<MapOptions>();
  CLI::App* app = eval.add_subcommand("map", "retrieval: mAP, P@k and recall@k over labels or groups");
  add_labelled_options(*app, options->data);
  add_feature_options(*app, options->features);
  add_rerank_options(*app, options->rerank);
  add_measure_options(*app, options->measure);
  add_report_options(*app, options->report);
  return {
      app,
      "Every picture is a query; right results are the other pictures with its label (or those of --gallery). The "
      "table has the mean average precision over the whole ranking, precision at 1, 3, 5 and 10 and recall at 1, 5, 10 "
      "and 50, with 95 % intervals. Queries without a second picture of their label take no part.\n\n"
      "--rerank adds a row for each second stage: the best --candidates of the first descriptor, put in order by "
      "sets of tokens. Groups such as near copies come from a CSV file with the columns name and group.",
      {{"tessera eval map photos/ --descriptor token0,tokens:16,gist,hog,colorhist",
        "Class folders; hand-made descriptors beside the model's."},
       {"tessera eval map photos/ --labels groups.csv --rerank aligned:16,maxsim:16",
        "Groups of near copies, and what a second stage adds."}},
      [options](Context& context) { return run(*options, context); },
      {}};
}

}  // namespace tessera::cli
