// The options of a CLI11 parser as help texts and manual pages show them.
#include "option_text.h"

#include <CLI/CLI.hpp>

namespace tessera::cli {
namespace {

OptionText describe(const CLI::Option& option) {
  OptionText result;
  result.positional = option.get_positional();
  result.text = option.get_description();
  if (result.positional) {
    result.label = option.get_name(true);
    if (option.get_items_expected_max() > 1) result.label += "...";
    return result;
  }
  for (const std::string& name : option.get_snames()) result.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) result.names.push_back("--" + name);
  for (const std::string& name : result.names) result.label += (result.label.empty() ? "" : ", ") + name;
  if (option.get_items_expected_max() > 0) result.label += " " + option.get_type_name();
  if (!option.get_default_str().empty()) result.text += " (default " + option.get_default_str() + ")";
  return result;
}

}  // namespace

std::vector<OptionText> option_texts(const CLI::App& app) {
  std::vector<OptionText> result;
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_group().empty()) result.push_back(describe(*option));
  }
  return result;
}

std::string full_name(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  return (parent != nullptr && parent->get_parent() != nullptr ? parent->get_name() + " " : "") + app.get_name();
}

std::string usage_text(const CLI::App& app) {
  const bool has_subcommands = !app.get_subcommands(nullptr).empty();
  std::string text = "tessera " + full_name(app) + (has_subcommands ? " SUBCOMMAND" : "") + " [OPTIONS]";
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_positional()) continue;
    const std::string label = describe(*option).label;
    text += option->get_required() ? " " + label : " [" + label + "]";
  }
  return text;
}

}  // namespace tessera::cli
