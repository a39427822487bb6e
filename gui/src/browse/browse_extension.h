// Searching from every page: pictures that are dropped on the window or pasted into it.
#pragma once

#include <QObject>

namespace tessera::gui {

class MainWindow;

void extendForSearching(MainWindow& window);

// Takes drops anywhere on the window that no page takes itself.
class WindowDrops : public QObject {
  Q_OBJECT

 public:
  explicit WindowDrops(MainWindow& window);

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  MainWindow& window_;
};

}  // namespace tessera::gui
