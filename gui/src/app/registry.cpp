// What the window is made of.
#include "app/registry.h"

#include <algorithm>

namespace tessera::gui {

std::vector<Registry::PageEntry> Registry::pages() const {
  std::vector<PageEntry> sorted = pages_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const PageEntry& a, const PageEntry& b) { return a.position < b.position; });
  return sorted;
}

Registry standardRegistry() {
  Registry registry;
  addBrowsePages(registry);
  addLookPages(registry);
  addCuratePages(registry);
  return registry;
}

}  // namespace tessera::gui
