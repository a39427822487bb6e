// All pictures of the library.
#pragma once

#include "app/page.h"

class QListView;
class QStringListModel;

namespace tessera::gui {

class GridPage : public Page {
  Q_OBJECT

 public:
  explicit GridPage(Session& session, QWidget* parent = nullptr);

  std::vector<ImageId> selectedPictures() const override;
  std::optional<ImageId> currentPicture() const override;
  void setCurrentPicture(ImageId id) override;
  bool advance(int step) override;

 private:
  void showLibrary();

  std::shared_ptr<const LibrarySnapshot> snapshot_;
  QStringListModel* names_ = nullptr;
  QListView* view_ = nullptr;
};

}  // namespace tessera::gui
