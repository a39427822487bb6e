// One picture that can be zoomed, moved and turned.
#include "look/picture_view.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QWheelEvent>
#include <algorithm>
#include <cmath>

namespace tessera::gui {
namespace {

constexpr double kStep = 1.25;       // of one turn of the wheel
constexpr double kWheelNotch = 120;  // eighths of a degree
constexpr double kPanStep = 80;      // of one key press
constexpr int kGripReach = 7;
constexpr double kOverlayDark = 0.82;

}  // namespace

PictureView::PictureView(QWidget* parent) : QWidget(parent) {
  setFocusPolicy(Qt::StrongFocus);
  setMouseTracking(true);
  setAccessibleName(tr("Picture"));
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
}

void PictureView::setPicture(std::shared_ptr<const DisplayPicture> picture, const QSize& size) {
  const QSizeF full = picture ? picture->size : size;
  picture_ = std::move(picture);
  text_.clear();
  problem_ = false;
  if (full != geometry_.picture()) {
    geometry_.setPicture(full);
    region_.setPicture(full);
  }
  update();
}

void PictureView::setText(const QString& text, bool problem) {
  picture_.reset();
  text_ = text;
  problem_ = problem;
  setAccessibleDescription(text);
  update();
}

bool PictureView::needsDetail() const {
  return picture_ && picture_->reduced && geometry_.zoom() * picture_->size.width() > picture_->levels[0].width();
}

int PictureView::shortSideForFit() const {
  const QSizeF size = geometry_.picture();
  const double shorter = std::min(size.width(), size.height());
  // At least that of a small window, so that a view which is not laid out yet asks for something useful.
  return static_cast<int>(std::ceil(std::max(shorter * geometry_.fitZoom(), 480.0)));
}

void PictureView::changed() {
  update();
  if (needsDetail()) Q_EMIT detailWanted();
}

void PictureView::setViewState(const ViewState& state) {
  geometry_.setState(state);
  changed();
}

void PictureView::setFit() {
  geometry_.setFit();
  changed();
  Q_EMIT viewChanged();
}

void PictureView::zoomTo(double zoom) { zoomAt(zoom, QRectF(rect()).center()); }

void PictureView::zoomAt(double zoom, const QPointF& anchor) {
  geometry_.setZoom(zoom, anchor);
  changed();
  Q_EMIT viewChanged();
}

void PictureView::zoomStep(int steps) { zoomTo(geometry_.zoom() * std::pow(kStep, steps)); }

void PictureView::toggleFullSize() {
  constexpr double kFull = 1.0;
  if (!geometry_.fits() && geometry_.zoom() == kFull) {
    setFit();
    return;
  }
  const QPointF mouse = mapFromGlobal(QCursor::pos());
  zoomAt(kFull, underMouse() && rect().contains(mouse.toPoint()) ? mouse : QRectF(rect()).center());
}

void PictureView::turn(int quarters) {
  geometry_.turn(quarters);
  changed();
  Q_EMIT viewChanged();
}

void PictureView::setOverlay(PictureOverlay overlay) {
  overlay_ = std::move(overlay);
  marked_tile_ = -1;
  overlay_image_ = {};
  if (!overlay_.values.empty()) {
    overlay_image_ = QImage(overlay_.columns, overlay_.rows, QImage::Format_ARGB32_Premultiplied);
    for (int y = 0; y < overlay_.rows; ++y) {
      for (int x = 0; x < overlay_.columns; ++x) {
        const double value = overlay_.values[static_cast<std::size_t>(y * overlay_.columns + x)];
        const double dark = kOverlayDark * (1 - std::clamp(value, 0.0, 1.0));
        overlay_image_.setPixel(x, y, qRgba(0, 0, 0, static_cast<int>(std::lround(255 * dark))));
      }
    }
  }
  update();
}

void PictureView::setMarkedTile(int tile) {
  if (tile == marked_tile_) return;
  marked_tile_ = tile;
  update();
}

QRectF PictureView::tileRect(int tile) const {
  const QSizeF size = geometry_.picture();
  const double width = overlay_.part.width() * size.width() / overlay_.columns;
  const double height = overlay_.part.height() * size.height() / overlay_.rows;
  return {overlay_.part.x() * size.width() + tile % overlay_.columns * width,
          overlay_.part.y() * size.height() + tile / overlay_.columns * height, width, height};
}

int PictureView::tileAt(const QPointF& point) const {
  if (overlay_.values.empty()) return -1;
  const QPointF at = geometry_.toPicture(point);
  for (int tile = 0; tile < overlay_.columns * overlay_.rows; ++tile) {
    if (tileRect(tile).contains(at)) return tile;
  }
  return -1;
}

void PictureView::setRegionMode(bool on) {
  if (region_mode_ == on) return;
  region_mode_ = on;
  if (on) {
    setFocus();
  } else {
    region_.clear();
    setCursor(Qt::ArrowCursor);
  }
  update();
  Q_EMIT regionModeChanged(on);
  Q_EMIT regionChanged();
}

double PictureView::gripReach() const { return kGripReach * devicePixelRatioF() / geometry_.zoom(); }

bool PictureView::event(QEvent* event) {
  // Esc, Enter and arrows belong to the region while one is drawn, not to the shortcuts of the page.
  if (event->type() == QEvent::ShortcutOverride && region_mode_) {
    const int key = static_cast<QKeyEvent*>(event)->key();
    for (const int taken :
         {Qt::Key_Escape, Qt::Key_Return, Qt::Key_Enter, Qt::Key_Left, Qt::Key_Right, Qt::Key_Up, Qt::Key_Down}) {
      if (key == taken) {
        event->accept();
        return true;
      }
    }
  }
  return QWidget::event(event);
}

bool PictureView::regionKey(QKeyEvent* event) {
  const double step = std::max(1.0, std::min(geometry_.picture().width(), geometry_.picture().height()) / 50);
  const bool grow = event->modifiers().testFlag(Qt::ShiftModifier);
  QPointF delta;
  switch (event->key()) {
    case Qt::Key_Escape: setRegionMode(false); return true;
    case Qt::Key_Return:
    case Qt::Key_Enter:
      if (!region_.isEmpty()) Q_EMIT regionTaken(region_.fraction());
      return true;
    case Qt::Key_Left: delta = {-step, 0}; break;
    case Qt::Key_Right: delta = {step, 0}; break;
    case Qt::Key_Up: delta = {0, -step}; break;
    case Qt::Key_Down: delta = {0, step}; break;
    default: return false;
  }
  if (region_.isEmpty()) {  // the middle, for those who draw by keys
    const QSizeF size = geometry_.picture();
    region_.setRect({size.width() / 4, size.height() / 4, size.width() / 2, size.height() / 2});
  } else {
    region_.nudge(delta, grow);
  }
  update();
  Q_EMIT regionChanged();
  return true;
}

void PictureView::keyPressEvent(QKeyEvent* event) {
  if (region_mode_ && regionKey(event)) return;
  QPointF delta;
  if (event->modifiers().testFlag(Qt::ShiftModifier)) {
    switch (event->key()) {
      case Qt::Key_Left: delta = {kPanStep, 0}; break;
      case Qt::Key_Right: delta = {-kPanStep, 0}; break;
      case Qt::Key_Up: delta = {0, kPanStep}; break;
      case Qt::Key_Down: delta = {0, -kPanStep}; break;
      default: break;
    }
  }
  if (delta.isNull()) {
    QWidget::keyPressEvent(event);
    return;
  }
  geometry_.pan(delta);
  changed();
  Q_EMIT viewChanged();
}

void PictureView::resizeEvent(QResizeEvent* event) {
  geometry_.setView(size(), devicePixelRatioF());
  QWidget::resizeEvent(event);
  changed();
}

void PictureView::wheelEvent(QWheelEvent* event) {
  if (geometry_.picture().isEmpty()) return;
  const double zoom = geometry_.zoom() * std::pow(kStep, event->angleDelta().y() / kWheelNotch);
  if (event->angleDelta().y() < 0 && zoom <= geometry_.fitZoom()) {
    setFit();
  } else {
    zoomAt(zoom, event->position());
  }
  event->accept();
}

void PictureView::mousePressEvent(QMouseEvent* event) {
  setFocus();
  last_ = event->position();
  if (region_mode_ && event->button() == Qt::LeftButton) {
    region_.press(geometry_.toPicture(event->position()), gripReach());
  } else if (event->button() == Qt::LeftButton || event->button() == Qt::MiddleButton) {
    panning_ = true;
    setCursor(Qt::ClosedHandCursor);
  }
}

void PictureView::mouseMoveEvent(QMouseEvent* event) {
  const QPointF delta = event->position() - last_;
  last_ = event->position();
  if (region_.dragging()) {
    region_.drag(geometry_.toPicture(event->position()));
    update();
    Q_EMIT regionChanged();
  } else if (panning_) {
    geometry_.pan(delta);
    changed();
    Q_EMIT viewChanged();
  } else if (region_mode_) {
    setCursor(region_.cursorAt(geometry_.toPicture(event->position()), gripReach(), geometry_.turns()));
  }
  Q_EMIT hovered(event->position());
}

void PictureView::mouseReleaseEvent(QMouseEvent*) {
  if (region_.dragging()) {
    region_.release();
    update();
    Q_EMIT regionChanged();
  }
  if (std::exchange(panning_, false)) setCursor(region_mode_ ? Qt::CrossCursor : Qt::ArrowCursor);
}

void PictureView::mouseDoubleClickEvent(QMouseEvent* event) {
  if (!region_mode_ && event->button() == Qt::LeftButton) Q_EMIT doubleClicked();
}

void PictureView::leaveEvent(QEvent*) { Q_EMIT hovered(QPointF(-1, -1)); }

}  // namespace tessera::gui
