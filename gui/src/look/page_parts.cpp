// Small pieces that the pages of this folder are put together from.
#include "look/page_parts.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QToolButton>

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

}  // namespace tessera::gui
