// Where the cells of a grid lie: equal cells in groups one below the other, each group with a heading.
#pragma once

#include <QPoint>
#include <QRect>
#include <vector>

namespace tessera::gui {

struct GridMetrics {
  int width = 0;  // of the whole
  int cell_width = 0;
  int cell_height = 0;
  int heading = 0;  // height; only where there are groups
  int gap = 6;
};

// Coordinates are of the whole grid, not of what is scrolled into view. Every question is answered in O(log groups).
class GridLayout {
 public:
  // `group_starts`: the first item of each group, ascending from 0; empty = one group without heading.
  void set(const GridMetrics& metrics, int items, std::vector<int> group_starts);

  int items() const { return items_; }
  int columns() const { return columns_; }
  int height() const;
  QRect cell(int item) const;
  QRect heading(int group) const;  // empty if there are no headings
  int groups() const { return static_cast<int>(starts_.size()); }
  int groupOf(int item) const;
  int itemAt(const QPoint& point) const;       // -1 in a gap
  int nearestItem(const QPoint& point) const;  // -1 only if there is none
  // First and last item (one past) with anything between these heights.
  std::pair<int, int> between(int top, int bottom) const;
  // Items in a rectangle, as ranges [first, last] in one row each.
  std::vector<std::pair<int, int>> in(const QRect& rect) const;
  int below(int item) const;  // the same column one row down, or the item itself
  int above(int item) const;

 private:
  int groupEnd(int group) const;
  int groupAtHeight(int y) const;
  int rowTop(int group, int row) const;
  int leftOf(int column) const;

  GridMetrics metrics_;
  int items_ = 0;
  int columns_ = 1;
  bool headings_ = false;
  int spread_ = 0;           // between columns
  std::vector<int> starts_;  // first item of each group
  std::vector<int> tops_;    // of each group, and the end
};

}  // namespace tessera::gui
