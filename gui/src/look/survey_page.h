// A handful of pictures at once, as large as they fit, to choose among them.
#pragma once

#include <QRect>

#include "app/page.h"
#include "look/picture_loader.h"

namespace tessera::gui {

// Rectangles of one size, as large as possible, in rows that fill `area`; `aspect` = width / height of a picture.
std::vector<QRect> surveyCells(const QRect& area, int count, double aspect, int gap);

class SurveyPage : public Page {
  Q_OBJECT

 public:
  static constexpr std::size_t kMost = 24;

  explicit SurveyPage(Session& session, QWidget* parent = nullptr);

  void survey(const std::vector<ImageId>& ids);  // at most kMost of them
  const std::vector<ImageId>& pictures() const { return ids_; }
  void removeCurrent();  // from the page, from nowhere else

  QList<QAction*> pageActions() const override { return actions_; }
  bool screenshotReady() const override { return !loader_.loading(); }
  std::vector<ImageId> selectedPictures() const override;
  std::optional<ImageId> currentPicture() const override;
  void setCurrentPicture(ImageId id) override;
  bool advance(int step) override;

 protected:
  void showEvent(QShowEvent* event) override;
  void paintEvent(QPaintEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseDoubleClickEvent(QMouseEvent* event) override;

 private:
  std::vector<QRect> cells() const;
  int cellAt(const QPoint& point) const;
  void setCurrent(int index);
  void moveRow(int rows);
  void paintCell(QPainter& painter, const QRect& cell, int index);
  int shortSide(const QRect& cell) const;

  PictureLoader& loader_;
  QList<QAction*> actions_;
  std::vector<ImageId> ids_;
  int current_ = 0;
};

}  // namespace tessera::gui
