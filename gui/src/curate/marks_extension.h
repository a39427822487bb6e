// Marks on every page: keys, menus, auto-advance, tags, undo, the trash, and what is painted over the cells of grids.
#pragma once

class QString;

namespace tessera::gui {

class MainWindow;

void extendForMarks(MainWindow& window);

}  // namespace tessera::gui
