// What all pages share.
#include "app/session.h"

#include "tessera/indexer/library_model.h"

namespace tessera::gui {

Session::Session(QObject* parent) : QObject(parent), library_(jobs_), thumbnails_(jobs_), indexing_(jobs_) {
  encoders_.of_library = [](const LibraryEncoder& wanted) { return load_library_model(wanted); };
  encoders_.fresh = default_encoder;
  connect(&jobs_, &JobRunner::jobFailed, this, &Session::message);
  connect(&library_, &LibraryModel::failed, this, &Session::libraryFailed);
}

Session::~Session() = default;

void Session::setShownSearch(std::optional<ShownSearch> search) {
  shown_search_ = std::move(search);
  Q_EMIT shownSearchChanged();
}

void Session::setFilter(const CatalogFilter& filter) {
  if (filter == filter_) return;
  filter_ = filter;
  Q_EMIT filterChanged();
}

void Session::openLibrary(const std::filesystem::path& dir) {
  jobs_.setLibraryDir(dir);
  thumbnails_.forgetProblems();
  library_.clear();
  setShownSearch(std::nullopt);
  Q_EMIT libraryOpened();
  library_.refresh();
}

void Session::closeLibrary() {
  jobs_.setLibraryDir({});
  library_.clear();
  setShownSearch(std::nullopt);
  Q_EMIT libraryOpened();
}

}  // namespace tessera::gui
