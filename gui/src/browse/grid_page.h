// All pictures of the library, sorted, grouped and filtered.
#pragma once

#include "app/page.h"
#include "browse/arrange.h"

namespace tessera::gui {

class GridFooter;
class GridView;
class PictureList;

class GridPage : public Page {
  Q_OBJECT

 public:
  explicit GridPage(Session& session, QWidget* parent = nullptr);

  GridView* view() const { return view_; }
  PictureList* list() const { return list_; }
  GridFooter* footer() const { return footer_; }

  void selectOnceShown(const std::vector<ImageId>& ids);

  QList<QAction*> pageActions() const override;
  bool screenshotReady() const override;
  std::vector<ImageId> selectedPictures() const override;
  std::vector<ImageId> shownPictures() const override;
  std::optional<ImageId> currentPicture() const override;
  void setCurrentPicture(ImageId id) override;
  bool advance(int step) override;

 private:
  void addActions();
  void arrangePictures();
  void showCount();

  PictureList* list_ = nullptr;
  GridView* view_ = nullptr;
  GridFooter* footer_ = nullptr;
  Job arranging_;
  std::vector<ImageId> to_select_;
  QList<QAction*> actions_;
};

}  // namespace tessera::gui
