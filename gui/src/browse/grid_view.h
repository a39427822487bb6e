// A grid of thumbnails that paints only what is seen, however many pictures there are.
#pragma once

#include <QListView>
#include <QTimer>
#include <functional>
#include <vector>

#include "browse/cell_painter.h"
#include "browse/grid_layout.h"
#include "browse/picture_list.h"

class QRubberBand;

namespace tessera::gui {

class Session;

// Selection, drag and keys are those of Qt's item views; places and painting are its own.
class GridView : public QListView {
  Q_OBJECT

 public:
  static constexpr int kLeastSide = 64;
  static constexpr int kLargestSide = 512;

  GridView(Session& session, PictureList* list, QWidget* parent = nullptr);
  ~GridView() override;

  PictureList* list() const { return list_; }
  int side() const { return side_; }
  void setSide(int side);  // of the square for a thumbnail; the place that is seen stays

  std::vector<ImageId> selectedIds() const;  // in order of the list
  std::optional<ImageId> currentId() const;
  void setCurrentId(ImageId id);
  void select(const std::vector<ImageId>& ids);  // besides what is; the first becomes the current one
  bool step(int step);                           // the current picture, alone selected
  // Shows the list's new content with the same pictures selected and in sight as before, as far as they are there.
  void replace(const std::function<void()>& change);
  bool thumbnailsReady() const;

  void setPlaceholder(const QString& text);  // where there are no pictures

  QRect visualRect(const QModelIndex& index) const override;
  QModelIndex indexAt(const QPoint& point) const override;
  void scrollTo(const QModelIndex& index, ScrollHint hint = EnsureVisible) override;
  void doItemsLayout() override;
  void reset() override;

 Q_SIGNALS:
  void pictureActivated(tessera::ImageId id);
  void sideChanged(int side);
  void thumbnailsReadyChanged();

 protected:
  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void scrollContentsBy(int dx, int dy) override;
  void wheelEvent(QWheelEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void changeEvent(QEvent* event) override;
  void updateGeometries() override;
  QModelIndex moveCursor(CursorAction action, Qt::KeyboardModifiers modifiers) override;
  void setSelection(const QRect& rect, QItemSelectionModel::SelectionFlags command) override;
  QRegion visualRegionForSelection(const QItemSelection& selection) const override;
  int horizontalOffset() const override { return 0; }
  int verticalOffset() const override;
  bool isIndexHidden(const QModelIndex&) const override { return false; }
  void startDrag(Qt::DropActions actions) override;

 private:
  void arrangeCells();
  void askForThumbnails();
  void repaintContent(const ContentHash& hash);
  void paintHeading(QPainter& painter, int group) const;
  int pixels() const;

  Session& session_;
  PictureList* list_;
  GridLayout layout_;
  int side_ = 160;
  bool going_down_ = true;
  QString placeholder_;
  QTimer ask_;
  QRubberBand* band_ = nullptr;
  QPoint band_origin_;  // of the grid, not of the viewport
};

}  // namespace tessera::gui
