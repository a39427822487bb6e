// One picture large, with its neighbours a key away.
#include "look/loupe_page.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QSettings>
#include <QSplitter>
#include <QToolButton>
#include <algorithm>
#include <cmath>

#include "curate/curation_model.h"
#include "curate/marks_painter.h"
#include "look/info_panel.h"
#include "look/page_parts.h"
#include "look/picture_view.h"

namespace tessera::gui {

LoupePage::LoupePage(Session& session, QWidget* parent)
    : Page(session, QStringLiteral("loupe"), tr("Loupe"), parent), loader_(PictureLoader::of(session)) {
  view_ = new PictureView(this);
  view_->setText(tr("No picture is chosen. Select one in the grid and press E."));
  view_->setDecorator([this](QPainter& painter) {
    if (const auto id = currentPicture()) paintMarksOf(painter, this->session(), marksPlace(*view_), *id);
  });
  info_ = new InfoPanel(this);
  addActions();
  auto* splitter = new QSplitter(this);
  splitter->addWidget(view_);
  splitter->addWidget(info_);
  splitter->setStretchFactor(0, 1);
  splitter->setCollapsible(0, false);
  splitter->setSizes({960, 280});
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(0);
  layout->addWidget(splitter, 1);
  addBar();
  layout->addWidget(bar_);
  setFocusProxy(view_);
  setProperty("keyHints",
              QStringList{tr("Wheel"), tr("Zoom at the mouse"), tr("Shift+Arrows"), tr("Move an enlarged picture"),
                          tr("Arrows, Shift+Arrows"), tr("Move or resize the region that is drawn"), tr("Enter"),
                          tr("Search for the region"), tr("Esc"), tr("End drawing the region")});

  connect(view_, &PictureView::viewChanged, this, &LoupePage::showTexts);
  connect(view_, &PictureView::detailWanted, this, [this] {
    if (const auto id = currentPicture()) loader_.want(*id, PictureLoader::kFull, 10);
  });
  connect(view_, &PictureView::doubleClicked, view_, &PictureView::toggleFullSize);
  connect(view_, &PictureView::regionTaken, this, &LoupePage::takeRegion);
  connect(view_, &PictureView::regionChanged, this, &LoupePage::showTexts);
  connect(view_, &PictureView::regionModeChanged, region_, &QAction::setChecked);
  connect(&loader_, &PictureLoader::loaded, this, &LoupePage::showLoaded);
  connect(&loader_, &PictureLoader::failed, this, &LoupePage::showFailed);
  connect(&session, &Session::lookWanted, this, [this](ImageId id, const std::vector<ImageId>& among) {
    look(id, among);
    Q_EMIT this->session().pageWanted(name());
  });
  connect(&session, &Session::decorationChanged, this, [this] {
    view_->update();
    showInfo();
  });
  connect(&session, &Session::libraryOpened, this, [this] {
    among_.clear();
    at_ = -1;
    view_->setText(tr("No picture is chosen. Select one in the grid and press E."));
    info_->clear();
    showTexts();
  });
  connect(&session.library(), &LibraryModel::changed, this, [this] {
    if (isVisible() && at_ < 0) showEvent(nullptr);
  });
  showTexts();
}

void LoupePage::addActions() {
  const auto add = [this](const QString& text, const QList<QKeySequence>& keys, const std::function<void()>& call) {
    actions_.append(makeAction(this, text, keys, call));
    return actions_.back();
  };
  add(tr("Previous picture"), {Qt::Key_Left, Qt::Key_Backspace}, [this] { advance(-1); });
  add(tr("Next picture"), {Qt::Key_Right, Qt::Key_Space}, [this] { advance(1); });
  add(tr("First picture"), {Qt::Key_Home}, [this] { goTo(0); });
  add(tr("Last picture"), {Qt::Key_End}, [this] { goTo(std::ssize(among_) - 1); });
  add(tr("Fit or 100 %"), {Qt::Key_Z}, [this] { view_->toggleFullSize(); });
  add(tr("Fit to window"), {QKeySequence(Qt::CTRL | Qt::Key_0)}, [this] { view_->setFit(); });
  add(tr("Zoom in"), {Qt::Key_Plus, Qt::Key_Equal, QKeySequence::ZoomIn}, [this] { view_->zoomStep(1); });
  add(tr("Zoom out"), {Qt::Key_Minus, QKeySequence::ZoomOut}, [this] { view_->zoomStep(-1); });
  add(tr("Turn the view left"), {Qt::Key_BracketLeft}, [this] { view_->turn(-1); });
  add(tr("Turn the view right"), {Qt::Key_BracketRight}, [this] { view_->turn(1); });
  region_ = add(tr("Draw a region to search for"), {Qt::Key_R}, [this] { view_->setRegionMode(region_->isChecked()); });
  region_->setCheckable(true);
  QAction* info = add(tr("Show what the file says"), {Qt::Key_I}, [] {});
  info->setCheckable(true);
  const QString key = QStringLiteral("loupe/info");
  info->setChecked(QSettings().value(key, true).toBool());
  info_->setVisible(info->isChecked());
  connect(info, &QAction::toggled, this, [this, key](bool on) {
    info_->setVisible(on);
    QSettings().setValue(key, on);
  });
}

void LoupePage::addBar() {
  bar_ = new QWidget(this);
  auto* bar = new QHBoxLayout(bar_);
  bar->setContentsMargins(8, 2, 8, 2);
  const auto action = [this](int index) { return actions_[index]; };
  addButton(bar, action(0), QStringLiteral("◀"));
  addButton(bar, action(1), QStringLiteral("▶"));
  position_ = new QLabel(bar_);
  name_ = makeLine(bar_);
  name_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  name_->setAccessibleName(tr("File name"));
  hint_ = makeLine(bar_);
  zoom_ = new QLabel(bar_);
  bar->addWidget(position_);
  bar->addSpacing(12);
  bar->addWidget(name_);
  bar->addStretch(1);
  bar->addWidget(hint_);
  bar->addSpacing(12);
  bar->addWidget(zoom_);
  addButton(bar, action(5), tr("Fit"));
  addButton(bar, action(4), tr("100 %"));
  addButton(bar, action(8), QStringLiteral("↺"));
  addButton(bar, action(9), QStringLiteral("↻"));
  addButton(bar, action(10), tr("Region"));
  addButton(bar, action(11), tr("Info"));
}

bool LoupePage::screenshotReady() const { return !loader_.loading(); }

void LoupePage::showEvent(QShowEvent* event) {
  if (event != nullptr) Page::showEvent(event);
  const LibrarySnapshot& snapshot = *session().library().snapshot();
  if (at_ < 0 && snapshot.size() > 0) look(snapshot[0].id, {});
}

void LoupePage::look(ImageId id, const std::vector<ImageId>& among) {
  among_ = among;
  if (among_.size() < 2) {
    among_.clear();
    const LibrarySnapshot& snapshot = *session().library().snapshot();
    for (Row row = 0; row < snapshot.size(); ++row) among_.push_back(snapshot[row].id);
  }
  auto at = std::find(among_.begin(), among_.end(), id);
  if (at == among_.end()) at = among_.insert(among_.begin(), id);
  at_ = at - among_.begin();
  showCurrent();
}

std::vector<ImageId> LoupePage::selectedPictures() const {
  const auto id = currentPicture();
  return id ? std::vector<ImageId>{*id} : std::vector<ImageId>();
}

std::optional<ImageId> LoupePage::currentPicture() const {
  if (at_ < 0) return std::nullopt;
  return among_[static_cast<std::size_t>(at_)];
}

void LoupePage::setCurrentPicture(ImageId id) {
  const auto at = std::find(among_.begin(), among_.end(), id);
  if (at == among_.end()) {
    look(id, {});
  } else {
    goTo(at - among_.begin());
  }
}

bool LoupePage::advance(int step) {
  const std::ptrdiff_t next = at_ + step;
  if (at_ < 0 || next < 0 || next >= std::ssize(among_)) return false;
  goTo(next);
  return true;
}

void LoupePage::goTo(std::ptrdiff_t position) {
  if (position < 0 || position >= std::ssize(among_) || position == at_) return;
  at_ = position;
  showCurrent();
}

std::optional<Row> LoupePage::currentRow() const {
  const auto id = currentPicture();
  return id ? session().library().snapshot()->find(*id) : std::nullopt;
}

void LoupePage::showCurrent() {
  const ImageId id = *currentPicture();
  view_->setRegionMode(false);
  view_->turn(-view_->geometryOfView().turns());
  const auto row = currentRow();
  const LibrarySnapshot& snapshot = *session().library().snapshot();
  const QSize size = row ? QSize(snapshot[*row].width, snapshot[*row].height) : QSize();
  view_->setPicture(nullptr, size);
  if (loader_.want(id, view_->shortSideForFit(), 5)) {
    showLoaded(id);
  } else {
    view_->setText(tr("Loading…"));
    showInfo();
  }
  showTexts();
  Q_EMIT selectionChanged();
}

void LoupePage::showLoaded(ImageId id) {
  if (id != currentPicture()) return;
  const auto picture = loader_.want(id, view_->shortSideForFit(), 5);
  if (!picture) return;
  view_->setPicture(picture, picture->size);
  view_->setAccessibleDescription(name_->text());
  showInfo();
  if (view_->needsDetail()) loader_.want(id, PictureLoader::kFull, 10);
  showTexts();
  for (const std::ptrdiff_t step : {1, -1, 2}) {
    const std::ptrdiff_t near = at_ + step;
    if (near < 0 || near >= std::ssize(among_)) continue;
    const ImageId neighbour = among_[static_cast<std::size_t>(near)];
    if (loader_.problem(neighbour).isEmpty()) loader_.want(neighbour, view_->shortSideForFit(), -1);
  }
}

void LoupePage::showFailed(ImageId id) {
  if (id != currentPicture()) return;
  view_->setText(loader_.problem(id), true);
  showInfo();
  showTexts();
}

void LoupePage::showInfo() {
  const auto row = currentRow();
  if (!row) return;
  const LibrarySnapshot& snapshot = *session().library().snapshot();
  const CurationModel& curation = CurationModel::of(session());
  const ShownMarks shown = curation.marks(snapshot[*row].id);
  auto lines = InfoPanel::lines(snapshot, *row, view_->picture().get());
  const QString tags = curation.tagNames(shown.tags).join(QStringLiteral("\n"));
  if (!tags.isEmpty()) lines.insert(lines.begin() + 1, {tr("Tags"), tags});
  const QString marks = marksWords(shown.marks);
  if (!marks.isEmpty()) lines.insert(lines.begin() + 1, {tr("Marks"), marks});
  info_->show(lines);
}

void LoupePage::showTexts() {
  const auto row = currentRow();
  position_->setText(at_ < 0 ? QString() : tr("%1 of %2").arg(at_ + 1).arg(among_.size()));
  name_->setText(row ? session().library().snapshot()->nameText(*row) : QString());
  zoom_->setText(view_->picture() ? tr("%1 %").arg(std::lround(100 * view_->geometryOfView().zoom())) : QString());
  if (!view_->regionMode()) {
    hint_->clear();
  } else if (view_->region().isEmpty()) {
    hint_->setText(tr("Drag a rectangle, or press an arrow key"));
  } else {
    hint_->setText(tr("Enter searches for this part, Esc ends"));
  }
}

void LoupePage::takeRegion(const QRectF& fraction) {
  if (!view_->picture()) return;
  Q_EMIT session().regionSearchWanted(view_->picture()->path, fraction);
}

}  // namespace tessera::gui
