// Flag, stars, colour label and tags over a cell of a grid; nothing is told by colour alone.
#pragma once

#include <QIcon>
#include <QString>

#include "browse/cell_painter.h"
#include "curate/curation_model.h"

namespace tessera::gui {

QString labelText(ColorLabel label);
QColor labelColor(ColorLabel label);
QIcon labelIcon(ColorLabel label);

// "Pick, ★★★, Red" for panels and screen readers; empty without marks.
QString marksWords(const Marks& marks);

void paintMarks(QPainter& painter, const CellParts& parts, const ShownMarks& marks);

}  // namespace tessera::gui
