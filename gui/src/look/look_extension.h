// What works on every page: loupe, compare, survey, full screen.
#pragma once

namespace tessera::gui {

class MainWindow;

void extendForLooking(MainWindow& window);

}  // namespace tessera::gui
