// The open library as all pages see it.
#include "app/library_model.h"

#include <unistd.h>

namespace tessera::gui {
namespace {

constexpr qint64 kRest = 10;  // so many times as long as reading takes

}  // namespace

LibraryModel::LibraryModel(JobRunner& jobs, QObject* parent)
    : QObject(parent), jobs_(jobs), snapshot_(std::make_shared<LibrarySnapshot>()) {}

void LibraryModel::clear() {
  job_.cancel();
  asking_.cancel();
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
        QElapsedTimer time;
        time.start();
        Library& library = context.library();
        const std::int64_t version = library.data_version();  // before: what is written meanwhile is read next time
        const bool writable = ::access(library.dir().c_str(), W_OK) == 0 &&
                              ::access((library.dir() / "catalog.sqlite").c_str(), W_OK) == 0;
        Loaded loaded{LibrarySnapshot::read(library, context.stop()), library.encoder(), !writable, version, 0};
        loaded.ms = time.elapsed();
        return loaded;
      },
      [this, next](Loaded loaded) {
        snapshot_ = std::move(loaded.snapshot);
        encoder_ = std::move(loaded.encoder);
        read_only_ = loaded.read_only;
        loaded_ = true;
        version_ = loaded.version;
        reading_ms_ = loaded.ms;
        read_.start();
        Q_EMIT changed();
        next();
      },
      [this, next](const JobError& error) {
        Q_EMIT failed(error);
        next();
      });
}

void LibraryModel::refreshIfChanged() {
  if (job_.running() || asking_.running()) return;
  if (read_.isValid() && read_.elapsed() < kRest * reading_ms_) return;
  asking_ = jobs_.run(
      Lane::kCatalog, this, [](JobContext& context) { return context.library().data_version(); },
      [this](std::int64_t version) {
        if (version != version_) refresh();
      },
      [](const JobError&) {});
}

}  // namespace tessera::gui
