// Where the cells of a grid lie.
#include "browse/grid_layout.h"

#include <algorithm>

namespace tessera::gui {

void GridLayout::set(const GridMetrics& metrics, int items, std::vector<int> group_starts) {
  metrics_ = metrics;
  items_ = items;
  headings_ = !group_starts.empty();
  starts_ = headings_ ? std::move(group_starts) : std::vector<int>{0};
  const int room = metrics.width - metrics.gap;
  columns_ = std::max(1, room / (metrics.cell_width + metrics.gap));
  spread_ = std::max(metrics.gap, (metrics.width - columns_ * metrics.cell_width) / (columns_ + 1));
  tops_.assign(1, headings_ ? 0 : metrics.gap);
  for (int group = 0; group < groups(); ++group) {
    const int rows = (groupEnd(group) - starts_[static_cast<std::size_t>(group)] + columns_ - 1) / columns_;
    tops_.push_back(tops_.back() + (headings_ ? metrics_.heading : 0) + rows * (metrics_.cell_height + metrics_.gap));
  }
}

int GridLayout::groupEnd(int group) const {
  return group + 1 < groups() ? starts_[static_cast<std::size_t>(group) + 1] : items_;
}

int GridLayout::height() const { return tops_.empty() ? 0 : tops_.back(); }

int GridLayout::groupOf(int item) const {
  const auto after = std::upper_bound(starts_.begin(), starts_.end(), item);
  return std::max(0, static_cast<int>(after - starts_.begin()) - 1);
}

int GridLayout::groupAtHeight(int y) const {
  const auto after = std::upper_bound(tops_.begin(), tops_.end(), y);
  return std::clamp(static_cast<int>(after - tops_.begin()) - 1, 0, std::max(0, groups() - 1));
}

int GridLayout::rowTop(int group, int row) const {
  return tops_[static_cast<std::size_t>(group)] + (headings_ ? metrics_.heading : 0) +
         row * (metrics_.cell_height + metrics_.gap);
}

int GridLayout::leftOf(int column) const { return spread_ + column * (metrics_.cell_width + spread_); }

QRect GridLayout::cell(int item) const {
  if (item < 0 || item >= items_) return {};
  const int group = groupOf(item);
  const int place = item - starts_[static_cast<std::size_t>(group)];
  return {leftOf(place % columns_), rowTop(group, place / columns_), metrics_.cell_width, metrics_.cell_height};
}

QRect GridLayout::heading(int group) const {
  if (!headings_) return {};
  return {0, tops_[static_cast<std::size_t>(group)], metrics_.width, metrics_.heading};
}

int GridLayout::nearestItem(const QPoint& point) const {
  if (items_ == 0) return -1;
  const int group = groupAtHeight(point.y());
  const int row = std::max(0, (point.y() - rowTop(group, 0)) / (metrics_.cell_height + metrics_.gap));
  const int column = std::clamp((point.x() - spread_) / (metrics_.cell_width + spread_), 0, columns_ - 1);
  const int item = starts_[static_cast<std::size_t>(group)] + row * columns_ + column;
  return std::clamp(item, starts_[static_cast<std::size_t>(group)], std::max(0, groupEnd(group) - 1));
}

int GridLayout::itemAt(const QPoint& point) const {
  const int item = nearestItem(point);
  return item >= 0 && cell(item).contains(point) ? item : -1;
}

std::pair<int, int> GridLayout::between(int top, int bottom) const {
  if (items_ == 0 || bottom < top) return {0, 0};
  const int first = nearestItem({0, top});
  const int last = nearestItem({metrics_.width, bottom});
  return {first, last + 1};
}

std::vector<std::pair<int, int>> GridLayout::in(const QRect& rect) const {
  std::vector<std::pair<int, int>> ranges;
  const auto [first, last] = between(rect.top(), rect.bottom());
  for (int item = first; item < last; ++item) {
    if (!cell(item).intersects(rect)) continue;
    if (!ranges.empty() && ranges.back().second == item - 1) {
      ranges.back().second = item;
    } else {
      ranges.emplace_back(item, item);
    }
  }
  return ranges;
}

int GridLayout::below(int item) const {
  const int group = groupOf(item);
  const int start = starts_[static_cast<std::size_t>(group)];
  const int end = groupEnd(group);
  const int column = (item - start) % columns_;
  if (item + columns_ < end) return item + columns_;
  const bool last_row = (item - start) / columns_ == (end - 1 - start) / columns_;
  if (!last_row) return end - 1;
  if (group + 1 >= groups()) return item;
  return std::min(end + column, groupEnd(group + 1) - 1);
}

int GridLayout::above(int item) const {
  const int group = groupOf(item);
  const int start = starts_[static_cast<std::size_t>(group)];
  const int column = (item - start) % columns_;
  if (item - columns_ >= start) return item - columns_;
  if (group == 0) return item;
  const int before = starts_[static_cast<std::size_t>(group) - 1];
  const int last_row = (start - 1 - before) / columns_;
  return std::min(before + last_row * columns_ + column, start - 1);
}

}  // namespace tessera::gui
