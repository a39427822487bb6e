// The subcommands, each made by a file of its own.
#pragma once

#include <vector>

#include "command.h"

namespace tessera::cli {

// Adds every subcommand to the parser, in the order of the help text.
std::vector<Command> make_commands(CLI::App& root);

// One per subcommand: adds its parser to `root`.
Command make_index(CLI::App& root);
Command make_list(CLI::App& root);
Command make_info(CLI::App& root);
Command make_stats(CLI::App& root);
Command make_search(CLI::App& root);
Command make_similar(CLI::App& root);
Command make_dup(CLI::App& root);
Command make_pick(CLI::App& root);
Command make_outliers(CLI::App& root);
Command make_cluster(CLI::App& root);
Command make_rate(CLI::App& root);
Command make_flag(CLI::App& root);
Command make_label(CLI::App& root);
Command make_tag(CLI::App& root);
Command make_collect(CLI::App& root);
Command make_trash(CLI::App& root);
Command make_xmp(CLI::App& root);
Command make_undo(CLI::App& root);
Command make_redo(CLI::App& root);
Command make_rm(CLI::App& root);
Command make_prune(CLI::App& root);
Command make_relocate(CLI::App& root);
Command make_verify(CLI::App& root);
Command make_compact(CLI::App& root);
Command make_build_index(CLI::App& root);
Command make_encode(CLI::App& root);
Command make_export(CLI::App& root);
Command make_eval(CLI::App& root);
Command make_doctor(CLI::App& root);
Command make_bench(CLI::App& root);
Command make_help(CLI::App& root);

}  // namespace tessera::cli
