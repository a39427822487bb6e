// Which pictures `pick`, `outliers` and `cluster` work on, and how they show what they found.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "command.h"
#include "picture_table.h"
#include "targets.h"
#include "tessera/indexer/library.h"

namespace tessera::cli {

struct PictureSetOptions {
  std::vector<std::string> pictures;  // paths or ids; empty = all
  std::vector<std::string> under;
  FilterOptions conditions;
  std::string format = "table";
  std::string sheet;
  std::string open;
};
void add_picture_set_options(CLI::App& app, PictureSetOptions& options);
// The conditions of `list`, which narrow the set.
void add_picture_set_conditions(CLI::App& app, PictureSetOptions& options);

// The pictures meant that have tokens, ascending; none = no choice was made: all of the library.
std::optional<std::vector<ImageId>> chosen_ids(const Library& library, const PictureSetOptions& options);

// The vectors of the pictures meant. Throws kNotFound if there are none.
PictureVectors chosen_vectors(const Library& library, const PictureSetOptions& options);

// Its row among the vectors. Throws kNotFound.
std::size_t row_of(const PictureVectors& vectors, ImageId id);

// The table, and the contact sheet if one was asked for; each picture's first value stands over it there.
void show_pictures(Context& context, const PictureTable& table, const std::string& title,
                   const PictureSetOptions& options);
// Only the contact sheet.
void show_sheet(Context& context, const PictureTable& table, const std::string& title,
                const PictureSetOptions& options);

}  // namespace tessera::cli
