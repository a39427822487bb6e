// A page whose pictures are in a grid: selection, current picture and thumbnails are those of the grid.
#pragma once

#include "app/page.h"

namespace tessera::gui {

class GridFooter;
class GridView;
class PictureList;

class ViewPage : public Page {
  Q_OBJECT

 public:
  PictureList* list() const { return list_; }
  GridView* view() const { return view_; }
  GridFooter* footer() const { return footer_; }

  std::vector<ImageId> selectedPictures() const override;
  std::optional<ImageId> currentPicture() const override;
  std::vector<ImageId> shownPictures() const override;
  void setCurrentPicture(ImageId id) override;
  bool advance(int step) override;

 protected:
  // The grid takes the keyboard; the page puts it, and the footer, into its layout.
  ViewPage(Session& session, const QString& name, const QString& title, bool with_order, QWidget* parent);

  PictureList* const list_;
  GridView* const view_;
  GridFooter* const footer_;
};

}  // namespace tessera::gui
