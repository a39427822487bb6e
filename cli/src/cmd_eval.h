// The subcommands of `tessera eval`, each made by a file of its own.
#pragma once

#include "command.h"

namespace tessera::cli {

// One per subcommand: adds its parser to that of `eval`.
Command make_eval_knn(CLI::App& eval);
Command make_eval_map(CLI::App& eval);
Command make_eval_comp(CLI::App& eval);
Command make_eval_copies(CLI::App& eval);
Command make_eval_cut(CLI::App& eval);
Command make_eval_curve(CLI::App& eval);
Command make_eval_recall(CLI::App& eval);
Command make_eval_probe(CLI::App& eval);

}  // namespace tessera::cli
