// Small pieces that the pages of this folder are put together from.
#include "look/page_parts.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPainter>
#include <QToolButton>

#include "browse/cell_painter.h"

namespace tessera::gui {

QAction* makeAction(QObject* parent, const QString& text, const QList<QKeySequence>& keys,
                    const std::function<void()>& call) {
  auto* action = new QAction(text, parent);
  action->setShortcuts(keys);
  QObject::connect(action, &QAction::triggered, parent, call);
  return action;
}

QToolButton* addButton(QHBoxLayout* bar, QAction* action, const QString& sign) {
  auto* button = new QToolButton;
  button->setDefaultAction(action);
  button->setText(sign);
  button->setAutoRaise(true);
  button->setAccessibleName(action->text());
  // The action sets its own text again whenever it changes, e.g. when it is disabled.
  QObject::connect(action, &QAction::changed, button, [button, sign] { button->setText(sign); });
  bar->addWidget(button);
  return button;
}

QLabel* makeLine(QWidget* parent) {
  auto* label = new QLabel(parent);
  label->setTextFormat(Qt::PlainText);
  label->setMinimumWidth(1);
  label->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
  return label;
}

QRect marksPlace(const QWidget& view) {
  constexpr int kMargin = 10;
  const int height = view.fontMetrics().height() + 2;
  return {kMargin, view.height() - kMargin - height, view.width() - 2 * kMargin, height};
}

void paintMarksOf(QPainter& painter, Session& session, const QRect& place, ImageId id) {
  const LibrarySnapshot& snapshot = *session.library().snapshot();
  const auto row = snapshot.find(id);
  if (!row) return;
  CellParts parts;
  parts.cell = place;
  parts.picture = place;
  for (const CellDecorator& decorator : session.cellDecorators()) decorator(painter, parts, snapshot[*row]);
}

}  // namespace tessera::gui
