// Paints one page to a picture file once everything on it is there.
#include "app/screenshot.h"

#include <QPixmap>

#include "app/main_window.h"

namespace tessera::gui {
namespace {

constexpr int kLookMs = 50;
constexpr int kCalmLooks = 4;
constexpr qint64 kPatienceMs = 120'000;

}  // namespace

Screenshot::Screenshot(MainWindow& window, const QString& file, QObject* parent)
    : QObject(parent), window_(window), file_(file) {
  connect(&timer_, &QTimer::timeout, this, &Screenshot::look);
}

void Screenshot::start() {
  waiting_.start();
  timer_.start(kLookMs);
}

bool Screenshot::ready() const {
  Session& session = window_.session();
  const JobRunner& jobs = session.jobs();
  if (!session.libraryDir().empty() && !session.library().loaded()) return false;
  for (const Lane lane : {Lane::kMemory, Lane::kCatalog, Lane::kSearch, Lane::kPictures}) {
    if (jobs.pending(lane) > 0) return false;
  }
  const Page* page = window_.currentPage();
  return page != nullptr && page->screenshotReady();
}

void Screenshot::look() {
  calm_ = ready() ? calm_ + 1 : 0;
  if (calm_ < kCalmLooks && waiting_.elapsed() < kPatienceMs) return;
  timer_.stop();
  if (calm_ < kCalmLooks) {
    Q_EMIT finished(tr("The page %1 did not become ready.").arg(window_.currentPage()->name()));
    return;
  }
  const bool saved = window_.grab().save(file_);
  Q_EMIT finished(saved ? QString() : tr("%1 cannot be written.").arg(file_));
}

}  // namespace tessera::gui
