// What the window is made of: each folder of gui/src adds its pages, side panels and extensions here.
#pragma once

#include <QString>
#include <functional>
#include <vector>

class QWidget;

namespace tessera::gui {

class MainWindow;
class Page;
class Session;

class Registry {
 public:
  using MakePage = std::function<Page*(Session&)>;
  using MakePanel = std::function<QWidget*(MainWindow&)>;
  using Extend = std::function<void(MainWindow&)>;

  struct PanelEntry {
    QString name;  // of the dock, for the saved layout
    QString title;
    bool left = true;
    MakePanel make;
  };

  // Pages appear in the side bar in order of `position`; a negative one is reached by name only.
  void addPage(int position, MakePage make) { pages_.push_back({position, std::move(make)}); }
  void addPanel(PanelEntry panel) { panels_.push_back(std::move(panel)); }
  // Called once when all pages are there: actions, menus, what reacts to the selection of every page.
  void addExtension(Extend extend) { extensions_.push_back(std::move(extend)); }

  struct PageEntry {
    int position = 0;
    MakePage make;
  };
  std::vector<PageEntry> pages() const;  // in order
  const std::vector<PanelEntry>& panels() const { return panels_; }
  const std::vector<Extend>& extensions() const { return extensions_; }

 private:
  std::vector<PageEntry> pages_;
  std::vector<PanelEntry> panels_;
  std::vector<Extend> extensions_;
};

// One function a folder, defined there.
void addBrowsePages(Registry& registry);
void addLookPages(Registry& registry);
void addCuratePages(Registry& registry);

Registry standardRegistry();

}  // namespace tessera::gui
