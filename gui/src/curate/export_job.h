// Writes chosen pictures for other programs, in a job: tables, contact sheets, sidecars; and their paths to the
// clipboard.
#pragma once

#include <QString>
#include <vector>

#include "app/session.h"

namespace tessera::gui {

enum class ExportKind { kCsv, kJsonl, kSheetPage, kSheetPicture, kSidecars };

// `file` is not used for sidecars, which lie beside the pictures. What was done, or why not, is told in the status bar.
void exportPictures(Session& session, const std::vector<ImageId>& ids, ExportKind kind, const QString& file);

// One path a line as text, and as addresses of files for file managers.
void copyPaths(Session& session, const std::vector<ImageId>& ids);

// What the name of the file must end with; empty for sidecars.
QString exportSuffix(ExportKind kind);

}  // namespace tessera::gui
