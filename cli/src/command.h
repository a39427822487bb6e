// What a subcommand is: its CLI11 parser, the text of its help and manual page, and the function that runs it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "exit_code.h"
#include "output.h"

namespace CLI {
class App;
}

namespace tessera::cli {

struct GlobalOptions {
  std::string library;
  std::string model;
  std::string color = "auto";
  bool quiet = false;
};

// What a running command may use.
struct Context {
  const GlobalOptions& globals;
  Output& out;
  Console& console;
};

struct Example {
  std::string command;
  std::string purpose;  // one sentence
};

struct Command {
  CLI::App* app = nullptr;  // name and summary are those of the parser
  std::string description;  // paragraphs, separated by blank lines
  std::vector<Example> examples;
  std::function<ExitCode(Context&)> run;
  std::vector<Command> subcommands = {};  // e.g. `eval knn` of `eval`; one level
};

}  // namespace tessera::cli
