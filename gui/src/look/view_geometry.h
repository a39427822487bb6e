// How a picture lies in a view: centre, zoom and turn, and what follows from them. Without widgets.
#pragma once

#include <QPointF>
#include <QRectF>
#include <QSizeF>
#include <QTransform>

namespace tessera::gui {

// What views that move together share: the same part of pictures of any size.
struct ViewState {
  bool fit = true;
  double relative_zoom = 1;     // times the zoom at which the whole picture fits
  QPointF center = {0.5, 0.5};  // fractions of the picture
  friend bool operator==(const ViewState&, const ViewState&) = default;
};

// Picture coordinates are pixels of the upright picture in full. A zoom of 1 shows one of them as one pixel of the
// screen; view coordinates are Qt's, of which a screen pixel is 1 / pixel_ratio.
class ViewGeometry {
 public:
  static constexpr double kMostZoom = 32;
  static constexpr double kMostFit = 3;

  void setPicture(const QSizeF& size);  // keeps state()
  void setView(const QSizeF& size, double pixel_ratio);
  const QSizeF& picture() const { return picture_; }

  bool fits() const { return fit_; }
  double zoom() const { return fit_ ? fitZoom() : zoom_; }
  double fitZoom() const;               // the whole picture is seen; a small one is enlarged, up to kMostFit
  int turns() const { return turns_; }  // quarters, clockwise, 0..3

  void setFit();
  // The point of the picture under `anchor` (view coordinates) stays where it is, unless an edge of the picture would
  // leave a gap.
  void setZoom(double zoom, const QPointF& anchor);
  void pan(const QPointF& delta);  // view coordinates: the picture follows the hand
  void turn(int quarters);
  void setCenter(const QPointF& point);  // picture coordinates

  ViewState state() const;
  void setState(const ViewState& state);

  QTransform toView() const;
  QPointF toView(const QPointF& point) const { return toView().map(point); }
  QPointF toPicture(const QPointF& point) const { return toView().inverted().map(point); }
  QRectF visible() const;  // of the picture

 private:
  QSizeF turned() const;
  void keepInside();

  QSizeF picture_;
  QSizeF view_;
  double pixel_ratio_ = 1;
  bool fit_ = true;
  double zoom_ = 1;
  int turns_ = 0;
  QPointF center_;
};

}  // namespace tessera::gui
