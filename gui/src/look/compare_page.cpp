// Two to four pictures side by side.
#include "look/compare_page.h"

#include <QGridLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QSlider>
#include <QStackedLayout>
#include <QToolButton>
#include <algorithm>

#include "look/info_panel.h"
#include "look/page_parts.h"
#include "look/picture_view.h"

namespace tessera::gui {
namespace {

constexpr int kMostGain = 16;
const QChar kFirstLetter = QLatin1Char('A');

QString letter(int index) { return QString(QChar(kFirstLetter.unicode() + index)); }

}  // namespace

ComparePage::ComparePage(Session& session, QWidget* parent)
    : Page(session, QStringLiteral("compare"), tr("Compare"), parent), loader_(PictureLoader::of(session)) {
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(0);
  stack_ = new QStackedLayout;
  addPanes();
  addActions();
  setProperty("keyHints", QStringList{tr("Hold A or B"), tr("See that picture in every place"), tr("Hold Shift+A … D"),
                                      tr("The same for each of the four"), tr("Wheel"), tr("Zoom all at the mouse"),
                                      tr("Shift+Arrows"), tr("Move enlarged pictures")});
  layout->addLayout(stack_, 1);
  layout->addWidget(makeBar());
  connect(&loader_, &PictureLoader::loaded, this, [this] { showPictures(); });
  connect(&loader_, &PictureLoader::failed, this, [this] { showPictures(); });
  connect(&session, &Session::decorationChanged, this, [this] {
    for (const Pane& pane : panes_) pane.view->update();
  });
  connect(&session, &Session::compareWanted, this, [this](const std::vector<ImageId>& ids) {
    compare(ids);
    Q_EMIT this->session().pageWanted(name());
  });
  connect(&session, &Session::libraryOpened, this, [this] { compare({}); });
  connect(&session.library(), &LibraryModel::changed, this, [this] {
    if (isVisible() && ids_.empty()) showEvent(nullptr);
  });
  compare({});
}

void ComparePage::addPanes() {
  auto* panes = new QWidget(this);
  grid_ = new QGridLayout(panes);
  grid_->setContentsMargins(0, 0, 0, 0);
  grid_->setSpacing(3);
  for (int i = 0; i < static_cast<int>(kMost); ++i) {
    Pane pane;
    pane.frame = new QWidget(panes);
    auto* column = new QVBoxLayout(pane.frame);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    pane.view = new PictureView(pane.frame);
    pane.view->setProperty("framed", true);
    pane.view->setAccessibleName(tr("Picture %1").arg(letter(i)));
    pane.view->installEventFilter(this);
    pane.view->setDecorator([this, i](QPainter& painter) {
      const int shown = flipped_ >= 0 ? flipped_ : i;
      if (shown >= count()) return;
      paintMarksOf(painter, this->session(), marksPlace(*view(i)), ids_[static_cast<std::size_t>(shown)]);
    });
    pane.caption = makeLine(pane.frame);
    pane.caption->setContentsMargins(8, 3, 8, 3);
    column->addWidget(pane.view, 1);
    column->addWidget(pane.caption);
    connect(pane.view, &PictureView::viewChanged, this, [this, view = pane.view] { follow(view); });
    connect(pane.view, &PictureView::detailWanted, this, [this, i] {
      const int shown = flipped_ >= 0 ? flipped_ : i;
      if (shown < count()) loader_.want(ids_[static_cast<std::size_t>(shown)], PictureLoader::kFull, 10);
    });
    connect(pane.view, &PictureView::doubleClicked, this, [this, i] {
      if (i < count()) Q_EMIT session().lookWanted(ids_[static_cast<std::size_t>(i)], ids_);
    });
    panes_.push_back(pane);
  }
  stack_->addWidget(panes);
  difference_view_ = new PictureView(this);
  difference_view_->setAccessibleName(tr("Difference of A and B"));
  connect(difference_view_, &PictureView::viewChanged, this, [this] { follow(difference_view_); });
  stack_->addWidget(difference_view_);
  setFocusProxy(panes_[0].view);
}

void ComparePage::addActions() {
  const auto add = [this](const QString& text, const QList<QKeySequence>& keys, const std::function<void()>& call) {
    actions_.append(makeAction(this, text, keys, call));
    return actions_.back();
  };
  const auto current = [this] { return showsDifference() ? difference_view_ : panes_[std::size_t(current_)].view; };
  add(tr("Next place"), {Qt::Key_Right, Qt::Key_Space}, [this] { advance(1); });
  add(tr("Previous place"), {Qt::Key_Left, Qt::Key_Backspace}, [this] { advance(-1); });
  add(tr("Another picture in this place: next"), {Qt::Key_Down}, [this] { changePicture(1); });
  add(tr("Another picture in this place: previous"), {Qt::Key_Up}, [this] { changePicture(-1); });
  add(tr("Fit or 100 %"), {Qt::Key_Z}, [current] { current()->toggleFullSize(); });
  add(tr("Fit to window"), {QKeySequence(Qt::CTRL | Qt::Key_0)}, [current] { current()->setFit(); });
  add(tr("Zoom in"), {Qt::Key_Plus, Qt::Key_Equal, QKeySequence::ZoomIn}, [current] { current()->zoomStep(1); });
  add(tr("Zoom out"), {Qt::Key_Minus, QKeySequence::ZoomOut}, [current] { current()->zoomStep(-1); });
  add(tr("Turn the view left"), {Qt::Key_BracketLeft}, [current] { current()->turn(-1); });
  add(tr("Turn the view right"), {Qt::Key_BracketRight}, [current] { current()->turn(1); });
  difference_ = add(tr("Difference of A and B"), {Qt::Key_D}, [] {});
  difference_->setCheckable(true);
  connect(difference_, &QAction::toggled, this, &ComparePage::setDifference);
}

QWidget* ComparePage::makeBar() {
  auto* widget = new QWidget(this);
  auto* bar = new QHBoxLayout(widget);
  bar->setContentsMargins(8, 2, 8, 2);
  hint_ = makeLine(widget);
  hint_->setText(tr("Hold A or B (Shift+A … D) to see that picture in every place"));
  bar->addWidget(hint_);
  bar->addStretch(1);
  gain_text_ = new QLabel(widget);
  gain_ = new QSlider(Qt::Horizontal, widget);
  gain_->setRange(1, kMostGain);
  gain_->setValue(4);
  gain_->setPageStep(4);
  gain_->setFixedWidth(fontMetrics().averageCharWidth() * 20);
  gain_->setAccessibleName(tr("How much the difference is brightened"));
  gain_text_->setBuddy(gain_);
  connect(gain_, &QSlider::valueChanged, this, [this] { makeDifference(); });
  bar->addWidget(gain_text_);
  bar->addWidget(gain_);
  gain_->hide();
  gain_text_->hide();
  addButton(bar, difference_, tr("Difference"));
  addButton(bar, actions_[5], tr("Fit"));
  addButton(bar, actions_[4], tr("100 %"));
  addButton(bar, actions_[8], QStringLiteral("↺"));
  addButton(bar, actions_[9], QStringLiteral("↻"));
  return widget;
}

bool ComparePage::screenshotReady() const { return !loader_.loading() && !difference_job_.running(); }

bool ComparePage::showsDifference() const { return stack_->currentWidget() == difference_view_; }

void ComparePage::showEvent(QShowEvent* event) {
  if (event != nullptr) Page::showEvent(event);
  const LibrarySnapshot& snapshot = *session().library().snapshot();
  if (ids_.empty() && snapshot.size() > 1) compare({snapshot[0].id, snapshot[1].id});
}

void ComparePage::compare(const std::vector<ImageId>& ids) {
  ids_ = ids;
  if (ids_.size() > kMost) {
    ids_.resize(kMost);
    Q_EMIT session().message(tr("Four pictures are compared, the first of %1.").arg(ids.size()));
  }
  flipped_ = -1;
  current_ = 0;
  difference_->setChecked(false);
  difference_->setEnabled(ids_.size() >= 2);
  arrange();
  for (const Pane& pane : panes_) {
    pane.view->setViewState({});
    pane.view->turn(-pane.view->geometryOfView().turns());
  }
  showPictures();
  setCurrent(0);
}

void ComparePage::arrange() {
  for (const Pane& pane : panes_) {
    grid_->removeWidget(pane.frame);
    pane.frame->setVisible(false);
  }
  const int shown = std::max(1, count());
  const int columns = shown == 4 ? 2 : shown;
  for (int i = 0; i < shown; ++i) {
    grid_->addWidget(panes_[std::size_t(i)].frame, i / columns, i % columns);
    panes_[std::size_t(i)].frame->setVisible(true);
  }
}

QString ComparePage::captionOf(int index) const {
  const ImageId id = ids_[static_cast<std::size_t>(index)];
  const LibrarySnapshot& snapshot = *session().library().snapshot();
  const auto row = snapshot.find(id);
  if (!row) return letter(index);
  QStringList parts{letter(index), snapshot.nameText(*row)};
  const Picture& picture = snapshot[*row];
  if (picture.width > 0) parts.append(QStringLiteral("%1 × %2").arg(picture.width).arg(picture.height));
  const auto& shown = panes_[static_cast<std::size_t>(index)].view->picture();
  if (shown && flipped_ < 0) {
    parts.append(bytesText(shown->file_bytes));
    const QString taken = QString::fromStdString(shown->exif.date_taken);
    if (!taken.isEmpty()) parts.append(taken);
  }
  return parts.join(QStringLiteral("    "));
}

void ComparePage::showPane(int index) {
  PictureView* view = panes_[static_cast<std::size_t>(index)].view;
  const int shown = flipped_ >= 0 ? flipped_ : index;
  const ImageId id = ids_[static_cast<std::size_t>(shown)];
  const LibrarySnapshot& snapshot = *session().library().snapshot();
  if (!loader_.problem(id).isEmpty()) {
    view->setText(loader_.problem(id), true);
  } else if (const auto picture = loader_.want(id, view->shortSideForFit(), 5)) {
    view->setPicture(picture, picture->size);
    if (view->needsDetail()) loader_.want(id, PictureLoader::kFull, 10);
  } else {
    const auto row = snapshot.find(id);
    if (row) view->setPicture(nullptr, QSize(snapshot[*row].width, snapshot[*row].height));
    view->setText(tr("Loading…"));
  }
  panes_[static_cast<std::size_t>(index)].caption->setText(captionOf(shown));
  view->setAccessibleDescription(captionOf(shown));
}

void ComparePage::showPictures() {
  if (ids_.empty()) {
    panes_[0].view->setText(tr("Select two to four pictures in the grid and press C."));
    panes_[0].caption->clear();
    return;
  }
  for (int i = 0; i < count(); ++i) showPane(i);
  if (showsDifference()) makeDifference();
}

void ComparePage::flip(int index) {
  if (index >= count() || index == flipped_) return;
  flipped_ = index;
  showPictures();
}

bool ComparePage::eventFilter(QObject* watched, QEvent* event) {
  if (event->type() == QEvent::KeyPress || event->type() == QEvent::KeyRelease) {
    const auto* key = static_cast<QKeyEvent*>(event);
    const int index = key->key() - Qt::Key_A;
    // C and D alone have other meanings; letting either key go ends it.
    const bool shift = key->modifiers() == Qt::ShiftModifier;
    const bool wanted = index >= 0 && index < count() && (shift || (index < 2 && key->modifiers() == Qt::NoModifier));
    if (flipped_ >= 0 && event->type() == QEvent::KeyRelease && !key->isAutoRepeat() &&
        (index == flipped_ || key->key() == Qt::Key_Shift)) {
      flip(-1);
      return true;
    }
    if (wanted && event->type() == QEvent::KeyPress) {
      if (!key->isAutoRepeat()) flip(index);
      return true;
    }
  }
  if (event->type() == QEvent::FocusOut) flip(-1);
  if (event->type() == QEvent::FocusIn) {
    for (int i = 0; i < count(); ++i) {
      if (panes_[static_cast<std::size_t>(i)].view == watched) setCurrent(i);
    }
  }
  return Page::eventFilter(watched, event);
}

void ComparePage::follow(PictureView* leader) {
  const ViewState state = leader->viewState();
  const int turns = leader->geometryOfView().turns();
  const auto move = [&](PictureView* view) {
    if (view == leader) return;
    const QSignalBlocker silent(view);
    if (view->geometryOfView().turns() != turns) view->turn(turns - view->geometryOfView().turns());
    view->setViewState(state);
  };
  for (int i = 0; i < count(); ++i) move(panes_[static_cast<std::size_t>(i)].view);
  move(difference_view_);
  for (int i = 0; i < count(); ++i) {  // blocked views could not ask
    if (panes_[static_cast<std::size_t>(i)].view->needsDetail()) {
      loader_.want(ids_[static_cast<std::size_t>(i)], PictureLoader::kFull, 10);
    }
  }
}

void ComparePage::setDifference(bool on) {
  if (on && count() < 2) return;
  stack_->setCurrentIndex(on ? 1 : 0);
  gain_->setVisible(on);
  gain_text_->setVisible(on);
  hint_->setVisible(!on);
  (on ? difference_view_ : panes_[static_cast<std::size_t>(current_)].view)->setFocus();
  if (on) makeDifference();
}

// In a job, of what is decoded; again when more is.
void ComparePage::makeDifference() {
  gain_text_->setText(tr("Brightened %1 times").arg(gain_->value()));
  if (!showsDifference() || count() < 2) return;
  const auto a = loader_.want(ids_[0], difference_view_->shortSideForFit(), 5);
  const auto b = loader_.want(ids_[1], difference_view_->shortSideForFit(), 5);
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
    if (loader_.problem(ids_[i]).isEmpty()) continue;
    difference_view_->setText(loader_.problem(ids_[i]), true);
    return;
  }
  const double gain = gain_->value();
  if (!a || !b || (a == difference_of_[0] && b == difference_of_[1] && gain == difference_gain_)) return;
  difference_of_[0] = a;
  difference_of_[1] = b;
  difference_gain_ = gain;
  difference_job_.cancel();
  difference_job_ = session().jobs().run(
      Lane::kPictures, this,
      [a, b, gain](JobContext&) {
        auto made = std::make_shared<DisplayPicture>();
        made->size = a->size;
        made->levels.push_back(difference_image(a->levels[0], b->levels[0], gain));
        return std::shared_ptr<const DisplayPicture>(made);
      },
      [this](const std::shared_ptr<const DisplayPicture>& made) { difference_view_->setPicture(made, made->size); });
}

