// Pictures with numbers beside them (picks, outliers, clusters) as a table, JSON, CSV or paths (schema: docs/CLI.md).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "format.h"
#include "output.h"
#include "tessera/indexer/types.h"

namespace tessera::cli {

struct PictureColumn {
  enum class Kind {
    kWhole,       // a whole number
    kSimilarity,  // -1 to 1, three decimals
    kShare,       // 0 to 1, shown in per cent
    kByChance,    // an expected number
  };
  std::string name;  // of the field
  std::string heading;
  Kind kind = Kind::kSimilarity;
};

struct PictureRow {
  ImageRecord record;
  std::vector<double> values;  // one for each column; NaN = not known
};

struct PictureTable {
  std::vector<PictureColumn> columns;
  std::vector<PictureRow> rows;
  std::vector<std::filesystem::path> under;  // a file below one of these is the one shown
};

// An object with `rank`, `id`, the columns and what search hits say of a picture. `rank` 0 = left out.
Json picture_json(const PictureTable& table, std::size_t row, std::size_t rank);

// `folder`: paths below it are shown relative to it in the table. `json` is an array.
void write_pictures(Output& out, Format format, const PictureTable& table, const std::filesystem::path& folder);

}  // namespace tessera::cli
