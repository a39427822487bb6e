// Search by pictures: examples as chips, sliders that sort anew at once, results with the scores of both stages.
#pragma once

#include <QElapsedTimer>
#include <optional>

#include "browse/search_query.h"
#include "browse/view_page.h"
#include "tessera/indexer/saved_search.h"

class QCheckBox;
class QHBoxLayout;
class QLabel;
class QMimeData;
class QSlider;

namespace tessera::gui {

class SearchPage : public ViewPage {
  Q_OBJECT

 public:
  explicit SearchPage(Session& session, QWidget* parent = nullptr);

  const SearchQuery& query() const { return query_; }
  const std::optional<SearchAnswer>& answer() const { return answer_; }
  bool asking() const { return job_.running(); }
  double lastMs() const { return last_ms_; }  // from the question to the list on the screen

  // Asks anew; what was asked before can be gone back to.
  void search(const SearchQuery& query);
  void addExamples(const std::vector<Example>& examples);
  void searchFiles(const std::vector<std::filesystem::path>& files);
  void searchPictures(const std::vector<ImageId>& ids);
  void searchRegion(const std::filesystem::path& file, const QRectF& fraction);
  // Files or a picture that were dropped or pasted; false if there are none. The page is shown.
  bool searchMime(const QMimeData* mime, bool add);
  static bool holdsPicture(const QMimeData* mime);

  // The search that is shown, to be found among the collections; throws kInvalidArgument where there is none to keep,
  // or for a picture without a file.
  SavedSearch savedSearch() const;
  void save(const QString& name);
  // Examples that are not there any more are left out and told of.
  void openSaved(const SavedSearch& saved);

  void goBack();
  void goForward();

  QList<QAction*> pageActions() const override;
  bool screenshotReady() const override;

 protected:
  void dragEnterEvent(QDragEnterEvent* event) override;
  void dropEvent(QDropEvent* event) override;

 private:
  void addChipRow(QLayout* layout);
  void addSettings(QLayout* layout);
  void addActions();
  void showChips();
  void showSettings();
  void readSettings();
  void addFromDialog();
  void saveFromDialog();
  QWidget* makeConditionsChip();
  void ask();  // in a job, for query_
  void show(const SearchAnswer& answer);
  void showResult();
  void showSearch() const;  // to the session
  void enableHistory();
  void restart();  // another library
  std::vector<Example> examplesOf(const std::vector<ImageId>& ids) const;

  SearchQuery query_;
  std::vector<SearchQuery> history_;
  int place_ = -1;  // in the history
  std::optional<SearchAnswer> answer_;
  Job job_;
  Job opening_;
  bool again_ = false;
  QElapsedTimer asked_;
  double last_ms_ = 0;
  QHBoxLayout* chips_ = nullptr;
  QSlider* tokens_ = nullptr;
  QLabel* tokens_text_ = nullptr;
  QSlider* composition_ = nullptr;
  QLabel* composition_text_ = nullptr;
  QCheckBox* likely_only_ = nullptr;
  QLabel* problem_ = nullptr;
  QAction* save_ = nullptr;
  QAction* back_ = nullptr;
  QAction* forward_ = nullptr;
  QList<QAction*> actions_;
};

}  // namespace tessera::gui
