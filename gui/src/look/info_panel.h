// What a picture's file says of it: size, camera, exposure, time, place.
#pragma once

#include <QScrollArea>
#include <utility>
#include <vector>

#include "app/library_snapshot.h"
#include "look/display_picture.h"

class QFormLayout;

namespace tessera::gui {

class InfoPanel : public QScrollArea {
  Q_OBJECT

 public:
  explicit InfoPanel(QWidget* parent = nullptr);

  // `picture` may be null while it loads or if it cannot be read.
  void show(const LibrarySnapshot& snapshot, Row row, const DisplayPicture* picture);
  void clear();

  // The lines, as shown: label and text; lines without text are left out.
  static std::vector<std::pair<QString, QString>> lines(const LibrarySnapshot& snapshot, Row row,
                                                        const DisplayPicture* picture);

 private:
  QFormLayout* form_ = nullptr;
};

// "24.3 MP", "0.35 MP".
QString megapixelText(const QSize& size);
// "1.4 MB" in units of 1000.
QString bytesText(std::uint64_t bytes);

}  // namespace tessera::gui
