// A rectangle being drawn on a picture, moved and resized by its handles. Without widgets.
#pragma once

#include <QPointF>
#include <QRectF>
#include <QSizeF>
#include <Qt>
#include <optional>

namespace tessera::gui {

// All coordinates are those of the picture. `reach` is how near counts as on a handle.
class RegionSelection {
 public:
  void setPicture(const QSizeF& size);  // forgets the region
  bool isEmpty() const { return !rect_; }
  QRectF rect() const { return rect_.value_or(QRectF()); }
  void setRect(const QRectF& rect);  // cut to the picture
  void clear();

  // What a press there takes hold of.
  enum class Grip { kNew, kMove, kLeft, kRight, kTop, kBottom, kTopLeft, kTopRight, kBottomLeft, kBottomRight };
  Grip gripAt(const QPointF& point, double reach) const;
  Qt::CursorShape cursorAt(const QPointF& point, double reach, int turns) const;

  void press(const QPointF& point, double reach);
  void drag(const QPointF& point);
  void release();  // a rectangle without area goes
  bool dragging() const { return grip_.has_value(); }

  // By keys: moves, or with `grow` moves the lower right corner.
  void nudge(const QPointF& delta, bool grow);

  // Fractions of the picture, as searches take regions.
  QRectF fraction() const;

 private:
  QRectF bounds() const { return QRectF(QPointF(), picture_); }

  QSizeF picture_;
  std::optional<QRectF> rect_;
  std::optional<Grip> grip_;
  QPointF last_;
  QPointF fixed_;  // the corner opposite to a new rectangle's moving one
};

}  // namespace tessera::gui
