// Picture files named on the command line: searched for, or shown on the page that was asked for.
#pragma once

#include <QString>
#include <filesystem>
#include <vector>

namespace tessera::gui {

class MainWindow;

// Once the library is there: on the loupe, compare, survey and grid pages those files that are in it are shown
// (selected), on every other page they are searched for. An empty page means a search. Without files the page is shown.
void showAtStart(MainWindow& window, const QString& page, const std::vector<std::filesystem::path>& files);

}  // namespace tessera::gui
