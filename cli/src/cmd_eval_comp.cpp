// tessera eval comp: composition, that is the objects of a query and their places, by boxes.
#include <CLI/CLI.hpp>
#include <memory>

#include "cmd_eval.h"
#include "eval_run.h"

namespace tessera::cli {
namespace {

struct CompOptions {
  BoxedOptions data;
  FeatureOptions features;
  MeasureSettings measure;
  RerankSettings rerank;
  ReportOptions report;
};

ExitCode run(const CompOptions& options, Context& context) {
  const std::vector<eval::Descriptor> descriptors = parse_descriptors(options.features.descriptors);
  const std::vector<eval::TokenMatchOptions> matches = parse_matches(options.rerank, options.features);
  const EvalSets sets = read_boxed_sets(options.data);
  EvalRun run(context, options.features);
  const MeasuredSides sides = extract_sides(run, sets, descriptors, !matches.empty());

  eval::Report report;
  report.measure = "comp";
  add_sides(run, report, sets, sides);
  run.add_model(report);
  add_measure_settings(report, options.measure);
  const eval::MeasureOptions measure = measure_options(options.measure, options.features, options.rerank, matches);
  report.settings.emplace_back("candidates", std::int64_t{options.rerank.candidates});
  const eval::Measured measured = eval::measure_comp(sides.view(sets), measure);
  add_counts(report, measured);
  eval::add_measured(report, measured);
  return run.finish(report, options.report);
}

}  // namespace

Command make_eval_comp(CLI::App& eval) {
  auto options = std::make_shared<CompOptions>();
  options->rerank.methods = "aligned:16,maxsim:16";
  CLI::App* app = eval.add_subcommand("comp", "composition: Comp@K and Recall@K over boxes");
  add_boxed_options(*app, options->data);
  add_feature_options(*app, options->features);
  add_rerank_options(*app, options->rerank);
  add_measure_options(*app, options->measure);
  add_report_options(*app, options->report);
  return {
      app,
      "How well the first results share the objects of a query and where they are, as in section 4.6 of the RADIO1D "
      "paper: boxes of one class are matched one to one by generalised IoU, the sum is divided by the best of the "
      "whole database, and Comp@K is the best of the first K results. Recall@K counts objects and not places. Every "
      "picture is a query against the others, or against --gallery.\n\n"
      "Rows: each descriptor, each second stage of --rerank over the --candidates best of the first descriptor, and "
      "the oracle, which orders these candidates by Comp itself. +Comp@K is the paired difference to the first "
      "descriptor. Brackets hold 95 % intervals.",
      {{"tessera eval comp val2017/ --boxes instances_val2017.json", "COCO, each picture against all others."},
       {"tessera eval comp JPEGImages/ --boxes Annotations/ --rerank aligned:4,aligned:16",
        "VOC, with two token budgets."}},
      [options](Context& context) { return run(*options, context); },
      {}};
}

}  // namespace tessera::cli
