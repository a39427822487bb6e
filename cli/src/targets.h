// Which pictures a command means: by path or id, by conditions, or as a list of paths on standard input.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "command.h"
#include "tessera/indexer/catalog_filter.h"
#include "tessera/indexer/curation.h"
#include "tessera/indexer/library.h"

namespace tessera::cli {

// The conditions of CatalogFilter as options, --rating to --collection.
struct FilterOptions {
  std::vector<std::pair<std::string, std::string>> terms;  // as typed, in order

  // None if no condition was given. Throws UsageError.
  std::optional<CatalogFilter> filter() const;
};
// `with_under`: also --under, which some commands have already.
void add_filter_options(CLI::App& app, FilterOptions& options, bool with_under);

struct TargetOptions {
  std::vector<std::string> pictures;
  FilterOptions conditions;
  bool from_stdin = false;
  bool all = false;
};
void add_target_options(CLI::App& app, TargetOptions& options);

// The pictures meant, in the order given, without repetitions. Throws UsageError if nothing says which.
std::vector<ImageRecord> target_pictures(const Library& library, const TargetOptions& options);
// Their contents; those that could not be read are left out, and told.
std::vector<ContentHash> target_contents(const Library& library, const TargetOptions& options, Console& console);
// The files meant: one that was named as it was named, of other pictures every file that is there.
std::vector<std::filesystem::path> target_files(const Library& library, const TargetOptions& options);

Curation open_curation(const Context& context, OpenMode mode);

}  // namespace tessera::cli
