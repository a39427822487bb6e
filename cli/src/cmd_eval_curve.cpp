// tessera eval curve: any measure against the number of tokens and against resolution.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "cmd_eval.h"
#include "eval_run.h"
#include "tessera/indexer/eval_plot.h"
#include "tessera/indexer/output_file.h"

namespace tessera::cli {
namespace {

struct CurveOptions {
  std::string measure;
  LabelledOptions labelled;
  BoxedOptions boxed;
  FeatureOptions features;
  MeasureSettings settings;
  std::string token_counts = "1,2,4,8,16";
  std::string resizes;
  std::string methods = "aligned";
  int candidates = 200;
  std::string figures;
  std::string svg;
  ReportOptions report;
};

// A point of the curve: the figures at one resolution, by one way to compare, with one number of tokens.
struct CurveRow {
  std::string resize;
  int size = 0;  // pixels
  std::string method;
  int tokens = 0;
  std::size_t queries = 0;  // that were measured
  std::vector<eval::Interval> figures;
};

std::vector<std::string> default_figures(const std::string& measure) {
  if (measure == "knn") return {"k=20"};
  if (measure == "map") return {"mAP", "P@1", "P@5"};
  return {"Comp@1", "Comp@5"};
}

// What is asked of one resolution. knn and map compare joined tokens; comp has a second stage.
struct CurvePlan {
  std::vector<eval::Descriptor> descriptors;
  eval::MeasureOptions measure;
  bool token_sets = false;
};

CurvePlan make_plan(const CurveOptions& options, const std::vector<int>& counts) {
  CurvePlan plan;
  plan.measure = measure_options(options.settings, options.features);
  plan.measure.candidates = static_cast<std::size_t>(options.candidates);
  if (options.measure == "comp") {
    plan.descriptors = {eval::Descriptor{}};
    plan.token_sets = true;
    for (const std::string& method : split_commas(options.methods)) {
      for (const int count : counts) {
        const std::size_t colon = std::min(method.find(':'), method.size());  // before a weight
        const RerankSettings settings{method.substr(0, colon) + ":" + std::to_string(count) + method.substr(colon), 0};
        plan.measure.rerank.push_back(parse_matches(settings, options.features).front());
      }
    }
  } else {
    for (const int count : counts) plan.descriptors.push_back({eval::Descriptor::Kind::kTokens, count});
  }
  return plan;
}

eval::Measured measured(const std::string& measure, const eval::Sides& sides, const eval::MeasureOptions& options) {
  if (measure == "knn") return eval::measure_knn(sides, options);
  return measure == "map" ? eval::measure_map(sides, options) : eval::measure_comp(sides, options);
}

eval::Plot make_plot(const CurveOptions& options, const std::vector<CurveRow>& rows,
                     const std::vector<std::string>& names, const std::vector<std::string>& shown) {
  const auto count_of = [&rows](auto member) {
    std::vector<std::string> values;
    for (const CurveRow& row : rows) values.push_back(member(row));
    std::sort(values.begin(), values.end());
    return std::unique(values.begin(), values.end()) - values.begin();
  };
  const bool over_tokens = count_of([](const CurveRow& row) { return std::to_string(row.tokens); }) > 1;
  const bool many_sizes = count_of([](const CurveRow& row) { return row.resize; }) > 1;
  const bool many_methods = count_of([](const CurveRow& row) { return row.method; }) > 1;
  eval::Plot plot;
  plot.title = "eval " + options.measure;
  plot.x_label = over_tokens ? "tokens" : "pixels (resize)";
  plot.y_label = "per cent";
  plot.log_x = over_tokens;
  for (const std::string& figure : shown) {
    const auto place = static_cast<std::size_t>(std::find(names.begin(), names.end(), figure) - names.begin());
    for (const CurveRow& row : rows) {
      std::string name = figure;
      if (many_methods) name += " " + row.method;
      if (over_tokens && many_sizes) name += " " + row.resize;
      auto series = std::find_if(plot.series.begin(), plot.series.end(),
                                 [&](const eval::PlotSeries& each) { return each.name == name; });
      if (series == plot.series.end()) series = plot.series.insert(plot.series.end(), {name, {}});
      const eval::Interval& value = row.figures[place];
      series->points.push_back({double(over_tokens ? row.tokens : row.size), value.mean, value.low, value.high});
    }
  }
  for (eval::PlotSeries& series : plot.series) {
    std::stable_sort(series.points.begin(), series.points.end(),
                     [](const eval::PlotPoint& a, const eval::PlotPoint& b) { return a.x < b.x; });
  }
  return plot;
}

void check_options(const CurveOptions& options, const std::vector<int>& counts, const std::vector<std::string>& shown) {
  if (options.measure == "comp" && options.boxed.boxes.empty()) throw UsageError("the measure comp needs --boxes");
  if (options.measure != "comp" && !options.boxed.boxes.empty()) throw UsageError("--boxes is for the measure comp");
  for (const int count : counts) {
    if (count > options.features.tokens) {
      throw UsageError("--token-counts " + std::to_string(count) + " needs --tokens " + std::to_string(count) +
                       " or more");
    }
  }
  if (shown.empty()) throw UsageError("--figures names none");
}

ExitCode run(CurveOptions options, Context& context) {
  const std::vector<int> counts = parse_numbers(options.token_counts, "--token-counts");
  const std::vector<std::string> shown =
      options.figures.empty() ? default_figures(options.measure) : split_commas(options.figures);
  check_options(options, counts, shown);
  const CurvePlan plan = make_plan(options, counts);
  options.boxed.folder = options.labelled.folder;
  options.boxed.gallery = options.labelled.gallery;
  const EvalSets sets =
      options.measure == "comp" ? read_boxed_sets(options.boxed) : read_labelled_sets(options.labelled);

  EvalRun run(context, options.features);
  std::vector<CurveRow> rows;
  std::vector<std::string> names;
  eval::Report report;
  report.measure = "curve " + options.measure;
  const std::vector<std::string> resizes =
      options.resizes.empty() ? std::vector<std::string>{to_string(run.resize())} : split_commas(options.resizes);
  for (const std::string& resize : resizes) {
    run.set_resize(parse_resize_spec(resize));
    const MeasuredSides sides = extract_sides(run, sets, plan.descriptors, plan.token_sets);
    const eval::Measured result = measured(options.measure, sides.view(sets), plan.measure);
    names = result.figures;
    for (const eval::MeasuredRow& row : result.rows) {
      const std::size_t colon = row.name.find(':');
      if (colon == std::string::npos) continue;  // the coarse row, the oracle
      const std::size_t weight = std::min(row.name.find(':', colon + 1), row.name.size());
      const std::string method = row.name.substr(0, colon) + row.name.substr(weight);
      rows.push_back({resize, run.resize().size, method, row.tokens, result.queries, row.figures});
    }
    if (&resize == &resizes.front()) add_sides(run, report, sets, sides);
  }
  for (const std::string& figure : shown) {
    if (std::find(names.begin(), names.end(), figure) == names.end()) {
      throw UsageError("--figures: the measure " + options.measure + " has no figure '" + figure + "'");
    }
  }
  run.add_model(report);
  add_measure_settings(report, options.settings);
  if (plan.token_sets) report.settings.emplace_back("candidates", std::int64_t{options.candidates});
  report.columns = {{"resize", 0}, {"method", 0}, {"tokens", 0}, {"queries", 0}};
  for (const std::string& name : names) report.columns.push_back({name, 1});
  for (const CurveRow& row : rows) {
    std::vector<eval::Cell>& cells = report.rows.emplace_back();
    cells = {row.resize, row.method, std::int64_t{row.tokens}, static_cast<std::int64_t>(row.queries)};
    cells.insert(cells.end(), row.figures.begin(), row.figures.end());
  }
  if (!options.svg.empty()) write_file_atomically(options.svg, eval::plot_svg(make_plot(options, rows, names, shown)));
  return run.finish(report, options.report);
}

void add_options(CLI::App& app, CurveOptions& options) {
  app.add_option("MEASURE", options.measure, "knn, map or comp")->required()->check([](const std::string& text) {
    return text == "knn" || text == "map" || text == "comp" ? "" : "'" + text + "' is none of knn, map, comp";
  });
  add_labelled_options(app, options.labelled);
  app.add_option("--boxes", options.boxed.boxes, "comp: boxes as 'tessera eval comp' takes them")->type_name("PATH");
  app.add_option("--gallery-boxes", options.boxed.gallery_boxes, "comp: boxes of the gallery")->type_name("PATH");
  app.add_option("--token-counts", options.token_counts, "numbers of tokens to compare with; separated by commas")
      ->type_name("A,B,...")
      ->capture_default_str();
  app.add_option("--resizes", options.resizes, "resolutions, e.g. short:128/32,short:192/32 (default: --resize)")
      ->type_name("A,B,...");
  app.add_option("--methods", options.methods,
                 "comp: second stages, aligned, maxsim or with a weight as in aligned:0.3; separated by commas")
      ->type_name("A,B")
      ->capture_default_str();
  app.add_option("--candidates", options.candidates, "comp: results that the second stage puts in order; 0 = all")
      ->type_name("K")
      ->check(CLI::Range(0, 1'000'000'000).description(""))
      ->capture_default_str();
  app.add_option("--figures", options.figures,
                 "what the plot shows (default: k=20 of knn; mAP, P@1, P@5 of map; Comp@1, Comp@5 of comp)")
      ->type_name("A,B,...");
  app.add_option("--svg", options.svg, "also draw the figures")->type_name("FILE.svg");
  add_feature_options(app, options.features, false);
  add_measure_options(app, options.settings);
  add_report_options(app, options.report);
}

}  // namespace

Command make_eval_curve(CLI::App& eval) {
  auto options = std::make_shared<CurveOptions>();
  CLI::App* app = eval.add_subcommand("curve", "a measure against the number of tokens or the resolution");
  add_options(*app, *options);
  return {
      app,
      "Runs one measure for each of --resizes and each of --token-counts: knn and map compare the first tokens, "
      "weighted and joined; comp orders the candidates of token 0 by the first tokens. The table has a row for each "
      "point. --svg draws the figures over the tokens, or over the resolution if there is one number of tokens.",
      {{"tessera eval curve map photos/ --svg tokens.svg", "What more tokens add to retrieval by class."},
       {"tessera eval curve comp val/ --boxes val.json --methods aligned,maxsim --svg comp.svg",
        "Composition against the token budget, for both second stages."},
       {"tessera eval curve map photos/ --token-counts 1 --resizes short:128,short:192,short:256 --svg size.svg",
        "Retrieval against resolution."}},
      [options](Context& context) { return run(*options, context); },
      {}};
}

}  // namespace tessera::cli
