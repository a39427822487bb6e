// Which libraries were open before, and which one a new user gets.
#pragma once

#include <QString>
#include <QStringList>
#include <filesystem>
#include <optional>

namespace tessera::gui {

QStringList recentLibraries();  // the last one first; only those that are there
void rememberLibrary(const std::filesystem::path& dir);

// The library to open at the start: that of the last time, else the one that the tessera command uses; none if there
// is none yet.
std::optional<std::filesystem::path> startLibrary();
bool isLibrary(const std::filesystem::path& dir);

}  // namespace tessera::gui
