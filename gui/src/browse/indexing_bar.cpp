// The indexing run in the status bar.
#include "browse/indexing_bar.h"

#include <QCoreApplication>
#include <QHBoxLayout>
#include <QLabel>
#include <QLocale>
#include <QProgressBar>
#include <QToolButton>

#include "app/count_text.h"
#include "app/session.h"

namespace tessera::gui {

IndexingBar::IndexingBar(Session& session, QWidget* parent) : QWidget(parent), session_(session) {
  auto* layout = new QHBoxLayout(this);
  layout->setContentsMargins(6, 2, 6, 2);
  text_ = new QLabel(this);
  bar_ = new QProgressBar(this);
  bar_->setFixedWidth(180);
  bar_->setTextVisible(false);
  bar_->setAccessibleName(tr("Progress of reading pictures"));
  pause_ = new QToolButton(this);
  stop_ = new QToolButton(this);
  stop_->setText(tr("Cancel"));
  stop_->setToolTip(tr("Stop reading pictures; what was read stays"));
  for (QWidget* widget : {static_cast<QWidget*>(text_), static_cast<QWidget*>(bar_), static_cast<QWidget*>(pause_),
                          static_cast<QWidget*>(stop_)}) {
    layout->addWidget(widget);
  }
  Indexing& indexing = session.indexing();
  connect(pause_, &QToolButton::clicked, this,
          [&indexing] { indexing.state() == Indexing::State::kPaused ? indexing.resume() : indexing.pause(); });
  connect(stop_, &QToolButton::clicked, &indexing, &Indexing::stop);
  connect(&indexing, &Indexing::stateChanged, this, &IndexingBar::showState);
  connect(&indexing, &Indexing::progressed, this, &IndexingBar::showProgress);
  showState();
}

void IndexingBar::showState() {
  const Indexing::State state = session_.indexing().state();
  setVisible(state != Indexing::State::kIdle);
  const bool paused = state == Indexing::State::kPaused;
  pause_->setText(paused ? tr("Go on") : tr("Pause"));
  pause_->setEnabled(paused || state == Indexing::State::kRunning);
  stop_->setEnabled(state != Indexing::State::kStopping);
  showProgress();
}

void IndexingBar::showProgress() {
  const Indexing& indexing = session_.indexing();
  const IngestProgress& progress = indexing.progress();
  const QLocale locale;
  bar_->setRange(0, progress.walk_done ? std::max(1, static_cast<int>(progress.to_do)) : 0);
  bar_->setValue(static_cast<int>(progress.done));
  QString text;
  switch (indexing.state()) {
    case Indexing::State::kPaused: text = tr("Reading is paused"); break;
    case Indexing::State::kPausing:
    case Indexing::State::kStopping: text = tr("Storing what was read..."); break;
    default:
      if (!progress.walk_done && progress.done == 0) {
        text = progress.files_seen > 0 ? tr("%1 found").arg(filesText(progress.files_seen)) : tr("Starting to read...");
      } else {
        text = tr("%1 of %2 read")
                   .arg(locale.toString(qlonglong{progress.done}), locale.toString(qlonglong{progress.to_do}));
        if (indexing.rate() > 0) text += tr(", %1 a second").arg(locale.toString(indexing.rate(), 'f', 1));
        if (const auto left = indexing.secondsLeft()) text += tr(", %1 left").arg(durationText(*left));
      }
  }
  if (progress.failed > 0) text += tr(", %1 not readable").arg(locale.toString(qlonglong{progress.failed}));
  text_->setText(text);
}

QString durationText(double seconds) {
  const auto whole = static_cast<qint64>(seconds + 0.5);
  const auto tr = [](const char* text) { return QCoreApplication::translate("Duration", text); };
  if (whole < 60) return tr("%1 s").arg(whole);
  const qint64 minutes = (whole + 30) / 60;
  if (minutes < 60) return tr("%1 min").arg(minutes);
  return tr("%1 h %2 min").arg(minutes / 60).arg(minutes % 60);
}

}  // namespace tessera::gui
