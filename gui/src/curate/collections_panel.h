// The collections of the library in a side panel: open, make, rename, remove, and drop pictures on them.
#pragma once

#include <QListWidget>
#include <QWidget>
#include <optional>
#include <vector>

#include "curate/curation_model.h"

class QToolButton;

namespace tessera::gui {

class MainWindow;

// A list that pictures can be dropped on.
class CollectionList : public QListWidget {
  Q_OBJECT

 public:
  explicit CollectionList(QWidget* parent = nullptr);
  static std::optional<CollectionId> idOf(const QListWidgetItem* item);

 Q_SIGNALS:
  void picturesDropped(tessera::CollectionId id, const std::vector<tessera::ImageId>& ids);

 protected:
  void dragEnterEvent(QDragEnterEvent* event) override;
  void dragMoveEvent(QDragMoveEvent* event) override;
  void dropEvent(QDropEvent* event) override;

 private:
  std::vector<ImageId> dragged_;  // over the list
};

class CollectionsPanel : public QWidget {
  Q_OBJECT

 public:
  explicit CollectionsPanel(MainWindow& window);

 private:
  void fill();
  void makeNew();
  void addSelected();
  void open(const QListWidgetItem* item);
  void openSearch(const std::string& text);
  void showMenu(const QPoint& point);
  std::vector<ImageId> selectedPictures() const;

  MainWindow& window_;
  CurationModel& model_;
  CollectionList* list_ = nullptr;
  QToolButton* add_ = nullptr;
};

}  // namespace tessera::gui
