// The list of subcommands in the order of the help text.
#include "commands.h"

namespace tessera::cli {

std::vector<Command> make_commands(CLI::App& root) {
  return {
      make_index(root),   make_list(root),     make_info(root),   make_stats(root),    make_search(root),
      make_similar(root), make_dup(root),      make_pick(root),   make_outliers(root), make_cluster(root),
      make_rate(root),    make_flag(root),     make_label(root),  make_tag(root),      make_collect(root),
      make_trash(root),   make_xmp(root),      make_undo(root),   make_redo(root),     make_rm(root),
      make_prune(root),   make_relocate(root), make_verify(root), make_compact(root),  make_build_index(root),
      make_encode(root),  make_export(root),   make_eval(root),   make_doctor(root),   make_bench(root),
      make_help(root),
  };
}

}  // namespace tessera::cli
