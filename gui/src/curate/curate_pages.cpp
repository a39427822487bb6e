// What this folder adds to the window.
#include "app/registry.h"

namespace tessera::gui {

void addCuratePages(Registry&) {}

}  // namespace tessera::gui
