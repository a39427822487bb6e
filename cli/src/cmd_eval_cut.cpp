// tessera eval cut: what the automatic cut of a search leaves, by labels.
#include <CLI/CLI.hpp>
#include <memory>

#include "cmd_eval.h"
#include "eval_run.h"
#include "tessera/indexer/eval_cut.h"

namespace tessera::cli {
namespace {

struct CutOptions {
  LabelledOptions data;
  FeatureOptions features;
  MeasureSettings measure;
  RerankSettings rerank;
  double precision = 0.9;
  ReportOptions report;
};

ExitCode run(const CutOptions& options, Context& context) {
  const std::vector<eval::Descriptor> descriptors = parse_descriptors(options.features.descriptors);
  const std::vector<eval::TokenMatchOptions> matches = parse_matches(options.rerank, options.features);
  const EvalSets sets = read_labelled_sets(options.data);
  EvalRun run(context, options.features);
  const MeasuredSides sides = extract_sides(run, sets, descriptors, !matches.empty());

  eval::Report report;
  report.measure = "cut";
  add_sides(run, report, sets, sides);
  run.add_model(report);
  add_measure_settings(report, options.measure);
  report.settings.emplace_back("candidates", std::int64_t{options.rerank.candidates});
  report.settings.emplace_back("claimed_precision", options.precision);
  const eval::MeasureOptions measure = measure_options(options.measure, options.features, options.rerank, matches);
  const eval::Measured measured = eval::measure_cut(sides.view(sets), measure, options.precision);
  add_counts(report, measured);
  eval::add_measured(report, measured);
  return run.finish(report, options.report);
}

}  // namespace

Command make_eval_cut(CLI::App& eval) {
  auto options = std::make_shared<CutOptions>();
  options->rerank.methods = "aligned:16";
  CLI::App* app = eval.add_subcommand("cut", "what --auto-cut of a search leaves, by labels or groups");
  add_labelled_options(*app, options->data);
  add_feature_options(*app, options->features);
  add_rerank_options(*app, options->rerank);
  add_precision_option(*app, options->precision);
  add_measure_options(*app, options->measure);
  add_report_options(*app, options->report);
  return {
      app,
      "Every picture is a query; its list ends where 'tessera search --auto-cut --precision P' would end it. The table "
      "has the share of results with the query's label (mean over the lists that are not empty), the share of empty "
      "lists, and how many right and wrong results a list has on average, with 95 % intervals. A list has --candidates "
      "results at most.\n\n"
      "The cut promises that a share of P is not there by chance. That is no promise about labels: a picture of "
      "another class may be similar for a reason. docs/SEARCH.md explains it.",
      {{"tessera eval cut photos/ --labels labels.csv", "The default cut, with token 0 and with 16 tokens."},
       {"tessera eval cut photos/ --precision 0.99", "A stricter one over class folders."}},
      [options](Context& context) { return run(*options, context); },
      {}};
}

}  // namespace tessera::cli
