// How a picture lies in a view.
#include "look/view_geometry.h"

#include <algorithm>
#include <cmath>

namespace tessera::gui {

void ViewGeometry::setPicture(const QSizeF& size) {
  const ViewState kept = state();
  picture_ = size;
  setState(kept);
}

void ViewGeometry::setView(const QSizeF& size, double pixel_ratio) {
  view_ = size;
  pixel_ratio_ = pixel_ratio;
  keepInside();
}

QSizeF ViewGeometry::turned() const { return turns_ % 2 == 0 ? picture_ : picture_.transposed(); }

double ViewGeometry::fitZoom() const {
  if (picture_.isEmpty() || view_.isEmpty()) return 1;
  const QSizeF size = turned();
  return std::min(
      {kMostFit, view_.width() * pixel_ratio_ / size.width(), view_.height() * pixel_ratio_ / size.height()});
}

void ViewGeometry::setFit() {
  fit_ = true;
  keepInside();
}

void ViewGeometry::setZoom(double zoom, const QPointF& anchor) {
  const QPointF point = toPicture(anchor);
  zoom_ = std::clamp(zoom, std::min(fitZoom(), 1.0), kMostZoom);
  fit_ = false;
  center_ += point - toPicture(anchor);
  keepInside();
}

void ViewGeometry::pan(const QPointF& delta) {
  const QTransform back = toView().inverted();
  center_ -= back.map(delta) - back.map(QPointF());
  keepInside();
}

void ViewGeometry::turn(int quarters) {
  turns_ = ((turns_ + quarters) % 4 + 4) % 4;
  keepInside();
}

void ViewGeometry::setCenter(const QPointF& point) {
  center_ = point;
  keepInside();
}

ViewState ViewGeometry::state() const {
  ViewState state;
  if (picture_.isEmpty()) return state;
  state.fit = fit_;
  state.relative_zoom = zoom() / fitZoom();
  state.center = QPointF(center_.x() / picture_.width(), center_.y() / picture_.height());
  return state;
}

void ViewGeometry::setState(const ViewState& state) {
  fit_ = state.fit;
  zoom_ = std::min(state.relative_zoom * fitZoom(), kMostZoom);
  center_ = QPointF(state.center.x() * picture_.width(), state.center.y() * picture_.height());
  keepInside();
}

QTransform ViewGeometry::toView() const {
  QTransform transform;
  transform.translate(view_.width() / 2, view_.height() / 2);
  transform.scale(zoom() / pixel_ratio_, zoom() / pixel_ratio_);
  transform.rotate(90.0 * turns_);
  transform.translate(-center_.x(), -center_.y());
  return transform;
}

QRectF ViewGeometry::visible() const {
  return toView().inverted().mapRect(QRectF(QPointF(), view_)).intersected(QRectF(QPointF(), picture_));
}

// A picture smaller than the view is centred, a larger one leaves no gap at the edges.
void ViewGeometry::keepInside() {
  if (picture_.isEmpty()) return;
  const QSizeF seen = QSizeF(turns_ % 2 == 0 ? view_ : view_.transposed()) * (pixel_ratio_ / zoom());
  const auto inside = [](double center, double length, double window) {
    if (length <= window) return length / 2;
    return std::clamp(center, window / 2, length - window / 2);
  };
  center_ = QPointF(inside(center_.x(), picture_.width(), seen.width()),
                    inside(center_.y(), picture_.height(), seen.height()));
}

}  // namespace tessera::gui
