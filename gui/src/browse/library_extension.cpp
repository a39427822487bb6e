// Opening libraries and reading photo folders.
#include "browse/library_extension.h"

#include <QAction>
#include <QFile>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QLabel>
#include <QLocale>
#include <QMenu>
#include <QStandardPaths>
#include <QStatusBar>
#include <QToolBar>
#include <QToolButton>

#include "app/main_window.h"
#include "browse/indexing_bar.h"
#include "browse/library_files.h"
#include "browse/welcome_page.h"

namespace tessera::gui {
namespace {

constexpr int kRefreshMs = 2000;  // how often new pictures appear during a run, at most

std::filesystem::path chosen_path(const QString& text) { return QFile::encodeName(text).toStdString(); }

}  // namespace

LibraryControl* LibraryControl::of(const MainWindow& window) {
  return window.findChild<LibraryControl*>(QString(), Qt::FindDirectChildrenOnly);
}

LibraryControl::LibraryControl(MainWindow& window)
    : QObject(&window), window_(window), welcome_(qobject_cast<WelcomePage*>(window.page(QStringLiteral("welcome")))) {
  addMenu();
  auto* bar = new QToolBar(tr("Notice"), &window);
  bar->setObjectName(QStringLiteral("notice"));
  bar->setMovable(false);
  notice_ = bar;
  notice_text_ = new QLabel(bar);
  notice_text_->setWordWrap(true);
  notice_text_->setMargin(6);
  notice_text_->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
  notice_button_ = new QToolButton(bar);
  bar->addWidget(notice_text_);
  bar->addWidget(notice_button_);
  window.addToolBarBreak();
  window.addToolBar(bar);
  bar->hide();
  window.statusBar()->addPermanentWidget(new IndexingBar(window.session()));
  Session& session = window.session();
  connect(notice_button_, &QToolButton::clicked, this, &LibraryControl::changeModel);
  connect(welcome_, &WelcomePage::folderWanted, this, &LibraryControl::chooseFolder);
  connect(welcome_, &WelcomePage::libraryWanted, this, &LibraryControl::chooseLibrary);
  connect(welcome_, &WelcomePage::recentWanted, this,
          [&session](const QString& library) { session.openLibrary(chosen_path(library)); });
  connect(&session, &Session::libraryOpened, this, &LibraryControl::opened);
  connect(&session, &Session::libraryFailed, this, &LibraryControl::failed);
  connect(&session.library(), &LibraryModel::changed, this, &LibraryControl::loaded);
  Indexing& indexing = session.indexing();
  connect(&indexing, &Indexing::opened, this, [&session](const std::filesystem::path& library) {
    if (session.libraryDir() != library) session.openLibrary(library);
  });
  connect(&indexing, &Indexing::finished, this, &LibraryControl::finished);
  connect(&indexing, &Indexing::failed, this, [this](const JobError& error) {
    showNotice(tr("Reading the pictures stopped: %1").arg(error.message), {});
    if (window_.session().libraryDir().empty()) welcome_->showProblem(error.message);
  });
  refresh_.setInterval(kRefreshMs);
  connect(&refresh_, &QTimer::timeout, &session.library(), &LibraryModel::refreshIfChanged);
  connect(&indexing, &Indexing::stateChanged, this, [this, &indexing] {
    const bool runs = indexing.state() == Indexing::State::kRunning;
    runs ? refresh_.start() : refresh_.stop();
    update_->setEnabled(!runs && !window_.session().libraryDir().empty());
    add_->setEnabled(!runs);
  });
}

void LibraryControl::addMenu() {
  QMenu* menu = window_.menu(MainWindow::Menu::kFile);
  QAction* before = menu->actions().value(0);  // Quit stays last
  add_ = new QAction(tr("&Add a photo folder..."), this);
  add_->setShortcut(QKeySequence::New);
  connect(add_, &QAction::triggered, this, &LibraryControl::chooseFolder);
  update_ = new QAction(tr("&Look for new pictures"), this);
  update_->setShortcut(QKeySequence::Refresh);
  update_->setEnabled(false);
  connect(update_, &QAction::triggered, this, &LibraryControl::update);
  auto* open = new QAction(tr("&Open a library..."), this);
  open->setShortcut(QKeySequence::Open);
  connect(open, &QAction::triggered, this, &LibraryControl::chooseLibrary);
  for (QAction* action : {add_, update_, open}) menu->insertAction(before, action);
  menu->insertSeparator(before);
}

void LibraryControl::chooseFolder() {
  auto* dialog = new QFileDialog(&window_, tr("Choose a photo folder"),
                                 QStandardPaths::writableLocation(QStandardPaths::PicturesLocation));
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->setFileMode(QFileDialog::Directory);
  connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& folder) { addFolder(chosen_path(folder)); });
  dialog->open();
}

