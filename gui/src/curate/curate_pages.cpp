// What this folder adds to the window.
#include <QCoreApplication>

#include "app/registry.h"
#include "curate/clusters_page.h"
#include "curate/collection_page.h"
#include "curate/collections_panel.h"
#include "curate/marks_extension.h"
#include "curate/suggest_extension.h"
#include "curate/suggestions_page.h"

namespace tessera::gui {

void addCuratePages(Registry& registry) {
  registry.addPage(40, [](Session& session) { return new CollectionPage(session); });
  registry.addPage(60, [](Session& session) { return new ClustersPage(session); });
  registry.addPage(70, [](Session& session) { return new SuggestionsPage(session); });
  registry.addPanel({QStringLiteral("collections"), QCoreApplication::translate("CollectionsPanel", "Collections"),
                     true, [](MainWindow& window) { return new CollectionsPanel(window); }});
  registry.addExtension(extendForMarks);
  registry.addExtension(extendForSuggestions);
}

}  // namespace tessera::gui
