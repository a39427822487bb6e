// The tessera program: parses the command line, runs one command, turns every error into a sentence and an exit code.
#pragma once

#include <CLI/App.hpp>
#include <vector>

#include "command.h"

namespace tessera::cli {

// The version of the CMake project.
const char* version();

class Program {
 public:
  Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  const CLI::App& root() const { return root_; }
  const std::vector<Command>& commands() const { return commands_; }

  // The whole process: standard output and error are file descriptors 1 and 2. Never throws.
  ExitCode run(int argc, const char* const* argv) noexcept;

 private:
  ExitCode parse_and_run(int argc, const char* const* argv, Console& fallback);
  ExitCode usage_error(Console& console, const std::string& message) const;
  std::string help_for_parsed() const;
  const Command* parsed_command() const;

  GlobalOptions globals_;
  CLI::App root_;
  std::vector<Command> commands_;
};

}  // namespace tessera::cli
