// tessera eval: the group of commands that measure how good a model and a library are.
#include "cmd_eval.h"

#include <CLI/CLI.hpp>

#include "commands.h"

namespace tessera::cli {

Command make_eval(CLI::App& root) {
  CLI::App* app =
      root.add_subcommand("eval", "measure retrieval quality on pictures with labels or boxes")->group("Evaluate");
  app->require_subcommand(0, 1);
  Command command;
  command.app = app;
  command.description =
      "Each subcommand encodes the pictures of a folder, measures, and prints one table. --out FILE.json keeps it with "
      "the hashes of model and data and every setting; the same input gives the same figures, bit for bit. Shares are "
      "per cent. Pictures that cannot be read are named and take no part; the exit code is then 3.\n\n"
      "'tessera eval SUBCOMMAND --help' tells more. docs/EVALUATION.md repeats the tables of the paper.";
  command.examples = {{"tessera eval knn photos/ --descriptor token0,colorhist",
                       "How often the nearest neighbours have the right class, beside a colour histogram."}};
  command.subcommands = {make_eval_knn(*app), make_eval_map(*app),   make_eval_comp(*app),   make_eval_copies(*app),
                         make_eval_cut(*app), make_eval_curve(*app), make_eval_recall(*app), make_eval_probe(*app)};
  command.run = [](Context&) -> ExitCode {
    throw UsageError("'tessera eval' needs a subcommand, e.g. 'tessera eval knn'");
  };
  return command;
}

}  // namespace tessera::cli
