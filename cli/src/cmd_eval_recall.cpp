// tessera eval recall: how often the stages of a library's search find what comparing all tokens would.
#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>

#include "checked_by.h"
#include "cmd_eval.h"
#include "eval_run.h"
#include "progress.h"
#include "tessera/indexer/eval_recall.h"
#include "tessera/text.h"

namespace tessera::cli {
namespace {

struct RecallCommandOptions {
  int queries = 200;
  std::uint64_t seed = 1;
  std::string at = "1,10,20";
  std::string candidates = "50,100,200,500";
  std::string rerank = "aligned";
  float rerank_weight = SearchOptions{}.rerank_weight;
  int tokens = 0;
  std::string coarse = "auto";
  ReportOptions report;
};

std::vector<eval::Cell> recall_row(const std::string& stage, const eval::RecallRow& row, std::uint64_t seed) {
  std::vector<eval::Cell> cells = {stage};
  for (const std::vector<double>& values : row.recall) {
    const eval::Interval share = eval::bootstrap_mean(values, seed);
    cells.emplace_back(eval::Interval{100 * share.mean, 100 * share.low, 100 * share.high});
  }
  cells.emplace_back(eval::percentile(row.milliseconds, 0.5));
  cells.emplace_back(eval::percentile(row.milliseconds, 0.99));
  return cells;
}

ExitCode run(const RecallCommandOptions& options, Context& context) {
  eval::RecallOptions recall;
  recall.queries = static_cast<std::size_t>(options.queries);
  recall.seed = options.seed;
  recall.at = parse_numbers(options.at, "-k");
  recall.candidates = parse_numbers(options.candidates, "--candidates");
  recall.rerank = parse_rerank_method(options.rerank);
  recall.rerank_weight = options.rerank_weight;
  recall.tokens = options.tokens;
  recall.coarse = parse_coarse_method(options.coarse);
  if (recall.rerank == RerankMethod::kNone) throw UsageError("--rerank none leaves nothing to compare with");

  const Library library = open_library(context, OpenMode::kRead);
  const LibraryEncoder made_with = filled_library_encoder(library);
  const Interrupt interrupt;
  Progress progress(context.console);
  const auto start = std::chrono::steady_clock::now();
  recall.stop = interrupt.token();
  recall.progress = [&](std::size_t done, std::size_t total) {
    ProgressState state;
    state.done = static_cast<std::int64_t>(done);
    state.total = static_cast<std::int64_t>(total);
    state.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    progress.update(state);
  };
  const eval::RecallFigures figures = eval::measure_recall(library, recall);
  progress.finish();

  eval::Report report;
  report.measure = "recall";
  report.settings = {{"library", to_valid_utf8(library.dir().native())},
                     {"pictures", figures.images},
                     {"model", made_with.model_name},
                     {"weights_hash", made_with.weights_hash},
                     {"resize", to_string(made_with.resize)},
                     {"stored_tokens", std::int64_t{made_with.stored_tokens}},
                     {"coarse", std::string(coarse_method_name(figures.coarse_used))},
                     {"rerank", options.rerank},
                     {"rerank_weight", double(options.rerank_weight)},
                     {"tokens", std::int64_t{options.tokens > 0 ? options.tokens : made_with.stored_tokens}},
                     {"queries", static_cast<std::int64_t>(figures.queries)},
                     {"seed", static_cast<std::int64_t>(options.seed)}};
  report.columns = {{"stage", 0}};
  for (const int k : recall.at) report.columns.push_back({"recall@" + std::to_string(k), 1});
  report.columns.push_back({"p50_ms", 2});
  report.columns.push_back({"p99_ms", 2});
  for (const eval::RecallRow& row : figures.rows) {
    report.rows.push_back(
        recall_row(row.candidates == 0 ? "coarse" : "K=" + std::to_string(row.candidates), row, options.seed));
  }
  std::vector<eval::Cell>& last = report.rows.emplace_back();
  last = {std::string("exhaustive")};
  last.resize(1 + recall.at.size(), eval::Interval{100, 100, 100});
  last.emplace_back(eval::percentile(figures.exhaustive_ms, 0.5));
  last.emplace_back(eval::percentile(figures.exhaustive_ms, 0.99));
  return print_report(context, report, options.report);
}

}  // namespace

Command make_eval_recall(CLI::App& eval) {
  auto options = std::make_shared<RecallCommandOptions>();
  CLI::App* app = eval.add_subcommand("recall", "what a library's search misses, and how long it takes");
  app->add_option("--queries", options->queries, "pictures of the library to ask with, a random sample")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000).description(""))
      ->capture_default_str();
  app->add_option("--seed", options->seed, "seed of the sample and of the intervals")
      ->type_name("N")
      ->capture_default_str();
  app->add_option("-k", options->at, "how many of the first results must agree; separated by commas")
      ->type_name("A,B,...")
      ->capture_default_str();
  app->add_option("--candidates", options->candidates,
                  "results of the first stage that the second compares, a row each")
      ->type_name("A,B,...")
      ->capture_default_str();
  app->add_option("--rerank", options->rerank, "the second stage: aligned or maxsim")
      ->type_name("METHOD")
      ->check([](const std::string& text) {
        return text == "aligned" || text == "maxsim" ? "" : "'" + text + "' is none of aligned, maxsim";
      })
      ->capture_default_str();
  app->add_option("--rerank-weight", options->rerank_weight, "as in 'tessera search'")
      ->type_name("W")
      ->check(CLI::Range(0.0, 1.0).description(""))
      ->capture_default_str();
  app->add_option("--tokens", options->tokens, "tokens compared per picture (default: all stored)")
      ->type_name("N")
      ->check(CLI::Range(1, 4096).description(""));
  app->add_option("--coarse", options->coarse, "first stage: auto, exact, ivfpq or hnsw")
      ->type_name("METHOD")
      ->check(checked_by([](const std::string& text) { parse_coarse_method(text); }))
      ->capture_default_str();
  add_report_options(*app, options->report);
  return {
      app,
      "Asks the library with a sample of its own pictures and compares three ways to answer: the first stage alone, "
      "both stages with several numbers of candidates, and both stages over all pictures, which "
      "counts as the truth. recall@k is the share of its first k that is among the first k of the other way; "
      "the times are those of one search (median and 99th percentile). No model is needed.",
      {{"tessera eval recall", "The library of this folder, exact first stage."},
       {"tessera eval recall --coarse ivfpq --candidates 200,1000 --queries 500",
        "Whether an index and the default number of candidates are good enough."}},
      [options](Context& context) { return run(*options, context); },
      {}};
}

}  // namespace tessera::cli
