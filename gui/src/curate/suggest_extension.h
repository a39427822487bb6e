// Suggestions and groups for the pictures of every page.
#pragma once

namespace tessera::gui {

class MainWindow;

void extendForSuggestions(MainWindow& window);

}  // namespace tessera::gui
