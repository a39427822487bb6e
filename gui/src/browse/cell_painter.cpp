// Paints one cell of a grid.
#include "browse/cell_painter.h"

#include <QCoreApplication>
#include <QFontMetrics>
#include <QPainter>
#include <algorithm>

namespace tessera::gui {
namespace {

constexpr int kPad = 6;

struct Words {
  Q_DECLARE_TR_FUNCTIONS(Words)
};

QFont small(QFont font) {
  font.setPointSizeF(std::max(7.0, font.pointSizeF() * 0.85));
  return font;
}

void paint_pill(QPainter& painter, const QPoint& corner, bool right, const QString& text) {
  const QFontMetrics metrics(painter.font());
  QRect pill(0, 0, metrics.horizontalAdvance(text) + 10, metrics.height() + 2);
  if (right) {
    pill.moveTopRight(corner);
  } else {
    pill.moveTopLeft(corner);
  }
  painter.setPen(Qt::NoPen);
  painter.setBrush(QColor(0, 0, 0, 190));
  painter.drawRoundedRect(pill, 4, 4);
  painter.setPen(Qt::white);
  painter.drawText(pill, Qt::AlignCenter, text);
}

}  // namespace

CellPainter::CellPainter(Thumbnails& thumbnails, const QFont& font, const QPalette& palette)
    : thumbnails_(thumbnails), font_(font), palette_(palette) {}

QSize CellPainter::cellSize(int side, const QFont& font) {
  const int line = QFontMetrics(font).height();
  return {side + 2 * kPad, side + 3 * kPad + 2 * line};
}

CellParts CellPainter::parts(const QRect& cell, int side, const QFont& font) {
  const int line = QFontMetrics(font).height();
  CellParts parts;
  parts.cell = cell;
  parts.picture = {cell.left() + kPad, cell.top() + kPad, side, side};
  parts.name = {cell.left() + kPad, parts.picture.bottom() + 1 + kPad, side, line};
  parts.strip = {cell.left() + kPad, parts.name.bottom() + 1, side, line};
  return parts;
}

void CellPainter::paint(QPainter& painter, const CellParts& parts, const PictureList& list, int item,
                        const CellState& state, int pixels) const {
  const QColor window = palette_.color(QPalette::Window);
  const bool dark = window.lightness() < 128;
  const QColor highlight = palette_.color(state.focused ? QPalette::Active : QPalette::Inactive, QPalette::Highlight);
  painter.setPen(Qt::NoPen);
  QColor back = palette_.color(QPalette::AlternateBase);
  if (state.selected) {
    back = highlight;
    back.setAlphaF(dark ? 0.55F : 0.3F);
  }
  painter.setBrush(back);
  painter.drawRoundedRect(parts.cell, 5, 5);
  if (state.current) {
    painter.setPen(QPen(state.focused ? palette_.color(QPalette::Text) : palette_.color(QPalette::PlaceholderText), 2));
    painter.setBrush(Qt::NoBrush);
    painter.drawRoundedRect(parts.cell.adjusted(1, 1, -1, -1), 5, 5);
  }
  paintPicture(painter, parts, list, item, pixels);
  paintBadges(painter, parts.picture, list.picture(item));
  painter.setFont(font_);
  painter.setPen(palette_.color(QPalette::Text));
  const QFontMetrics metrics(font_);
  const QString name = list.snapshot().nameText(list.row(item));
  painter.drawText(parts.name, Qt::AlignHCenter | Qt::AlignVCenter,
                   metrics.elidedText(name, Qt::ElideMiddle, parts.name.width()));
  if (const SearchHit* hit = list.hit(item)) paintScores(painter, parts.strip, *hit);
}

void CellPainter::paintPicture(QPainter& painter, const CellParts& parts, const PictureList& list, int item,
                               int pixels) const {
  const Picture& picture = list.picture(item);
  const QPixmap pixmap = thumbnails_.findAny(picture.hash, Thumbnails::sizeFor(pixels));
  if (!pixmap.isNull()) {
    // Small pictures are shown at their size, as large as the screen has pixels.
    const double ratio = painter.device()->devicePixelRatioF();
    QSizeF size = QSizeF(pixmap.size()) / ratio;
    const bool shrink = size.width() > parts.picture.width() || size.height() > parts.picture.height();
    const bool grow = std::max(pixmap.width(), pixmap.height()) >= ThumbnailCache::kSizes.front();
    if (shrink || grow) size.scale(QSizeF(parts.picture.size()), Qt::KeepAspectRatio);
    QRectF target(QPointF(), size);
    target.moveCenter(QRectF(parts.picture).center());
    painter.setRenderHint(QPainter::SmoothPixmapTransform);
    painter.drawPixmap(target.toAlignedRect(), pixmap);
    return;
  }
  QString reason;
  if (picture.failed) reason = QString::fromStdString(list.snapshot().error(list.row(item)));
  if (reason.isEmpty()) reason = thumbnails_.problem(picture.hash);
  if (!reason.isEmpty()) {
    const QString path = pathText(list.snapshot().path(list.row(item)));
    reason.replace(path, pathText(list.snapshot().path(list.row(item)).filename()));
    paintProblem(painter, parts.picture, reason);
    return;
  }
  // The shape it will have.
  QSizeF size(picture.width > 0 ? picture.width : 4, picture.height > 0 ? picture.height : 3);
  size.scale(QSizeF(parts.picture.size()), Qt::KeepAspectRatio);
  QRectF target(QPointF(), size);
  target.moveCenter(QRectF(parts.picture).center());
  painter.fillRect(target.toAlignedRect(), palette_.color(QPalette::Midlight));
}

void CellPainter::paintProblem(QPainter& painter, const QRect& rect, const QString& reason) const {
  painter.setPen(QPen(palette_.color(QPalette::Mid), 1, Qt::DashLine));
  painter.setBrush(Qt::NoBrush);
  painter.drawRect(rect.adjusted(0, 0, -1, -1));
  QFont bold = font_;
  bold.setBold(true);
  painter.setFont(bold);
  painter.setPen(palette_.color(QPalette::Text));
  QRect text = rect.adjusted(8, 8, -8, -8);
  const QString title = Words::tr("Cannot be shown");
  painter.drawText(text, Qt::AlignHCenter | Qt::AlignTop | Qt::TextWordWrap, title);
  text.setTop(text.top() + QFontMetrics(bold).boundingRect(text, Qt::TextWordWrap, title).height() + 4);
  painter.setFont(small(font_));
  painter.setPen(palette_.color(QPalette::PlaceholderText));
  painter.save();
  painter.setClipRect(text);
  painter.drawText(text, Qt::AlignHCenter | Qt::AlignTop | Qt::TextWordWrap | Qt::TextWrapAnywhere, reason);
  painter.restore();
}

void CellPainter::paintBadges(QPainter& painter, const QRect& rect, const Picture& picture) const {
  painter.setFont(small(font_));
  if (picture.state == FileState::kOffline) paint_pill(painter, rect.topLeft(), false, Words::tr("offline"));
  if (picture.state == FileState::kMissing) paint_pill(painter, rect.topLeft(), false, Words::tr("missing"));
  if (picture.files > 1) paint_pill(painter, rect.topRight(), true, QStringLiteral("\u00d7%1").arg(picture.files));
}

// The number, then two bars one above the other: the whole picture and the composition.
void CellPainter::paintScores(QPainter& painter, const QRect& strip, const SearchHit& hit) const {
  const QFont font = small(font_);
  const QFontMetrics metrics(font);
  painter.setFont(font);
  painter.setPen(palette_.color(QPalette::Text));
  const QString text = QString::number(double(hit.score), 'f', 3);
  painter.drawText(strip, Qt::AlignLeft | Qt::AlignVCenter, text);
  const int left = strip.left() + metrics.horizontalAdvance(QStringLiteral("-0.000")) + 6;
  const int width = strip.right() - left;
  if (width < 8) return;
  const auto bar = [&](int y, float score, const QColor& color) {
    painter.fillRect(QRect(left, y, width, 4), palette_.color(QPalette::Mid));
    const int length = static_cast<int>(double(width) * std::clamp(double(score), 0.0, 1.0) + 0.5);
    painter.fillRect(QRect(left, y, length, 4), color);
  };
  const int middle = strip.center().y();
  bar(middle - 5, hit.coarse_score, QColor(0xff3b9dff));
  bar(middle + 2, hit.rerank_score, QColor(0xffe0902a));
}

}  // namespace tessera::gui
