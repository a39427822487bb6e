// The tessera command: parses the command line and runs one subcommand.
#include <CLI/CLI.hpp>

int main(int argc, char** argv) {
  CLI::App app{"Index a photo collection and find pictures by their content and composition."};
  app.set_version_flag("--version", "tessera 0.1.0");
  app.require_subcommand(0);
  CLI11_PARSE(app, argc, argv);
  return 0;
}
