// The window: named pages in a stack, side panels, menus.
#include "app/main_window.h"

#include <QAction>
#include <QActionGroup>
#include <QApplication>
#include <QCloseEvent>
#include <QDockWidget>
#include <QMenu>
#include <QMenuBar>
#include <QSettings>
#include <QStackedWidget>
#include <QStatusBar>
#include <QToolBar>
#include <utility>

#include "app/theme.h"

namespace tessera::gui {
namespace {

constexpr int kMessageMs = 8000;
constexpr int kPagesRemembered = 50;

}  // namespace

MainWindow::MainWindow(const Registry& registry, QWidget* parent) : QMainWindow(parent) {
  setWindowTitle(tr("Tessera"));
  resize(1280, 800);
  setDockOptions(AnimatedDocks | AllowTabbedDocks);
  stack_ = new QStackedWidget(this);
  setCentralWidget(stack_);
  addMenus();
  bar_ = addToolBar(tr("Pages"));
  bar_->setObjectName(QStringLiteral("pages"));
  bar_->setMovable(false);
  bar_->setContextMenuPolicy(Qt::PreventContextMenu);
  statusBar();
  addPages(registry);
  addPanels(registry);
  connect(&session_, &Session::message, this,
          [this](const QString& text) { statusBar()->showMessage(text, kMessageMs); });
  connect(&session_, &Session::libraryFailed, this,
          [this](const JobError& error) { statusBar()->showMessage(error.message); });
  connect(&session_, &Session::pageWanted, this, &MainWindow::showPage);
  for (const Registry::Extend& extend : registry.extensions()) extend(*this);
  key_bindings_ = std::make_unique<KeyBindings>(*this);
  for (Page* page : pages_) {
    if (!page_switches_.contains(page->name())) continue;
    showPage(page->name());
    break;
  }
}

MainWindow::~MainWindow() {
  // Pages refer to the session, which is a member and would go first.
  delete takeCentralWidget();
  for (QDockWidget* dock : findChildren<QDockWidget*>(Qt::FindDirectChildrenOnly)) delete dock;
}

void MainWindow::addMenus() {
  const std::pair<Menu, QString> names[] = {{Menu::kFile, tr("&File")},   {Menu::kEdit, tr("&Edit")},
                                            {Menu::kView, tr("&View")},   {Menu::kPicture, tr("&Picture")},
                                            {Menu::kTools, tr("&Tools")}, {Menu::kHelp, tr("&Help")}};
  for (const auto& [key, text] : names) menus_[key] = menuBar()->addMenu(text);
  QAction* quit = menu(Menu::kFile)->addAction(tr("&Quit"), this, &QWidget::close);
  quit->setShortcut(QKeySequence::Quit);
  quit->setMenuRole(QAction::QuitRole);
  QAction* dark = menu(Menu::kView)->addAction(tr("&Dark colours"));
  dark->setCheckable(true);
  dark->setChecked(currentTheme() == Theme::kDark);
  connect(dark, &QAction::toggled, this, [](bool on) {
    applyTheme(on ? Theme::kDark : Theme::kLight);
    QSettings().setValue(QStringLiteral("theme"), on ? QStringLiteral("dark") : QStringLiteral("light"));
  });
  auto* back = new QAction(tr("Back to the page before"), this);
  back->setShortcut(Qt::Key_Escape);
  connect(back, &QAction::triggered, this, &MainWindow::showPreviousPage);
  menu(Menu::kView)->addAction(back);
  menu(Menu::kView)->addSeparator();
}

void MainWindow::addPages(const Registry& registry) {
  page_group_ = new QActionGroup(this);
  for (const Registry::PageEntry& entry : registry.pages()) {
    Page* page = entry.make(session_);
    pages_.append(page);
    stack_->addWidget(page);
    connect(page, &Page::selectionChanged, this, [this, page] {
      if (page == currentPage()) Q_EMIT selectionChanged();
    });
    for (QAction* action : page->pageActions()) {
      action->setEnabled(false);
      addAction(action);
    }
    if (entry.position < 0) continue;
    QAction* action = bar_->addAction(page->title());
    action->setCheckable(true);
    page_group_->addAction(action);
    menu(Menu::kView)->addAction(action);
    page_switches_[page->name()] = action;
    connect(action, &QAction::triggered, this, [this, page] { showPage(page->name()); });
  }
}

void MainWindow::addPanels(const Registry& registry) {
  for (const Registry::PanelEntry& entry : registry.panels()) {
    auto* dock = new QDockWidget(entry.title, this);
    dock->setObjectName(entry.name);
    dock->setWidget(entry.make(*this));
    addDockWidget(entry.left ? Qt::LeftDockWidgetArea : Qt::RightDockWidgetArea, dock);
    menu(Menu::kView)->addAction(dock->toggleViewAction());
  }
}

QStringList MainWindow::pageNames() const {
  QStringList names;
  for (const Page* page : pages_) names.append(page->name());
  return names;
}

Page* MainWindow::page(const QString& name) const {
  for (Page* page : pages_) {
    if (page->name() == name) return page;
  }
  return nullptr;
}

Page* MainWindow::currentPage() const { return qobject_cast<Page*>(stack_->currentWidget()); }

void MainWindow::showPage(const QString& name) {
  Page* next = page(name);
  if (next == nullptr) return;
  if (visited_.isEmpty() || visited_.back() != name) visited_.append(name);
  while (visited_.size() > kPagesRemembered) visited_.removeFirst();
  switchTo(next);
}

void MainWindow::showPreviousPage() {
  if (visited_.size() < 2) return;
  visited_.removeLast();
  switchTo(page(visited_.back()));
}

void MainWindow::switchTo(Page* next) {
  for (Page* page : pages_) {
    for (QAction* action : page->pageActions()) action->setEnabled(page == next);
  }
  stack_->setCurrentWidget(next);
  setPanelsShown(!next->standsAlone());
  if (QAction* action = page_switches_.value(next->name())) {
    action->setChecked(true);
  } else if (QAction* checked = page_group_->checkedAction()) {
    page_group_->setExclusive(false);
    checked->setChecked(false);
    page_group_->setExclusive(true);
  }
  next->setFocus();
  Q_EMIT currentPageChanged(next);
  Q_EMIT selectionChanged();
}

void MainWindow::setPanelsShown(bool shown) {
  if (shown == panels_.isEmpty()) return;
  if (shown) {
    restoreState(std::exchange(panels_, {}));
    return;
  }
  panels_ = saveState();
  for (QDockWidget* dock : findChildren<QDockWidget*>(Qt::FindDirectChildrenOnly)) dock->hide();
}

void MainWindow::restoreLayout() {
  const QSettings settings;
  restoreGeometry(settings.value(QStringLiteral("window/geometry")).toByteArray());
  const QByteArray panels = settings.value(QStringLiteral("window/state")).toByteArray();
  if (panels_.isEmpty()) {
    restoreState(panels);
  } else if (!panels.isEmpty()) {
    panels_ = panels;
  }
}

void MainWindow::saveLayout() const {
  QSettings settings;
  settings.setValue(QStringLiteral("window/geometry"), saveGeometry());
  settings.setValue(QStringLiteral("window/state"), panels_.isEmpty() ? saveState() : panels_);
}

void MainWindow::closeEvent(QCloseEvent* event) {
  saveLayout();
  event->accept();
}

}  // namespace tessera::gui
