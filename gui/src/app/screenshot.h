// Paints one page to a picture file once everything on it is there, for documents and checks.
#pragma once

#include <QElapsedTimer>
#include <QObject>
#include <QString>
#include <QTimer>

namespace tessera::gui {

class MainWindow;

// Thread rule: GUI thread.
class Screenshot : public QObject {
  Q_OBJECT

 public:
  Screenshot(MainWindow& window, const QString& file, QObject* parent = nullptr);
  void start();

 Q_SIGNALS:
  void finished(const QString& problem);  // empty = the file is written

 private:
  void look();
  bool ready() const;

  MainWindow& window_;
  QString file_;
  QTimer timer_;
  QElapsedTimer waiting_;
  int calm_ = 0;  // how often in a row everything was ready
};

}  // namespace tessera::gui