void LibraryControl::chooseLibrary() {
  auto* dialog = new QFileDialog(&window_, tr("Open a library: the folder that holds catalog.sqlite"));
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->setFileMode(QFileDialog::Directory);
  dialog->setFilter(QDir::AllDirs | QDir::Hidden | QDir::NoDotAndDotDot);
  connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& folder) {
    std::filesystem::path dir = chosen_path(folder);
    if (!isLibrary(dir) && isLibrary(dir / ".tessera")) dir /= ".tessera";
    window_.session().openLibrary(dir);
  });
  dialog->open();
}

void LibraryControl::addFolder(const std::filesystem::path& folder) {
  Session& session = window_.session();
  welcome_->showProblem({});
  const std::filesystem::path open = session.libraryDir();
  session.indexing().start({open.empty() ? resolve_library_dir({}) : open, {folder}, false}, session.encoders());
}

void LibraryControl::update() {
  Session& session = window_.session();
  if (!session.libraryDir().empty()) session.indexing().start({session.libraryDir(), {}, false}, session.encoders());
}

void LibraryControl::changeModel() {
  Session& session = window_.session();
  notice_->hide();
  session.indexing().start({session.libraryDir(), {}, true}, session.encoders());
}

void LibraryControl::start(const std::filesystem::path& asked) {
  const auto dir = asked.empty() ? startLibrary() : std::optional(asked);
  if (dir) {
    window_.session().openLibrary(*dir);
  } else {
    window_.showPage(QStringLiteral("welcome"));
  }
}

void LibraryControl::opened() {
  const std::filesystem::path& dir = window_.session().libraryDir();
  notice_->hide();
  welcome_->showProblem({});
  update_->setEnabled(!dir.empty());
  window_.setWindowTitle(dir.empty() ? tr("Tessera") : tr("%1 - Tessera").arg(pathText(dir)));
  if (!dir.empty() && window_.currentPage() == welcome_) window_.showPage(QStringLiteral("grid"));
  if (!dir.empty()) checkModel();
}

void LibraryControl::loaded() {
  const LibraryModel& library = window_.session().library();
  if (!library.loaded()) return;
  rememberLibrary(window_.session().libraryDir());
  add_->setEnabled(!library.readOnly());
  if (library.readOnly()) {
    update_->setEnabled(false);
    window_.setWindowTitle(tr("%1 (read-only) - Tessera").arg(pathText(window_.session().libraryDir())));
  }
}

void LibraryControl::failed(const JobError& error) {
  if (window_.session().library().loaded()) {
    showNotice(error.message, {});  // what was read before can still be looked at
    return;
  }
  welcome_->showProblem(error.message);
  welcome_->showRecent();
  window_.session().closeLibrary();
  welcome_->showProblem(error.message);
  window_.showPage(QStringLiteral("welcome"));
}

void LibraryControl::finished(const IngestReport& report) {
  window_.session().library().refresh();
  const QLocale locale;
  QString text = tr("%1 new pictures, %2 unchanged")
                     .arg(locale.toString(qlonglong{report.encoded}), locale.toString(qlonglong{report.unchanged}));
  if (report.missing > 0) text += tr(", %1 missing").arg(locale.toString(qlonglong{report.missing}));
  if (!report.failed.empty()) text += tr(", %1 could not be read").arg(locale.toString(report.failed.size()));
  Q_EMIT window_.session().message(text);
}

// In the background: is the model that made this library there? Without it pictures can be looked at and compared with
// each other, but none can be added or searched for.
void LibraryControl::checkModel() {
  Session& session = window_.session();
  session.jobs().run(
      Lane::kLong, this,
      [make = session.makeEncoder()](JobContext& context) {
        if (const auto wanted = context.library().encoder()) make(*wanted);
      },
      [] {},
      [this](const JobError& error) {
        if (error.code != ErrorCode::kModelMismatch && error.code != ErrorCode::kNotFound) return;
        if (window_.session().indexing().state() != Indexing::State::kIdle) return;
        showNotice(tr("%1. Its pictures can be looked at and compared with each other, but others cannot be searched "
                      "for or added.")
                       .arg(error.message),
                   window_.session().library().readOnly() ? QString() : tr("Read all pictures again"));
      });
}

void LibraryControl::showNotice(const QString& text, const QString& button) {
  notice_text_->setText(text);
  notice_text_->setAccessibleName(text);
  notice_button_->setText(button);
  for (QAction* action : qobject_cast<QToolBar*>(notice_)->actions()) {
    if (qobject_cast<QToolBar*>(notice_)->widgetForAction(action) == notice_button_)
      action->setVisible(!button.isEmpty());
  }
  notice_->show();
}

}  // namespace tessera::gui
