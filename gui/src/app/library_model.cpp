// The open library as all pages see it.
#include "app/library_model.h"

#include <unistd.h>

namespace tessera::gui {

LibraryModel::LibraryModel(JobRunner& jobs, QObject* parent)
    : QObject(parent), jobs_(jobs), snapshot_(std::make_shared<LibrarySnapshot>()) {}

void LibraryModel::clear() {
  job_.cancel();
  snapshot_ = std::make_shared<LibrarySnapshot>();
  encoder_.reset();
  again_ = false;
  loaded_ = false;
  Q_EMIT changed();
}

void LibraryModel::refresh() {
  if (job_.running()) {
    again_ = true;
    return;
  }
  jobs_.libraryChanged();
  const auto next = [this] {
    job_ = {};
    if (std::exchange(again_, false)) refresh();
  };
  job_ = jobs_.run(
      Lane::kCatalog, this,
      [](JobContext& context) {
        Library& library = context.library();
        const bool writable = ::access(library.dir().c_str(), W_OK) == 0 &&
                              ::access((library.dir() / "catalog.sqlite").c_str(), W_OK) == 0;
        return Loaded{LibrarySnapshot::read(library, context.stop()), library.encoder(), !writable};
      },
      [this, next](Loaded loaded) {
        snapshot_ = std::move(loaded.snapshot);
        encoder_ = std::move(loaded.encoder);
        read_only_ = loaded.read_only;
        loaded_ = true;
        Q_EMIT changed();
        next();
      },
      [this, next](const JobError& error) {
        Q_EMIT failed(error);
        next();
      });
}

}  // namespace tessera::gui
