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

  void show(const std::vector<std::pair<QString, QString>>& lines);  // label and text
  void clear();

  // What is known of the picture; lines without text are left out. `picture` may be null while it loads or if it cannot
  // be read.
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
