// What this folder adds to the window.
#include "app/registry.h"
#include "browse/grid_page.h"

namespace tessera::gui {

void addBrowsePages(Registry& registry) {
  registry.addPage(10, [](Session& session) { return new GridPage(session); });
}

}  // namespace tessera::gui
