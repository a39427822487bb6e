// One example of a query: a small picture, whether such pictures are wanted, and a cross to take it away.
#pragma once

#include <QFrame>
#include <QPixmap>

#include "browse/search_query.h"

class QLabel;
class QToolButton;

namespace tessera::gui {

class Session;

class ExampleChip : public QFrame {
  Q_OBJECT

 public:
  ExampleChip(Session& session, const Example& example, QWidget* parent = nullptr);

 Q_SIGNALS:
  void signToggled();
  void removed();

 private:
  void loadPicture(Session& session, const Example& example);

  QLabel* picture_ = nullptr;
};

}  // namespace tessera::gui
