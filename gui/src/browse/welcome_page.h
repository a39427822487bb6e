// What a new user sees: one button that chooses a photo folder, and the libraries of before.
#pragma once

#include "app/page.h"

class QLabel;
class QPushButton;
class QVBoxLayout;

namespace tessera::gui {

class WelcomePage : public Page {
  Q_OBJECT

 public:
  explicit WelcomePage(Session& session, QWidget* parent = nullptr);

  bool standsAlone() const override { return true; }

  void showProblem(const QString& text);  // why a library could not be opened; empty = none
  void showRecent();

 Q_SIGNALS:
  void folderWanted();
  void libraryWanted();
  void recentWanted(const QString& library);

 private:
  QLabel* problem_ = nullptr;
  QPushButton* choose_ = nullptr;
  QVBoxLayout* recent_ = nullptr;
};

}  // namespace tessera::gui
