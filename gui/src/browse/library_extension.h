// Opening libraries and reading photo folders: menu, first run, and what is wrong with a library.
#pragma once

#include <QElapsedTimer>
#include <QObject>
#include <QTimer>
#include <filesystem>

#include "jobs/job_runner.h"
#include "tessera/indexer/ingest.h"

class QAction;
class QLabel;
class QToolButton;

namespace tessera::gui {

class MainWindow;
class WelcomePage;

// Lives as long as the window. Thread rule: GUI thread.
class LibraryControl : public QObject {
  Q_OBJECT

 public:
  explicit LibraryControl(MainWindow& window);
  static LibraryControl* of(const MainWindow& window);

  // Reads a folder into the open library, or into the user's own one, which is made if need be.
  void addFolder(const std::filesystem::path& folder);
  void update();       // looks for what is new in all folders
  void changeModel();  // encodes all pictures again
  // The library to start with: the one given, else that of the last time; the welcome page if there is none.
  void start(const std::filesystem::path& asked);

 private:
  void addMenu();
  void chooseFolder();
  void chooseLibrary();
  void opened();
  void loaded();
  void failed(const JobError& error);
  void finished(const IngestReport& report);
  void checkModel();
  void showNotice(const QString& text, const QString& button);

  MainWindow& window_;
  WelcomePage* welcome_ = nullptr;
  QWidget* notice_ = nullptr;
  QLabel* notice_text_ = nullptr;
  QToolButton* notice_button_ = nullptr;
  QAction* add_ = nullptr;
  QAction* update_ = nullptr;
  QTimer refresh_;  // while a run goes on
};

}  // namespace tessera::gui
