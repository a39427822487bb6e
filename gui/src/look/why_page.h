// Why a picture was found: query and result side by side, darkened where they do not speak for the match.
#pragma once

#include "app/page.h"
#include "look/display_picture.h"
#include "tessera/indexer/explain.h"

class QLabel;
class QProgressBar;

namespace tessera::gui {

class PictureView;

// What the job brings; the maps lie over `query_part` and `result_part` of the pictures (fractions).
struct WhyAnswer {
  ImageId query_id = 0;  // 0 = the query is not a picture of the library
  ImageId result_id = 0;
  std::filesystem::path query_file;
  std::shared_ptr<const DisplayPicture> query;
  std::shared_ptr<const DisplayPicture> result;
  QRectF query_part;
  QRectF result_part;
  QString sentence;
  MatchExplanation explanation;
  bool explained = false;  // the maps are there
};

// In words, of nine: "upper left", "middle", ...
QString strongestPlace(const TileMap& map);
// In [0, 1]: 1 = the tile that counts most, 0 = tiles that do not count or speak against the match.
std::vector<float> shownMap(const TileMap& map);

class WhyPage : public Page {
  Q_OBJECT

 public:
  explicit WhyPage(Session& session, QWidget* parent = nullptr);

  // In the search that is shown, or without one: what the picture has in common with the one most like it.
  void explain(ImageId id);
  const WhyAnswer& answer() const { return answer_; }
  bool running() const { return job_.running(); }
  QString sentence() const;
  PictureView* queryView() const { return query_view_; }
  PictureView* resultView() const { return result_view_; }
  void cancel();

  QList<QAction*> pageActions() const override { return actions_; }
  bool screenshotReady() const override { return !job_.running(); }
  std::vector<ImageId> selectedPictures() const override;
  std::optional<ImageId> currentPicture() const override;

 protected:
  void showEvent(QShowEvent* event) override;
  void hideEvent(QHideEvent* event) override;

 private:
  QWidget* makeSide(PictureView* view, QLabel*& caption, const QString& title);
  void showPictures(const WhyAnswer& answer);
  void showMaps();
  void showMatchingTile(const QPointF& point);
  void showProblem(const QString& text);

  PictureView* query_view_ = nullptr;
  PictureView* result_view_ = nullptr;
  QLabel* query_caption_ = nullptr;
  QLabel* result_caption_ = nullptr;
  QLabel* sentence_ = nullptr;
  QProgressBar* progress_ = nullptr;
  QAction* maps_ = nullptr;
  QAction* stop_ = nullptr;
  QList<QAction*> actions_;
  Job job_;
  WhyAnswer answer_;
};

}  // namespace tessera::gui
