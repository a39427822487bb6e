// What became of files that were trashed, restored, copied, moved or linked, for the person at the keyboard.
#pragma once

#include <string>

#include "command.h"
#include "tessera/indexer/file_actions.h"

namespace tessera::cli {

// "VERB 3 files", and a line for each file that could not be handled.
ExitCode report_actions(const ActionReport& report, const std::string& verb, Context& context);

}  // namespace tessera::cli
