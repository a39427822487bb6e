// Paints one cell of a grid: thumbnail, name, badges, and the scores of a search.
#pragma once

#include <QFont>
#include <QPalette>
#include <QRect>
#include <QString>

#include "browse/picture_list.h"
#include "jobs/thumbnails.h"

class QPainter;

namespace tessera::gui {

// The places of a cell. What is beneath the picture is as high as the font needs.
struct CellParts {
  QRect cell;
  QRect picture;  // the square that a thumbnail is fitted into
  QRect name;
  QRect strip;  // a line for marks, or for scores
};

struct CellState {
  bool selected = false;
  bool current = false;
  bool focused = false;  // the view has the keyboard
};

class CellPainter {
 public:
  CellPainter(Thumbnails& thumbnails, const QFont& font, const QPalette& palette);

  static QSize cellSize(int side, const QFont& font);
  static CellParts parts(const QRect& cell, int side, const QFont& font);

  // `pixels`: side of a thumbnail in device pixels.
  void paint(QPainter& painter, const CellParts& parts, const PictureList& list, int item, const CellState& state,
             int pixels) const;

 private:
  void paintPicture(QPainter& painter, const CellParts& parts, const PictureList& list, int item, int pixels) const;
  void paintProblem(QPainter& painter, const QRect& rect, const QString& reason) const;
  void paintBadges(QPainter& painter, const QRect& rect, const Picture& picture) const;
  void paintScores(QPainter& painter, const QRect& strip, const SearchHit& hit) const;

  Thumbnails& thumbnails_;
  QFont font_;
  QPalette palette_;
};

}  // namespace tessera::gui
