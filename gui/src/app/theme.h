// Light and dark looks: Qt's fusion style with palettes of our own.
#pragma once

#include <QString>

namespace tessera::gui {

enum class Theme { kLight, kDark };

// Of the whole application, at any time.
void applyTheme(Theme theme);
Theme currentTheme();

}  // namespace tessera::gui
