// tessera eval knn: classification by the votes of the nearest neighbours.
#include <CLI/CLI.hpp>
#include <memory>

#include "cmd_eval.h"
#include "eval_run.h"

namespace tessera::cli {
namespace {

struct KnnOptions {
  LabelledOptions data;
  FeatureOptions features;
  MeasureSettings measure;
  double temperature = 0.07;
  ReportOptions report;
};

ExitCode run(const KnnOptions& options, Context& context) {
  const std::vector<eval::Descriptor> descriptors = parse_descriptors(options.features.descriptors);
  const EvalSets sets = read_labelled_sets(options.data);
  EvalRun run(context, options.features);
  const MeasuredSides sides = extract_sides(run, sets, descriptors, false);

  eval::Report report;
  report.measure = "knn";
  add_sides(run, report, sets, sides);
  run.add_model(report);
  add_measure_settings(report, options.measure);
  report.settings.emplace_back("temperature", options.temperature);
  const eval::MeasureOptions measure = measure_options(options.measure, options.features);
  const eval::Measured measured = eval::measure_knn(sides.view(sets), measure, options.temperature);
  add_counts(report, measured);
  eval::add_measured(report, measured);
  return run.finish(report, options.report);
}

}  // namespace

Command make_eval_knn(CLI::App& eval) {
  auto options = std::make_shared<KnnOptions>();
  CLI::App* app = eval.add_subcommand("knn", "classification by the nearest neighbours");
  add_labelled_options(*app, options->data);
  add_feature_options(*app, options->features);
  add_measure_options(*app, options->measure);
  app->add_option("--temperature", options->temperature, "a neighbour votes with exp(cosine / T)")
      ->type_name("T")
      ->check(CLI::Range(1e-4, 1e4).description(""))
      ->capture_default_str();
  add_report_options(*app, options->report);
  return {
      app,
      "Every picture is classified by the votes of its 1, 5 and 20 nearest neighbours by cosine; the table says how "
      "often that is right, with 95 % intervals. Neighbours are the other pictures of FOLDER, or those of "
      "--gallery.",
      {{"tessera eval knn val/ --gallery train/ --descriptor token0,summary", "The paper's measure on class folders."},
       {"tessera eval knn photos/ --labels photos.csv --descriptor token0,tokens:16,phash",
        "Labels from a file; a perceptual hash beside the model's tokens."}},
      [options](Context& context) { return run(*options, context); },
      {}};
}

}  // namespace tessera::cli
