// What this folder adds to the window.
#include "app/main_window.h"
#include "app/registry.h"
#include "browse/browse_extension.h"
#include "browse/filter_bar.h"
#include "browse/grid_page.h"
#include "browse/library_extension.h"
#include "browse/search_page.h"
#include "browse/welcome_page.h"

namespace tessera::gui {

void addBrowsePages(Registry& registry) {
  registry.addPage(10, [](Session& session) { return new GridPage(session); });
  registry.addPage(20, [](Session& session) { return new SearchPage(session); });
  registry.addPage(-1, [](Session& session) { return new WelcomePage(session); });
  registry.addExtension(extendForSearching);
  registry.addExtension(extendForFiltering);
  registry.addExtension([](MainWindow& window) { new LibraryControl(window); });
}

}  // namespace tessera::gui
