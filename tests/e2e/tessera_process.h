// Runs the built tessera program as a user's shell would, and collects what it says.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace tessera::e2e {

struct ProcessResult {
  int exit_code = -1;  // 128 + n if signal n ended it
  std::string out;
  std::string err;

  std::vector<std::string> lines() const;  // of standard output
};

// `folder`: the current folder of the process. TESSERA_* are unset, HOME and XDG_DATA_HOME point below `home`.
ProcessResult run_tessera(const std::vector<std::string>& arguments, const std::filesystem::path& folder,
                          const std::filesystem::path& home);

}  // namespace tessera::e2e
