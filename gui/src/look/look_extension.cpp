// What works on every page: loupe, compare, survey, full screen.
#include "look/look_extension.h"

#include <QAction>
#include <QMenu>
#include <QMenuBar>
#include <QStatusBar>
#include <QToolBar>

#include "app/main_window.h"
#include "look/survey_page.h"

namespace tessera::gui {
namespace {

QAction* add(MainWindow& window, MainWindow::Menu menu, const QString& text, const QKeySequence& key,
             const std::function<void()>& call) {
  QAction* action = window.menu(menu)->addAction(text);
  action->setShortcut(key);
  QObject::connect(action, &QAction::triggered, &window, call);
  return action;
}

void lookAtCurrent(MainWindow& window) {
  const Page* page = window.currentPage();
  const auto current = page->currentPicture();
  const std::vector<ImageId> selected = page->selectedPictures();
  if (!current && selected.empty()) {
    window.showPage(QStringLiteral("loupe"));
    return;
  }
  Q_EMIT window.session().lookWanted(current.value_or(selected.empty() ? 0 : selected.front()),
                                     selected.size() > 1 ? selected : page->shownPictures());
}

void compareSelected(MainWindow& window) {
  const std::vector<ImageId> selected = window.currentPage()->selectedPictures();
  if (selected.size() >= 2) {
    Q_EMIT window.session().compareWanted(selected);
  } else if (window.currentPage()->name() != QStringLiteral("compare")) {
    Q_EMIT window.session().message(QObject::tr("Select two to four pictures to compare them."));
  }
}

void surveySelected(MainWindow& window) {
  auto* survey = qobject_cast<SurveyPage*>(window.page(QStringLiteral("survey")));
  const std::vector<ImageId> selected = window.currentPage()->selectedPictures();
  if (selected.size() >= 2) survey->survey(selected);
  window.showPage(survey->name());
}

// Shortcuts of menus that are hidden do not work, those of the window's own actions do.
void adopt(MainWindow& window, const QMenu& menu) {
  for (QAction* action : menu.actions()) {
    if (action->menu() != nullptr) {
      adopt(window, *action->menu());
    } else if (!action->shortcuts().isEmpty()) {
      window.addAction(action);
    }
  }
}

void setFullScreen(MainWindow& window, bool on) {
  for (QAction* action : window.menuBar()->actions()) {
    if (on && action->menu() != nullptr) adopt(window, *action->menu());
  }
  window.menuBar()->setVisible(!on);
  window.statusBar()->setVisible(!on);
  for (QToolBar* bar : window.findChildren<QToolBar*>(Qt::FindDirectChildrenOnly)) bar->setVisible(!on);
  window.setWindowState(window.windowState().setFlag(Qt::WindowFullScreen, on));
}

}  // namespace

void extendForLooking(MainWindow& window) {
  const auto menu = MainWindow::Menu::kView;
  add(window, menu, QObject::tr("&Grid"), Qt::Key_G, [&window] { window.showPage(QStringLiteral("grid")); });
  add(window, menu, QObject::tr("&Loupe: one picture large"), Qt::Key_E, [&window] { lookAtCurrent(window); });
  add(window, menu, QObject::tr("&Compare the selected pictures"), Qt::Key_C, [&window] { compareSelected(window); });
  add(window, menu, QObject::tr("&Survey the selected pictures"), Qt::Key_N, [&window] { surveySelected(window); });
  add(window, menu, QObject::tr("&Why: what two pictures have in common"), Qt::Key_W, [&window] {
    const auto current = window.currentPage()->currentPicture();
    if (current) {
      Q_EMIT window.session().whyWanted(*current);
    } else {
      window.showPage(QStringLiteral("why"));
    }
  });
  QAction* keys = add(window, MainWindow::Menu::kHelp, QObject::tr("&Keys"), QKeySequence(QStringLiteral("?")),
                      [&window] { window.showPage(QStringLiteral("keys")); });
  keys->setShortcuts({QKeySequence(QStringLiteral("?")), QKeySequence::HelpContents});
  QAction* full = add(window, menu, QObject::tr("&Full screen"), Qt::Key_F, [] {});
  full->setShortcuts({Qt::Key_F, Qt::Key_F11});
  full->setCheckable(true);
  QObject::connect(full, &QAction::toggled, &window, [&window](bool on) { setFullScreen(window, on); });
}

}  // namespace tessera::gui
