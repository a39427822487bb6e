// One picture large, with its neighbours a key away.
#pragma once

#include "app/page.h"
#include "look/picture_loader.h"

class QLabel;

namespace tessera::gui {

class InfoPanel;
class PictureView;

class LoupePage : public Page {
  Q_OBJECT

 public:
  explicit LoupePage(Session& session, QWidget* parent = nullptr);

  // `among`: what next and previous go through, the whole library if these are fewer than two.
  void look(ImageId id, const std::vector<ImageId>& among);
  PictureView* view() const { return view_; }
  InfoPanel* info() const { return info_; }

  QList<QAction*> pageActions() const override { return actions_; }
  bool screenshotReady() const override;
  std::vector<ImageId> selectedPictures() const override;
  std::optional<ImageId> currentPicture() const override;
  void setCurrentPicture(ImageId id) override;
  bool advance(int step) override;

 protected:
  void showEvent(QShowEvent* event) override;

 private:
  void addActions();
  void addBar();
  void goTo(std::ptrdiff_t position);
  void showCurrent();
  void showLoaded(ImageId id);
  void showFailed(ImageId id);
  void showInfo();
  void showTexts();
  void takeRegion(const QRectF& fraction);
  std::optional<Row> currentRow() const;

  PictureLoader& loader_;
  PictureView* view_ = nullptr;
  InfoPanel* info_ = nullptr;
  QLabel* position_ = nullptr;
  QLabel* name_ = nullptr;
  QLabel* zoom_ = nullptr;
  QLabel* hint_ = nullptr;
  QWidget* bar_ = nullptr;
  QList<QAction*> actions_;
  QAction* region_ = nullptr;
  std::vector<ImageId> among_;
  std::ptrdiff_t at_ = -1;
};

}  // namespace tessera::gui