void ComparePage::setCurrent(int index) {
  current_ = index;
  setFocusProxy(panes_[static_cast<std::size_t>(index)].view);
  for (int i = 0; i < static_cast<int>(kMost); ++i) {
    QFont font = panes_[static_cast<std::size_t>(i)].caption->font();
    font.setBold(i == index);
    panes_[static_cast<std::size_t>(i)].caption->setFont(font);
    panes_[static_cast<std::size_t>(i)].view->update();
  }
  Q_EMIT selectionChanged();
}

std::vector<ImageId> ComparePage::selectedPictures() const {
  const auto id = currentPicture();
  return id ? std::vector<ImageId>{*id} : std::vector<ImageId>();
}

std::optional<ImageId> ComparePage::currentPicture() const {
  if (ids_.empty()) return std::nullopt;
  return ids_[static_cast<std::size_t>(current_)];
}

void ComparePage::setCurrentPicture(ImageId id) {
  const auto at = std::find(ids_.begin(), ids_.end(), id);
  if (at != ids_.end()) panes_[static_cast<std::size_t>(at - ids_.begin())].view->setFocus();
}

bool ComparePage::advance(int step) {
  const int next = current_ + step;
  if (next < 0 || next >= count()) return false;
  panes_[static_cast<std::size_t>(next)].view->setFocus();
  setCurrent(next);
  return true;
}

// The neighbour in the library that is not on the page already.
void ComparePage::changePicture(int step) {
  if (ids_.empty()) return;
  const LibrarySnapshot& snapshot = *session().library().snapshot();
  const auto row = snapshot.find(ids_[static_cast<std::size_t>(current_)]);
  if (!row) return;
  for (std::int64_t next = std::int64_t(*row) + step; next >= 0 && next < snapshot.size(); next += step) {
    const ImageId id = snapshot[static_cast<Row>(next)].id;
    if (std::find(ids_.begin(), ids_.end(), id) != ids_.end()) continue;
    ids_[static_cast<std::size_t>(current_)] = id;
    showPictures();
    Q_EMIT selectionChanged();
    return;
  }
}

}  // namespace tessera::gui
