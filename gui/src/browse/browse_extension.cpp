// Searching from every page.
#include "browse/browse_extension.h"

#include <QAction>
#include <QClipboard>
#include <QDropEvent>
#include <QGuiApplication>
#include <QMenu>

#include "app/main_window.h"
#include "browse/search_page.h"

namespace tessera::gui {
namespace {

SearchPage* search_page(const MainWindow& window) {
  return qobject_cast<SearchPage*>(window.page(QStringLiteral("search")));
}

}  // namespace

void extendForSearching(MainWindow& window) {
  new WindowDrops(window);
  QAction* paste =
      window.menu(MainWindow::Menu::kEdit)->addAction(QObject::tr("Search for the picture in the &clipboard"));
  paste->setShortcut(QKeySequence::Paste);
  QObject::connect(paste, &QAction::triggered, &window, [&window] {
    if (!search_page(window)->searchMime(QGuiApplication::clipboard()->mimeData(), false)) {
      Q_EMIT window.session().message(QObject::tr("There is no picture in the clipboard."));
    }
  });
  QAction* search = window.menu(MainWindow::Menu::kEdit)->addAction(QObject::tr("S&earch"));
  search->setShortcut(QKeySequence::Find);
  QObject::connect(search, &QAction::triggered, &window, [&window] { window.showPage(QStringLiteral("search")); });
}

WindowDrops::WindowDrops(MainWindow& window) : QObject(&window), window_(window) {
  window.setAcceptDrops(true);
  window.installEventFilter(this);
}

bool WindowDrops::eventFilter(QObject* watched, QEvent* event) {
  if (event->type() == QEvent::DragEnter || event->type() == QEvent::Drop) {
    auto* drop = static_cast<QDropEvent*>(event);
    const bool ours = drop->source() == nullptr && SearchPage::holdsPicture(drop->mimeData());
    if (ours) {
      drop->acceptProposedAction();
      if (event->type() == QEvent::Drop) search_page(window_)->searchMime(drop->mimeData(), false);
      return true;
    }
  }
  return QObject::eventFilter(watched, event);
}

}  // namespace tessera::gui
