// Flag, stars, colour label and tags over a cell of a grid.
#include "curate/marks_painter.h"

#include <QCoreApplication>
#include <QFontMetrics>
#include <QPainter>
#include <QPixmap>
#include <algorithm>

namespace tessera::gui {
namespace {

struct Words {
  Q_DECLARE_TR_FUNCTIONS(Words)
};

constexpr QRgb kColors[] = {0x00000000, 0xffe0564a, 0xffe8c23c, 0xff5fb760, 0xff4a90e2, 0xffa868d0};

QString marks_text(const ShownMarks& shown) {
  QStringList parts;
  if (shown.marks.flag == Flag::kPick) parts.append(QString(QChar(0x2714)));
  if (shown.marks.flag == Flag::kReject) parts.append(QString(QChar(0x2718)));
  if (shown.marks.rating > 0) parts.append(QString(shown.marks.rating, QChar(0x2605)));
  if (!shown.tags.empty()) parts.append(QStringLiteral("#%1").arg(shown.tags.size()));
  return parts.join(QStringLiteral("  "));
}

}  // namespace

QString labelText(ColorLabel label) {
  switch (label) {
    case ColorLabel::kNone: return Words::tr("No label");
    case ColorLabel::kRed: return Words::tr("Red");
    case ColorLabel::kYellow: return Words::tr("Yellow");
    case ColorLabel::kGreen: return Words::tr("Green");
    case ColorLabel::kBlue: return Words::tr("Blue");
    case ColorLabel::kPurple: return Words::tr("Purple");
  }
  return {};
}

QString marksWords(const Marks& marks) {
  QStringList parts;
  if (marks.flag == Flag::kPick) parts.append(Words::tr("Pick"));
  if (marks.flag == Flag::kReject) parts.append(Words::tr("Reject"));
  if (marks.rating > 0) parts.append(QString(marks.rating, QChar(0x2605)));
  if (marks.label != ColorLabel::kNone) parts.append(labelText(marks.label));
  return parts.join(QStringLiteral(", "));
}

QColor labelColor(ColorLabel label) { return QColor::fromRgba(kColors[static_cast<std::size_t>(label)]); }

QIcon labelIcon(ColorLabel label) {
  if (label == ColorLabel::kNone) return {};
  QPixmap pixmap(16, 16);
  pixmap.fill(Qt::transparent);
  QPainter painter(&pixmap);
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setPen(Qt::NoPen);
  painter.setBrush(labelColor(label));
  painter.drawRoundedRect(QRect(2, 2, 12, 12), 3, 3);
  return pixmap;
}

void paintMarks(QPainter& painter, const CellParts& parts, const ShownMarks& shown) {
  const Marks& marks = shown.marks;
  if (marks == Marks{} && shown.tags.empty()) return;
  painter.save();
  painter.setRenderHint(QPainter::Antialiasing);
  if (marks.flag == Flag::kReject) painter.fillRect(parts.picture, QColor(20, 20, 20, 150));
  const QFontMetrics metrics(painter.font());
  const QString text = marks_text(shown);
  // The letter tells the label to those who do not see its colour.
  const QString letter = marks.label == ColorLabel::kNone ? QString() : labelText(marks.label).left(1);
  const int height = metrics.height() + 2;
  const int text_width = text.isEmpty() ? 0 : metrics.horizontalAdvance(text) + 12;
  const int label_width = letter.isEmpty() ? 0 : std::max(height, metrics.horizontalAdvance(letter) + 10);
  QRect pill(parts.picture.left(), parts.picture.bottom() - height + 1,
             std::min(text_width + label_width, parts.picture.width()), height);
  painter.setPen(Qt::NoPen);
  painter.setBrush(QColor(0, 0, 0, 190));
  painter.drawRoundedRect(pill, 4, 4);
  if (!letter.isEmpty()) {
    const QRect square(pill.left(), pill.top(), label_width, height);
    painter.setBrush(labelColor(marks.label));
    painter.drawRoundedRect(square, 4, 4);
    painter.setPen(marks.label == ColorLabel::kYellow || marks.label == ColorLabel::kGreen ? Qt::black : Qt::white);
    painter.drawText(square, Qt::AlignCenter, letter);
    pill.setLeft(square.right() + 1);
  }
  painter.setPen(Qt::white);
  painter.drawText(pill, Qt::AlignCenter, text);
  painter.restore();
}

}  // namespace tessera::gui
