// Groups of duplicates: which file stays, which goes to the trash, and which only look alike.
#pragma once

#include <QSize>
#include <QTimer>
#include <map>
#include <memory>

#include "app/page.h"
#include "curate/curation_model.h"
#include "curate/duplicates_job.h"

class QComboBox;
class QLabel;
class QPushButton;
class QTreeWidget;
class QTreeWidgetItem;

namespace tessera::gui {

// A tree: groups, the safest first, and below each its files. A checked file goes to the trash when asked for.
class DuplicatesPage : public Page {
  Q_OBJECT

 public:
  explicit DuplicatesPage(Session& session, QWidget* parent = nullptr);

  void search();
  void stop();
  const std::vector<ReviewedGroup>& groups() const { return shown_; }
  bool marked(const std::filesystem::path& file) const;
  void setMarked(const std::filesystem::path& file, bool marked);

  void ruleOutCurrent();  // the group's pictures are no duplicates of each other
  void compareCurrent();
  void trashMarked();

  QList<QAction*> pageActions() const override { return actions_; }
  bool screenshotReady() const override;
  std::vector<ImageId> selectedPictures() const override;
  std::optional<ImageId> currentPicture() const override;
  void setCurrentPicture(ImageId id) override;
  bool advance(int step) override;

 protected:
  void showEvent(QShowEvent* event) override;

 private:
  static constexpr QSize kIcon{96, 72};

  struct Place {
    std::size_t group = 0;
    std::optional<std::size_t> row;  // none: the group itself
  };

  void addControls();
  void addTree();
  void clear();
  void read();
  void fill();
  void fillRow(QTreeWidgetItem* item, const KeepDecision& row);
  void updateRows();
  void updateSummary();
  void fillFolders();
  std::optional<Place> placeOf(const QTreeWidgetItem* item) const;
  const KeepDecision* rowOf(const QTreeWidgetItem* item) const;
  void askForThumbnails();
  void setIcons(const ContentHash& hash);
  void setBusy(bool busy);

  QComboBox* rule_ = nullptr;
  QComboBox* folder_ = nullptr;
  QPushButton* search_ = nullptr;
  QPushButton* trash_ = nullptr;
  QPushButton* not_duplicates_ = nullptr;
  QPushButton* compare_ = nullptr;
  QLabel* progress_ = nullptr;
  QLabel* summary_ = nullptr;
  QTreeWidget* tree_ = nullptr;
  QList<QAction*> actions_;
  std::shared_ptr<const std::vector<DuplicateGroup>> found_;  // null: not searched yet
  std::vector<ReviewedGroup> shown_;
  std::map<std::filesystem::path, bool> by_rule_;  // files of the groups that are sure: marked?
  std::map<std::filesystem::path, bool> by_hand_;
  Job searching_;
  Job reading_;
  QTimer ask_;
  bool filling_ = false;
};

}  // namespace tessera::gui
