// What this folder adds to the window.
#include <QAction>
#include <QCoreApplication>
#include <QMenu>

#include "app/main_window.h"
#include "app/registry.h"
#include "curate/clusters_page.h"
#include "curate/collection_page.h"
#include "curate/collections_panel.h"
#include "curate/duplicates_page.h"
#include "curate/marks_extension.h"
#include "curate/suggest_extension.h"
#include "curate/suggestions_page.h"

namespace tessera::gui {
namespace {

void extendForDuplicates(MainWindow& window) {
  QAction* action = window.menu(MainWindow::Menu::kTools)->addAction(QObject::tr("&Duplicates and near copies"));
  action->setShortcut(Qt::CTRL | Qt::Key_D);
  QObject::connect(action, &QAction::triggered, &window, [&window] { window.showPage(QStringLiteral("duplicates")); });
}

}  // namespace

void addCuratePages(Registry& registry) {
  registry.addPage(40, [](Session& session) { return new CollectionPage(session); });
  registry.addPage(50, [](Session& session) { return new DuplicatesPage(session); });
  registry.addPage(60, [](Session& session) { return new ClustersPage(session); });
  registry.addPage(70, [](Session& session) { return new SuggestionsPage(session); });
  registry.addPanel({QStringLiteral("collections"), QCoreApplication::translate("CollectionsPanel", "Collections"),
                     true, [](MainWindow& window) { return new CollectionsPanel(window); }});
  registry.addExtension(extendForMarks);
  registry.addExtension(extendForSuggestions);
  registry.addExtension(extendForDuplicates);
}

}  // namespace tessera::gui
