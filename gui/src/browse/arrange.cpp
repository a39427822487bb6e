// The order of pictures in a grid, and their groups.
#include "browse/arrange.h"

#include <QCoreApplication>
#include <QDate>
#include <QLocale>
#include <algorithm>
#include <chrono>
#include <numeric>

#include "app/count_text.h"
#include "tessera/error.h"

namespace tessera::gui {
namespace {

struct Places {
  Q_DECLARE_TR_FUNCTIONS(Places)
};

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool digit(char c) noexcept { return c >= '0' && c <= '9'; }

// Year, month and day of a clock's time as one number, 20261126.
int day_of(std::int64_t ms) {
  constexpr std::int64_t kDay = 86'400'000;
  const std::chrono::sys_days days{std::chrono::days{(ms >= 0 ? ms : ms - kDay + 1) / kDay}};
  const std::chrono::year_month_day date{days};
  return static_cast<int>(date.year()) * 10000 + static_cast<int>(static_cast<unsigned>(date.month())) * 100 +
         static_cast<int>(static_cast<unsigned>(date.day()));
}

// The place of each folder among all, by name.
std::vector<std::uint32_t> folder_places(const LibrarySnapshot& snapshot) {
  std::vector<std::uint32_t> order(snapshot.folders().size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return compare_names(snapshot.folders()[a].native(), snapshot.folders()[b].native()) < 0;
  });
  std::vector<std::uint32_t> places(order.size());
  for (std::uint32_t place = 0; place < order.size(); ++place) places[order[place]] = place;
  return places;
}

int rating_of(const Ratings& ratings, Row row) { return row < ratings.size() ? std::max<int>(0, ratings[row]) : 0; }

QString group_title(const LibrarySnapshot& snapshot, GroupKey group, std::int64_t key, Row row) {
  const QLocale locale;
  const QDate date(static_cast<int>(key / 10000), std::max(1, static_cast<int>(key / 100 % 100)),
                   std::max(1, static_cast<int>(key % 100)));
  switch (group) {
    case GroupKey::kDay: return locale.toString(date, QLocale::LongFormat);
    case GroupKey::kMonth: return locale.toString(date, QStringLiteral("MMMM yyyy"));
    case GroupKey::kYear: return QString::number(date.year());
    case GroupKey::kFolder: return snapshot.folderText(snapshot[row].folder);
    case GroupKey::kRating:
      return key == 0 ? Places::tr("No stars") : countText(key, Places::tr("star"), Places::tr("stars"));
    case GroupKey::kNone: break;
  }
  return {};
}

class Sorter {
 public:
  Sorter(const LibrarySnapshot& snapshot, const Order& order, const Ratings& ratings)
      : snapshot_(snapshot), order_(order), ratings_(ratings), places_(folder_places(snapshot)) {}

  std::int64_t groupKey(Row row) const {
    switch (order_.group) {
      case GroupKey::kDay: return day_of(snapshot_[row].time);
      case GroupKey::kMonth: return day_of(snapshot_[row].time) / 100 * 100;
      case GroupKey::kYear: return day_of(snapshot_[row].time) / 10000 * 10000;
      case GroupKey::kFolder: return places_[snapshot_[row].folder];
      case GroupKey::kRating: return rating_of(ratings_, row);
      case GroupKey::kNone: return 0;
    }
    return 0;
  }

  std::int64_t sortKey(Row row) const {
    const Picture& picture = snapshot_[row];
    switch (order_.sort) {
      case SortKey::kDate: return picture.time;
      case SortKey::kFileSize: return static_cast<std::int64_t>(picture.hash.bytes);
      case SortKey::kPixels: return std::int64_t{picture.width} * picture.height;
      case SortKey::kFolder: return places_[picture.folder];
      case SortKey::kRating: return rating_of(ratings_, row);
      case SortKey::kName: return 0;
    }
    return 0;
  }

  // By name, then folder.
  bool before(Row a, Row b) const {
    const int names = compare_names(snapshot_.name(a), snapshot_.name(b));
    if (names != 0) return (names < 0) != (order_.sort == SortKey::kName && order_.descending);
    const std::uint32_t folder_a = places_[snapshot_[a].folder];
    const std::uint32_t folder_b = places_[snapshot_[b].folder];
    return folder_a != folder_b ? folder_a < folder_b : a < b;
  }

 private:
  const LibrarySnapshot& snapshot_;
  const Order& order_;
  const Ratings& ratings_;
  std::vector<std::uint32_t> places_;
};

}  // namespace

int compare_names(std::string_view a, std::string_view b) noexcept {
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() && j < b.size()) {
    if (digit(a[i]) && digit(b[j])) {
      while (i < a.size() && a[i] == '0') ++i;
      while (j < b.size() && b[j] == '0') ++j;
      std::size_t end_a = i;
      std::size_t end_b = j;
      while (end_a < a.size() && digit(a[end_a])) ++end_a;
      while (end_b < b.size() && digit(b[end_b])) ++end_b;
      if (end_a - i != end_b - j) return end_a - i < end_b - j ? -1 : 1;
      for (; i < end_a; ++i, ++j) {
        if (a[i] != b[j]) return a[i] < b[j] ? -1 : 1;
      }
      continue;
    }
    const auto x = static_cast<unsigned char>(lower(a[i++]));
    const auto y = static_cast<unsigned char>(lower(b[j++]));
    if (x != y) return x < y ? -1 : 1;
  }
  if (i < a.size() || j < b.size()) return i < a.size() ? 1 : -1;
  return a.compare(b);
}

Arrangement arrange(const LibrarySnapshot& snapshot, std::vector<Row> rows, const Order& order, const Ratings& ratings,
                    const std::stop_token& stop) {
  const Sorter sorter(snapshot, order, ratings);
  struct Item {
    std::int64_t group;
    std::int64_t key;
    Row row;
  };
  std::vector<Item> items;
  items.reserve(rows.size());
  for (const Row row : rows) items.push_back({sorter.groupKey(row), sorter.sortKey(row), row});
  if (stop.stop_requested()) throw Error(ErrorCode::kCancelled, "cancelled");
  // Groups of dates and stars go the way the pictures do; folders always by name.
  const bool groups_descend = order.descending && order.group != GroupKey::kFolder;
  std::sort(items.begin(), items.end(), [&](const Item& a, const Item& b) {
    if (a.group != b.group) return (a.group < b.group) != groups_descend;
    if (a.key != b.key) return (a.key < b.key) != order.descending;
    return sorter.before(a.row, b.row);
  });
  if (stop.stop_requested()) throw Error(ErrorCode::kCancelled, "cancelled");
  Arrangement result;
  result.rows = std::move(rows);
  for (std::size_t i = 0; i < items.size(); ++i) {
    result.rows[i] = items[i].row;
    if (order.group == GroupKey::kNone) continue;
    if (i == 0 || items[i].group != items[i - 1].group) {
      result.groups.push_back({static_cast<int>(i), group_title(snapshot, order.group, items[i].group, items[i].row)});
    }
  }
  return result;
}

}  // namespace tessera::gui
