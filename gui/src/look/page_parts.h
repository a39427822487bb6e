// Small pieces that the pages of this folder are put together from.
#pragma once

#include <QAction>
#include <QList>
#include <QRect>
#include <QString>
#include <functional>

#include "app/session.h"

class QHBoxLayout;
class QLabel;
class QToolButton;
class QPainter;
class QWidget;

namespace tessera::gui {

// An action of a page: its shortcuts work while the page is shown.
QAction* makeAction(QObject* parent, const QString& text, const QList<QKeySequence>& keys,
                    const std::function<void()>& call);
// A button for the bar below a picture, with a sign instead of the action's text.
QToolButton* addButton(QHBoxLayout* bar, QAction* action, const QString& sign);

// A label of one line that is cut rather than making the window wide.
QLabel* makeLine(QWidget* parent);

// Where the marks of a picture are painted in a view: along its lower edge.
QRect marksPlace(const QWidget& view);
// What the session's decorators paint over a picture that lies in `place`.
void paintMarksOf(QPainter& painter, Session& session, const QRect& place, ImageId id);

}  // namespace tessera::gui
