// Suggestions and groups for the pictures of every page.
#include "curate/suggest_extension.h"

#include <QAction>
#include <QMenu>

#include "app/main_window.h"
#include "browse/grid_view.h"
#include "curate/clusters_page.h"
#include "curate/collection_page.h"
#include "curate/suggestions_page.h"

namespace tessera::gui {
namespace {

// What the user means: the selected pictures if there are `least`, else those of the collection shown, else all (none).
std::optional<std::vector<ImageId>> meant(const MainWindow& window, std::size_t least) {
  const Page* page = window.currentPage();
  std::vector<ImageId> ids = page->selectedPictures();
  if (ids.size() >= least) return ids;
  if (const auto* collection = qobject_cast<const CollectionPage*>(page)) return collection->view()->list()->ids();
  return std::nullopt;
}

void suggest(MainWindow& window, Suggestion what) {
  auto ids = meant(window, what == Suggestion::kMoreLike ? 1 : 2);
  auto* page = qobject_cast<SuggestionsPage*>(window.page(QStringLiteral("suggestions")));
  page->suggest(what, std::move(ids));
  window.showPage(page->name());
}

}  // namespace

void extendForSuggestions(MainWindow& window) {
  QMenu* menu = window.menu(MainWindow::Menu::kTools);
  const std::pair<QString, Suggestion> suggestions[] = {
      {QObject::tr("Suggest a &varied selection"), Suggestion::kVaried},
      {QObject::tr("&More like these"), Suggestion::kMoreLike},
      {QObject::tr("&Least like the rest"), Suggestion::kLeastLike}};
  for (const auto& [text, what] : suggestions) {
    QObject::connect(menu->addAction(text), &QAction::triggered, &window, [&window, what] { suggest(window, what); });
  }
  QObject::connect(menu->addAction(QObject::tr("&Group by what is shown")), &QAction::triggered, &window, [&window] {
    auto* page = qobject_cast<ClustersPage*>(window.page(QStringLiteral("clusters")));
    page->setPictures(meant(window, 2));
    window.showPage(page->name());
  });
}

}  // namespace tessera::gui
