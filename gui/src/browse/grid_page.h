// All pictures of the library, sorted, grouped and filtered.
#pragma once

#include "browse/arrange.h"
#include "browse/view_page.h"

namespace tessera::gui {

class GridPage : public ViewPage {
  Q_OBJECT

 public:
  explicit GridPage(Session& session, QWidget* parent = nullptr);

  void selectOnceShown(const std::vector<ImageId>& ids);

  QList<QAction*> pageActions() const override;
  bool screenshotReady() const override;

 private:
  void addActions();
  void arrangePictures();
  void showCount();

  Job arranging_;
  std::vector<ImageId> to_select_;
  QList<QAction*> actions_;
};

}  // namespace tessera::gui
