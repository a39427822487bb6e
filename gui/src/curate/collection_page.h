// The pictures of one collection: a manual one in its order, a saved search by what it keeps now.
#pragma once

#include <optional>

#include "app/page.h"
#include "curate/curation_model.h"

namespace tessera::gui {

class GridFooter;
class GridView;
class PictureList;

class CollectionPage : public Page {
  Q_OBJECT

 public:
  explicit CollectionPage(Session& session, QWidget* parent = nullptr);

  void showCollection(CollectionId id);
  std::optional<CollectionId> collection() const { return id_; }
  GridView* view() const { return view_; }

  QList<QAction*> pageActions() const override { return actions_; }
  bool screenshotReady() const override;
  std::vector<ImageId> selectedPictures() const override;
  std::vector<ImageId> shownPictures() const override;
  std::optional<ImageId> currentPicture() const override;
  void setCurrentPicture(ImageId id) override;
  bool advance(int step) override;

 private:
  void read();

  PictureList* list_ = nullptr;
  GridView* view_ = nullptr;
  GridFooter* footer_ = nullptr;
  std::optional<CollectionId> id_;
  Job reading_;
  QList<QAction*> actions_;
};

}  // namespace tessera::gui
