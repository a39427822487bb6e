// How a picture view paints: the picture at the level that suits the zoom, overlay, region, texts.
#include <QPainter>
#include <QPainterPath>
#include <algorithm>
#include <cmath>

#include "look/picture_view.h"

namespace tessera::gui {
namespace {

constexpr double kSharpFrom = 2.0;  // from here on pixels are squares
constexpr int kHandle = 8;

}  // namespace

void PictureView::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.fillRect(
      rect(),
      palette().color(QPalette::Window).darker(palette().color(QPalette::Window).lightness() < 128 ? 140 : 108));
  if (picture_) {
    paintPicture(painter);
    if (!overlay_image_.isNull()) paintOverlay(painter);
    if (!region_.isEmpty()) paintRegion(painter);
  } else {
    QRect box = rect().adjusted(24, 24, -24, -24);
    painter.setPen(palette().color(problem_ ? QPalette::WindowText : QPalette::PlaceholderText));
    const QString text = problem_ ? tr("This picture cannot be shown.") + QStringLiteral("\n\n") + text_ : text_;
    painter.drawText(box, Qt::AlignCenter | Qt::TextWordWrap, text);
  }
  if (decorator_) decorator_(painter);
  if (hasFocus() && property("framed").toBool()) {
    painter.setPen(QPen(palette().color(QPalette::Highlight), 2));
    painter.drawRect(rect().adjusted(1, 1, -1, -1));
  }
}

// Only what is seen is drawn, from the smallest level that is large enough.
void PictureView::paintPicture(QPainter& painter) const {
  const QImage& level = picture_->levelFor(geometry_.zoom());
  const double scale_x = double(level.width()) / picture_->size.width();
  const double scale_y = double(level.height()) / picture_->size.height();
  const QRectF visible = geometry_.visible();
  // Whole pixels of the level, with one more around for the filter.
  const QRect source =
      QRectF(visible.x() * scale_x, visible.y() * scale_y, visible.width() * scale_x, visible.height() * scale_y)
          .toAlignedRect()
          .adjusted(-1, -1, 1, 1)
          .intersected(level.rect());
  const QRectF target(source.x() / scale_x, source.y() / scale_y, source.width() / scale_x, source.height() / scale_y);
  painter.save();
  painter.setTransform(geometry_.toView(), true);
  painter.setRenderHint(QPainter::SmoothPixmapTransform, geometry_.zoom() < kSharpFrom || picture_->reduced);
  painter.drawImage(target, level, source);
  painter.restore();
}

void PictureView::paintOverlay(QPainter& painter) const {
  const QSizeF size = geometry_.picture();
  const QRectF part(overlay_.part.x() * size.width(), overlay_.part.y() * size.height(),
                    overlay_.part.width() * size.width(), overlay_.part.height() * size.height());
  painter.save();
  painter.setTransform(geometry_.toView(), true);
  painter.setRenderHint(QPainter::SmoothPixmapTransform);
  painter.drawImage(part, overlay_image_);
  // What the model did not see at all.
  QPainterPath outside;
  outside.addRect(QRectF(QPointF(), size));
  QPainterPath inside;
  inside.addRect(part);
  painter.fillPath(outside.subtracted(inside), QColor(0, 0, 0, 210));
  if (marked_tile_ >= 0) {
    QPen pen(QColor(255, 176, 0), 3);
    pen.setCosmetic(true);
    painter.setPen(pen);
    painter.setBrush(Qt::NoBrush);
    painter.drawRect(tileRect(marked_tile_));
  }
  painter.restore();
}

void PictureView::paintRegion(QPainter& painter) const {
  const QTransform to_view = geometry_.toView();
  const QRectF region = to_view.mapRect(region_.rect());
  QPainterPath outside;
  outside.addRect(to_view.mapRect(QRectF(QPointF(), geometry_.picture())));
  QPainterPath inside;
  inside.addRect(region);
  painter.fillPath(outside.subtracted(inside), QColor(0, 0, 0, 130));
  painter.setPen(QPen(Qt::black, 3));
  painter.drawRect(region);
  painter.setPen(QPen(Qt::white, 1));
  painter.drawRect(region);
  painter.setBrush(Qt::white);
  painter.setPen(QPen(Qt::black, 1));
  for (const double x : {region.left(), region.center().x(), region.right()}) {
    for (const double y : {region.top(), region.center().y(), region.bottom()}) {
      if (x == region.center().x() && y == region.center().y()) continue;
      painter.drawRect(QRectF(x - kHandle / 2.0, y - kHandle / 2.0, kHandle, kHandle));
    }
  }
}

}  // namespace tessera::gui
