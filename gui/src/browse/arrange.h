// The order of pictures in a grid, and their groups.
#pragma once

#include <QString>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <vector>

#include "app/library_snapshot.h"

namespace tessera::gui {

enum class SortKey { kDate, kName, kFolder, kFileSize, kPixels, kRating };
enum class GroupKey { kNone, kDay, kMonth, kYear, kFolder, kRating };

struct Order {
  SortKey sort = SortKey::kDate;
  bool descending = true;
  GroupKey group = GroupKey::kNone;
  friend bool operator==(const Order&, const Order&) = default;
};

struct Group {
  int first = 0;  // index into the rows
  QString title;
};

struct Arrangement {
  std::vector<Row> rows;
  std::vector<Group> groups;  // empty = none
};

// Stars of a picture, by row; empty = nobody knows any.
using Ratings = std::vector<std::int8_t>;

// Sorts rows, ties by path. Groups come in the order of what they are grouped by, each sorted inside. Thread rule: any
// thread.
Arrangement arrange(const LibrarySnapshot& snapshot, std::vector<Row> rows, const Order& order,
                    const Ratings& ratings = {}, const std::stop_token& stop = {});

// Numbers in names by their value: "img9" before "img10"; letters without case.
int compare_names(std::string_view a, std::string_view b) noexcept;

}  // namespace tessera::gui
