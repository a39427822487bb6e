// The options of a CLI11 parser as help texts and manual pages show them.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace tessera::cli {

struct OptionText {
  std::vector<std::string> names;  // "-k", "--region"; empty for a positional argument
  std::string label;               // "-k N", "--region X,Y,W,H", "IMAGE..."
  std::string text;                // with "(default ...)" where there is one
  bool positional = false;
};

// In order of registration; hidden options left out.
std::vector<OptionText> option_texts(const CLI::App& app);

// "search", or with the command it belongs to: "eval knn".
std::string full_name(const CLI::App& app);

// "tessera search [OPTIONS] IMAGE..."
std::string usage_text(const CLI::App& app);

}  // namespace tessera::cli
