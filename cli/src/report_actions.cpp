// What became of files.
#include "report_actions.h"

#include "text.h"

namespace tessera::cli {

ExitCode report_actions(const ActionReport& report, const std::string& verb, Context& context) {
  for (const ActionFailure& failure : report.failed) context.console.error(failure.reason);
  context.console.note(verb + " " + plural(report.done, "file"));
  if (report.failed.empty()) return ExitCode::kOk;
  return report.done == 0 ? ExitCode::kError : ExitCode::kSomeFailed;
}

}  // namespace tessera::cli
