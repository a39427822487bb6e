// One picture that can be zoomed, moved and turned, with a region drawn on it and an overlay over it.
#pragma once

#include <QImage>
#include <QWidget>
#include <functional>
#include <memory>
#include <vector>

#include "look/display_picture.h"
#include "look/region_selection.h"
#include "look/view_geometry.h"

namespace tessera::gui {

// A map laid over a part of the picture: what is 0 is darkened, what is 1 is left as it is.
struct PictureOverlay {
  int columns = 0;
  int rows = 0;
  std::vector<float> values;   // in [0, 1], row by row
  QRectF part = {0, 0, 1, 1};  // fractions of the picture
};

// Thread rule: GUI thread; it paints what it is given and loads nothing.
class PictureView : public QWidget {
  Q_OBJECT

 public:
  explicit PictureView(QWidget* parent = nullptr);

  // `size` of the picture in full; known before it is decoded, so that the view need not jump.
  void setPicture(std::shared_ptr<const DisplayPicture> picture, const QSize& size);
  void setText(const QString& text, bool problem = false);  // instead of a picture
  const std::shared_ptr<const DisplayPicture>& picture() const { return picture_; }
  bool showsProblem() const { return problem_; }
  // The decoded picture has fewer pixels than are wanted at this zoom.
  bool needsDetail() const;
  int shortSideForFit() const;  // pixels that fitting the picture takes, for the decoder

  const ViewGeometry& geometryOfView() const { return geometry_; }
  ViewState viewState() const { return geometry_.state(); }
  void setViewState(const ViewState& state);  // does not emit viewChanged()
  void setFit();
  void zoomTo(double zoom);  // around the middle
  void zoomAt(double zoom, const QPointF& anchor);
  void zoomStep(int steps);
  void toggleFullSize();  // between 100 % and fit, at the mouse if it is over the view
  void turn(int quarters);

  // Paints over everything else, in coordinates of the view.
  void setDecorator(std::function<void(QPainter&)> decorator) { decorator_ = std::move(decorator); }

  void setOverlay(PictureOverlay overlay);  // empty = none
  void setMarkedTile(int tile);             // of the overlay, -1 = none
  int tileAt(const QPointF& point) const;   // of the overlay, view coordinates

  // While it is on, dragging draws a region, arrows move it and Enter takes it.
  void setRegionMode(bool on);
  bool regionMode() const { return region_mode_; }
  RegionSelection& region() { return region_; }

  QSize sizeHint() const override { return {640, 480}; }
  QSize minimumSizeHint() const override { return {120, 90}; }

 Q_SIGNALS:
  void viewChanged();  // by the user
  void detailWanted();
  void regionChanged();
  void regionTaken(const QRectF& fraction);
  void regionModeChanged(bool on);
  void hovered(const QPointF& point);  // view coordinates
  void doubleClicked();

 protected:
  bool event(QEvent* event) override;
  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void wheelEvent(QWheelEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void mouseDoubleClickEvent(QMouseEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void leaveEvent(QEvent* event) override;

 private:
  void changed();
  bool regionKey(QKeyEvent* event);
  double gripReach() const;  // pixels of the picture
  QRectF tileRect(int tile) const;
  void paintPicture(QPainter& painter) const;
  void paintOverlay(QPainter& painter) const;
  void paintRegion(QPainter& painter) const;

  std::shared_ptr<const DisplayPicture> picture_;
  ViewGeometry geometry_;
  std::function<void(QPainter&)> decorator_;
  QString text_;
  bool problem_ = false;
  PictureOverlay overlay_;
  QImage overlay_image_;
  int marked_tile_ = -1;
  RegionSelection region_;
  bool region_mode_ = false;
  bool panning_ = false;
  QPointF last_;
};

}  // namespace tessera::gui
