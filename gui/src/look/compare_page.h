// Two to four pictures side by side that move together, flip in place, or show their difference.
#pragma once

#include "app/page.h"
#include "look/picture_loader.h"

class QGridLayout;
class QLabel;
class QSlider;
class QStackedLayout;

namespace tessera::gui {

class PictureView;

class ComparePage : public Page {
  Q_OBJECT

 public:
  static constexpr std::size_t kMost = 4;

  explicit ComparePage(Session& session, QWidget* parent = nullptr);

  void compare(const std::vector<ImageId>& ids);  // the first four
  int count() const { return static_cast<int>(ids_.size()); }
  PictureView* view(int index) const { return panes_[static_cast<std::size_t>(index)].view; }
  PictureView* differenceView() const { return difference_view_; }
  bool showsDifference() const;
  // All places show this one, at the same spot; -1 ends it.
  void flip(int index);

  QList<QAction*> pageActions() const override { return actions_; }
  bool screenshotReady() const override;
  std::vector<ImageId> selectedPictures() const override;
  std::optional<ImageId> currentPicture() const override;
  void setCurrentPicture(ImageId id) override;
  bool advance(int step) override;

 protected:
  void showEvent(QShowEvent* event) override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  struct Pane {
    QWidget* frame = nullptr;
    PictureView* view = nullptr;
    QLabel* caption = nullptr;
  };

  void addPanes();
  void addActions();
  QWidget* makeBar();
  void arrange();
  void showPane(int index);
  void showPictures();
  void follow(PictureView* leader);
  void setDifference(bool on);
  void makeDifference();
  void setCurrent(int index);
  void changePicture(int step);
  QString captionOf(int index) const;

  PictureLoader& loader_;
  std::vector<Pane> panes_;
  QStackedLayout* stack_ = nullptr;
  QGridLayout* grid_ = nullptr;
  PictureView* difference_view_ = nullptr;
  QSlider* gain_ = nullptr;
  QLabel* gain_text_ = nullptr;
  QLabel* hint_ = nullptr;
  QAction* difference_ = nullptr;
  QList<QAction*> actions_;
  std::vector<ImageId> ids_;
  int current_ = 0;
  int flipped_ = -1;
  Job difference_job_;
  std::shared_ptr<const DisplayPicture> difference_of_[2];
  double difference_gain_ = 0;
};

}  // namespace tessera::gui
