// A page with pictures that a job has found, in groups.
#include "curate/found_page.h"

#include <QLabel>
#include <QLocale>
#include <QPushButton>
#include <QVBoxLayout>

#include "app/count_text.h"
#include "browse/grid_footer.h"
#include "browse/grid_view.h"

namespace tessera::gui {

FoundPage::FoundPage(Session& session, const QString& name, const QString& title, QWidget* parent)
    : ViewPage(session, name, title, false, parent),
      state_(new QLabel(this)),
      stop_(new QPushButton(tr("Stop"), this)) {
  state_->setTextFormat(Qt::PlainText);
  state_->setMinimumWidth(1);
  stop_->hide();
  bar_ = new QHBoxLayout;
  bar_->setSpacing(8);
  auto* line = new QHBoxLayout;
  line->setContentsMargins(8, 4, 8, 4);
  line->setSpacing(12);
  line->addLayout(bar_);
  line->addWidget(state_, 1);
  line->addWidget(stop_);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(0);
  layout->addLayout(line);
  layout->addWidget(view_);
  layout->addWidget(footer_);
  connect(stop_, &QPushButton::clicked, this, &FoundPage::stop);
  connect(&session, &Session::libraryOpened, this, [this] {
    ids_.reset();
    found_ = {};
    show(found_);
    askAnew();
  });
  // Rows are of a snapshot: the same pictures in the new one.
  connect(&session.library(), &LibraryModel::changed, this, [this] { show(found_); });
}

void FoundPage::setPictures(std::optional<std::vector<ImageId>> ids) {
  ids_ = std::move(ids);
  askAnew();
}

void FoundPage::askAnew() {
  asked_ = false;
  if (isVisible()) ask();
}

void FoundPage::showEvent(QShowEvent* event) {
  Page::showEvent(event);
  if (!asked_) ask();
}

void FoundPage::ask() {
  finding_.cancel();
  asked_ = true;
  if (session().libraryDir().empty()) return setState(QString(), false);
  setState(tr("Looking…"), true);
  finding_ = session().jobs().run(
      Lane::kLong, this, question(),
      [this](Found found) {
        found_ = std::move(found);
        setState(found_.text, false);
        show(found_);
        answered();
      },
      [this](const JobError& error) { setState(error.message, false); });
}

void FoundPage::stop() {
  finding_.cancel();
  setState(tr("Stopped."), false);
}

void FoundPage::setState(const QString& text, bool busy) {
  state_->setText(text);
  state_->setToolTip(text);
  stop_->setVisible(busy);
  Q_EMIT screenshotReadyChanged();
}

void FoundPage::show(const Found& found) {
  const auto snapshot = session().library().snapshot();
  Arrangement arrangement;
  for (const FoundGroup& group : found.groups) {
    const auto first = static_cast<int>(arrangement.rows.size());
    for (const ImageId id : group.ids) {
      if (const auto row = snapshot->find(id)) arrangement.rows.push_back(*row);
    }
    const bool any = first < static_cast<int>(arrangement.rows.size());
    if (any && !group.title.isEmpty()) arrangement.groups.push_back({first, group.title});
  }
  const auto count = static_cast<std::int64_t>(arrangement.rows.size());
  footer_->setCount(countText(count, tr("photo"), tr("photos")));
  view_->replace([&] { list_->show(snapshot, std::move(arrangement)); });
  Q_EMIT screenshotReadyChanged();
}

bool FoundPage::screenshotReady() const { return asked_ && !finding_.running() && view_->thumbnailsReady(); }

}  // namespace tessera::gui
