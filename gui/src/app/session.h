// What all pages share: jobs, the open library, and the requests by which one page calls for another.
#pragma once

#include <QObject>
#include <QRectF>
#include <QString>
#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "app/library_model.h"
#include "app/shown_search.h"
#include "jobs/indexing.h"
#include "jobs/job_runner.h"
#include "jobs/library_encoder.h"
#include "jobs/thumbnails.h"
#include "tessera/indexer/catalog_filter.h"

class QPainter;

namespace tessera::gui {

struct CellParts;
// Paints over a cell of every grid, e.g. stars; called for what is seen only, so it must be fast.
using CellDecorator = std::function<void(QPainter&, const CellParts&, const Picture&)>;

// Thread rule: GUI thread.
class Session : public QObject {
  Q_OBJECT

 public:
  explicit Session(QObject* parent = nullptr);
  ~Session() override;

  JobRunner& jobs() { return jobs_; }
  LibraryModel& library() { return library_; }
  Thumbnails& thumbnails() { return thumbnails_; }
  Indexing& indexing() { return indexing_; }

  void addCellDecorator(CellDecorator decorator) { decorators_.push_back(std::move(decorator)); }
  const std::vector<CellDecorator>& cellDecorators() const { return decorators_; }

  // What jobs that encode pass to library_encoder().
  const MakeEncoder& makeEncoder() const { return encoders_.of_library; }
  void setMakeEncoder(MakeEncoder make) { encoders_.of_library = std::move(make); }
  const Encoders& encoders() const { return encoders_; }
  void setEncoders(Encoders encoders) { encoders_ = std::move(encoders); }

  // Set by the page that searches, whenever what it shows changes; nothing = no search is shown.
  void setShownSearch(std::optional<ShownSearch> search);
  const std::optional<ShownSearch>& shownSearch() const { return shown_search_; }

  // What pictures must meet to be shown in the grid and found by a search; empty = all.
  void setFilter(const CatalogFilter& filter);
  const CatalogFilter& filter() const { return filter_; }

  const std::filesystem::path& libraryDir() const { return jobs_.libraryDir(); }
  // Reads the library of this folder from now on; what is wrong with it comes as libraryFailed().
  void openLibrary(const std::filesystem::path& dir);
  void closeLibrary();

 Q_SIGNALS:
  void libraryOpened();  // another folder, or none; its pictures come with LibraryModel::changed()
  void libraryFailed(const JobError& error);
  void message(const QString& text);  // for the status bar
  void shownSearchChanged();
  void filterChanged();
  void decorationChanged();  // what cell decorators paint; grids repaint

  // Requests to the window and to pages that other parts of the program own.
  void pageWanted(const QString& name);
  void lookWanted(ImageId id, const std::vector<ImageId>& among);  // the loupe, with its neighbours
  void compareWanted(const std::vector<ImageId>& ids);             // side by side
  void similarWanted(const std::vector<ImageId>& ids);             // search by pictures of the library
  void whyWanted(ImageId id);                                      // why it is in the shown search's result
  void regionSearchWanted(const std::filesystem::path& path, const QRectF& fraction);  // of the upright picture, 0..1

 private:
  JobRunner jobs_;
  std::optional<ShownSearch> shown_search_;
  CatalogFilter filter_;
  LibraryModel library_;
  Thumbnails thumbnails_;
  Indexing indexing_;
  Encoders encoders_;
  std::vector<CellDecorator> decorators_;
};

}  // namespace tessera::gui
