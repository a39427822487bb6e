// Groups of duplicates as a table, JSON, CSV or paths (schema: docs/CLI.md).
#pragma once

#include <filesystem>
#include <vector>

#include "format.h"
#include "output.h"
#include "picture_table.h"
#include "tessera/indexer/duplicate_review.h"

namespace tessera::cli {

struct DupList {
  std::vector<ReviewedGroup> groups;
  bool rules_given = false;  // show what the rules decide
};

void write_dup(Output& out, Format format, const DupList& list, const std::filesystem::path& folder);

// One row a picture, for contact sheets.
PictureTable dup_table(const DupList& list);

}  // namespace tessera::cli
