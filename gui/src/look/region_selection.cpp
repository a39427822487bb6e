// A rectangle being drawn on a picture.
#include "look/region_selection.h"

#include <algorithm>
#include <cmath>

namespace tessera::gui {
namespace {

using Grip = RegionSelection::Grip;

constexpr double kLeastSide = 4;  // pixels of the picture

QPointF inside(const QPointF& point, const QRectF& bounds) {
  return {std::clamp(point.x(), bounds.left(), bounds.right()), std::clamp(point.y(), bounds.top(), bounds.bottom())};
}

bool moves_left(Grip grip) { return grip == Grip::kLeft || grip == Grip::kTopLeft || grip == Grip::kBottomLeft; }
bool moves_right(Grip grip) { return grip == Grip::kRight || grip == Grip::kTopRight || grip == Grip::kBottomRight; }
bool moves_top(Grip grip) { return grip == Grip::kTop || grip == Grip::kTopLeft || grip == Grip::kTopRight; }
bool moves_bottom(Grip grip) {
  return grip == Grip::kBottom || grip == Grip::kBottomLeft || grip == Grip::kBottomRight;
}

}  // namespace

void RegionSelection::setPicture(const QSizeF& size) {
  picture_ = size;
  clear();
}

void RegionSelection::clear() {
  rect_.reset();
  grip_.reset();
}

void RegionSelection::setRect(const QRectF& rect) {
  const QRectF cut = rect.normalized().intersected(bounds());
  rect_ = cut.isEmpty() ? std::nullopt : std::optional(cut);
}

Grip RegionSelection::gripAt(const QPointF& point, double reach) const {
  if (!rect_ || !rect_->adjusted(-reach, -reach, reach, reach).contains(point)) return Grip::kNew;
  const bool left = std::abs(point.x() - rect_->left()) <= reach;
  const bool right = !left && std::abs(point.x() - rect_->right()) <= reach;
  const bool top = std::abs(point.y() - rect_->top()) <= reach;
  const bool bottom = !top && std::abs(point.y() - rect_->bottom()) <= reach;
  if (top) return left ? Grip::kTopLeft : right ? Grip::kTopRight : Grip::kTop;
  if (bottom) return left ? Grip::kBottomLeft : right ? Grip::kBottomRight : Grip::kBottom;
  return left ? Grip::kLeft : right ? Grip::kRight : Grip::kMove;
}

Qt::CursorShape RegionSelection::cursorAt(const QPointF& point, double reach, int turns) const {
  const bool sideways = turns % 2 != 0;
  switch (gripAt(point, reach)) {
    case Grip::kMove: return Qt::SizeAllCursor;
    case Grip::kLeft:
    case Grip::kRight: return sideways ? Qt::SizeVerCursor : Qt::SizeHorCursor;
    case Grip::kTop:
    case Grip::kBottom: return sideways ? Qt::SizeHorCursor : Qt::SizeVerCursor;
    case Grip::kTopLeft:
    case Grip::kBottomRight: return sideways ? Qt::SizeBDiagCursor : Qt::SizeFDiagCursor;
    case Grip::kTopRight:
    case Grip::kBottomLeft: return sideways ? Qt::SizeFDiagCursor : Qt::SizeBDiagCursor;
    case Grip::kNew: break;
  }
  return Qt::CrossCursor;
}

void RegionSelection::press(const QPointF& point, double reach) {
  grip_ = gripAt(point, reach);
  last_ = point;
  fixed_ = inside(point, bounds());
  if (*grip_ == Grip::kNew) rect_ = QRectF(fixed_, QSizeF());
}

void RegionSelection::drag(const QPointF& point) {
  if (!grip_ || !rect_) return;
  if (*grip_ == Grip::kNew) {
    rect_ = QRectF(fixed_, inside(point, bounds())).normalized();
    return;
  }
  const QPointF delta = point - last_;
  last_ = point;
  if (*grip_ == Grip::kMove) {
    nudge(delta, false);
    return;
  }
  if (moves_left(*grip_)) rect_->setLeft(std::clamp(point.x(), 0.0, std::max(0.0, rect_->right() - kLeastSide)));
  if (moves_right(*grip_)) {
    rect_->setRight(std::clamp(point.x(), std::min(picture_.width(), rect_->left() + kLeastSide), picture_.width()));
  }
  if (moves_top(*grip_)) rect_->setTop(std::clamp(point.y(), 0.0, std::max(0.0, rect_->bottom() - kLeastSide)));
  if (moves_bottom(*grip_)) {
    rect_->setBottom(std::clamp(point.y(), std::min(picture_.height(), rect_->top() + kLeastSide), picture_.height()));
  }
}

void RegionSelection::release() {
  grip_.reset();
  if (rect_ && (rect_->width() < kLeastSide || rect_->height() < kLeastSide)) rect_.reset();
}

void RegionSelection::nudge(const QPointF& delta, bool grow) {
  if (!rect_) return;
  if (grow) {
    rect_->setRight(std::clamp(rect_->right() + delta.x(), std::min(picture_.width(), rect_->left() + kLeastSide),
                               picture_.width()));
    rect_->setBottom(std::clamp(rect_->bottom() + delta.y(), std::min(picture_.height(), rect_->top() + kLeastSide),
                                picture_.height()));
    return;
  }
  // Not clamp(): where the region is as wide as the picture, rounding may put the limits in the wrong order.
  rect_->translate(std::min(std::max(delta.x(), -rect_->left()), picture_.width() - rect_->right()),
                   std::min(std::max(delta.y(), -rect_->top()), picture_.height() - rect_->bottom()));
}

QRectF RegionSelection::fraction() const {
  if (!rect_ || picture_.isEmpty()) return {};
  const QRectF cut(rect_->x() / picture_.width(), rect_->y() / picture_.height(), rect_->width() / picture_.width(),
                   rect_->height() / picture_.height());
  return cut.intersected(QRectF(0, 0, 1, 1));
}

}  // namespace tessera::gui
