// What this folder adds to the window.
#include <QCoreApplication>

#include "app/registry.h"
#include "curate/collection_page.h"
#include "curate/collections_panel.h"
#include "curate/marks_extension.h"

namespace tessera::gui {

void addCuratePages(Registry& registry) {
  registry.addPage(40, [](Session& session) { return new CollectionPage(session); });
  registry.addPanel({QStringLiteral("collections"), QCoreApplication::translate("CollectionsPanel", "Collections"),
                     true, [](MainWindow& window) { return new CollectionsPanel(window); }});
  registry.addExtension(extendForMarks);
}

}  // namespace tessera::gui
