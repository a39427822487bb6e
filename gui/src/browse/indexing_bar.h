// The indexing run in the status bar: how far it is, how fast, how long still, pause and cancel.
#pragma once

#include <QWidget>

class QLabel;
class QProgressBar;
class QToolButton;

namespace tessera::gui {

class Session;

class IndexingBar : public QWidget {
  Q_OBJECT

 public:
  explicit IndexingBar(Session& session, QWidget* parent = nullptr);

 private:
  void showState();
  void showProgress();

  Session& session_;
  QLabel* text_ = nullptr;
  QProgressBar* bar_ = nullptr;
  QToolButton* pause_ = nullptr;
  QToolButton* stop_ = nullptr;
};

// "3 min", "2 h 10 min".
QString durationText(double seconds);

}  // namespace tessera::gui
