// A handful of pictures at once.
#include "look/survey_page.h"

#include <QMouseEvent>
#include <QPainter>
#include <algorithm>
#include <cmath>

#include "look/page_parts.h"

namespace tessera::gui {
namespace {

constexpr int kGap = 10;
constexpr int kFrame = 3;
constexpr double kAspect = 4.0 / 3.0;

}  // namespace

std::vector<QRect> surveyCells(const QRect& area, int count, double aspect, int gap) {
  int best_columns = 1;
  double best_width = -1;
  for (int columns = 1; columns <= count; ++columns) {
    const int rows = (count + columns - 1) / columns;
    const double width = double(area.width() - gap * (columns + 1)) / columns;
    const double height = double(area.height() - gap * (rows + 1)) / rows;
    const double used = std::min(width, height * aspect);
    if (used > best_width) {
      best_width = used;
      best_columns = columns;
    }
  }
  std::vector<QRect> cells;
  const int rows = count == 0 ? 0 : (count + best_columns - 1) / best_columns;
  for (int i = 0; i < count; ++i) {
    const int width = (area.width() - gap * (best_columns + 1)) / best_columns;
    const int height = (area.height() - gap * (rows + 1)) / rows;
    cells.emplace_back(area.left() + gap + i % best_columns * (width + gap),
                       area.top() + gap + i / best_columns * (height + gap), width, height);
  }
  return cells;
}

SurveyPage::SurveyPage(Session& session, QWidget* parent)
    : Page(session, QStringLiteral("survey"), tr("Survey"), parent), loader_(PictureLoader::of(session)) {
  setFocusPolicy(Qt::StrongFocus);
  const auto add = [this](const QString& text, const QList<QKeySequence>& keys, const std::function<void()>& call) {
    actions_.append(makeAction(this, text, keys, call));
  };
  add(tr("Previous picture"), {Qt::Key_Left}, [this] { advance(-1); });
  add(tr("Next picture"), {Qt::Key_Right, Qt::Key_Space}, [this] { advance(1); });
  add(tr("Picture above"), {Qt::Key_Up}, [this] { moveRow(-1); });
  add(tr("Picture below"), {Qt::Key_Down}, [this] { moveRow(1); });
  add(tr("Take the picture off this page"), {Qt::Key_Backspace, Qt::Key_Slash}, [this] { removeCurrent(); });
  add(tr("Show it large"), {Qt::Key_Return, Qt::Key_Enter}, [this] {
    if (const auto id = currentPicture()) Q_EMIT this->session().lookWanted(*id, ids_);
  });
  connect(&loader_, &PictureLoader::loaded, this, [this] { update(); });
  connect(&loader_, &PictureLoader::failed, this, [this] { update(); });
  connect(&session, &Session::decorationChanged, this, [this] { update(); });
  connect(&session, &Session::libraryOpened, this, [this] { survey({}); });
  connect(&session.library(), &LibraryModel::changed, this, [this] {
    if (isVisible() && ids_.empty()) showEvent(nullptr);
  });
}

void SurveyPage::showEvent(QShowEvent* event) {
  if (event != nullptr) Page::showEvent(event);
  const LibrarySnapshot& snapshot = *session().library().snapshot();
  if (!ids_.empty() || snapshot.size() == 0) return;
  std::vector<ImageId> first;
  for (Row row = 0; row < std::min<Row>(snapshot.size(), 6); ++row) first.push_back(snapshot[row].id);
  survey(first);
}

void SurveyPage::survey(const std::vector<ImageId>& ids) {
  ids_ = ids;
  if (ids_.size() > kMost) {
    ids_.resize(kMost);
    Q_EMIT session().message(tr("The first %1 of %2 pictures are shown.").arg(kMost).arg(ids.size()));
  }
  setCurrent(0);
}

void SurveyPage::removeCurrent() {
  if (ids_.size() < 2) return;
  ids_.erase(ids_.begin() + current_);
  setCurrent(std::min(current_, static_cast<int>(ids_.size()) - 1));
}

std::vector<ImageId> SurveyPage::selectedPictures() const {
  const auto id = currentPicture();
  return id ? std::vector<ImageId>{*id} : std::vector<ImageId>();
}

std::optional<ImageId> SurveyPage::currentPicture() const {
  if (ids_.empty()) return std::nullopt;
  return ids_[static_cast<std::size_t>(current_)];
}

void SurveyPage::setCurrentPicture(ImageId id) {
  const auto at = std::find(ids_.begin(), ids_.end(), id);
  if (at != ids_.end()) setCurrent(static_cast<int>(at - ids_.begin()));
}

void SurveyPage::setCurrent(int index) {
  current_ = index;
  if (!ids_.empty()) {
    const LibrarySnapshot& snapshot = *session().library().snapshot();
    const auto row = snapshot.find(ids_[static_cast<std::size_t>(index)]);
    setAccessibleDescription(
        tr("%1 of %2: %3").arg(index + 1).arg(ids_.size()).arg(row ? snapshot.nameText(*row) : QString()));
  }
  update();
  Q_EMIT selectionChanged();
}

bool SurveyPage::advance(int step) {
  const int next = current_ + step;
  if (next < 0 || next >= static_cast<int>(ids_.size())) return false;
  setCurrent(next);
  return true;
}

void SurveyPage::moveRow(int rows) {
  const std::vector<QRect> all = cells();
  if (all.empty()) return;
  const int columns = static_cast<int>(
      std::count_if(all.begin(), all.end(), [&](const QRect& cell) { return cell.top() == all.front().top(); }));
  advance(rows * columns);
}

std::vector<QRect> SurveyPage::cells() const {
  return surveyCells(rect(), static_cast<int>(ids_.size()), kAspect, kGap);
}

int SurveyPage::cellAt(const QPoint& point) const {
  const std::vector<QRect> all = cells();
  const auto at = std::find_if(all.begin(), all.end(), [&](const QRect& cell) { return cell.contains(point); });
  return at == all.end() ? -1 : static_cast<int>(at - all.begin());
}

void SurveyPage::mousePressEvent(QMouseEvent* event) {
  setFocus();
  if (const int cell = cellAt(event->pos()); cell >= 0) setCurrent(cell);
}

void SurveyPage::mouseDoubleClickEvent(QMouseEvent* event) {
  if (const int cell = cellAt(event->pos()); cell >= 0) {
    Q_EMIT session().lookWanted(ids_[static_cast<std::size_t>(cell)], ids_);
  }
}

int SurveyPage::shortSide(const QRect& cell) const {
  return static_cast<int>(std::ceil(std::min(cell.width(), cell.height()) * devicePixelRatioF()));
}

void SurveyPage::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.setRenderHint(QPainter::SmoothPixmapTransform);
  if (ids_.empty()) {
    painter.setPen(palette().color(QPalette::PlaceholderText));
    painter.drawText(rect(), Qt::AlignCenter | Qt::TextWordWrap,
                     tr("Select some pictures in the grid and press N to see them together."));
    return;
  }
  const std::vector<QRect> all = cells();
  for (std::size_t i = 0; i < all.size(); ++i) paintCell(painter, all[i], static_cast<int>(i));
}

void SurveyPage::paintCell(QPainter& painter, const QRect& cell, int index) {
  const ImageId id = ids_[static_cast<std::size_t>(index)];
  const LibrarySnapshot& snapshot = *session().library().snapshot();
  const int line = fontMetrics().height() + 6;
  const QRect area = cell.adjusted(kFrame, kFrame, -kFrame, -kFrame - line);
  const QString problem = loader_.problem(id);
  const auto picture = problem.isEmpty() ? loader_.want(id, shortSide(area), 3) : nullptr;
  painter.setPen(palette().color(QPalette::WindowText));
  QRect place = area;
  if (picture) {
    const QSize size = picture->size.scaled(area.size(), Qt::KeepAspectRatio);
    place = QRect(QPoint(area.center().x() - size.width() / 2, area.center().y() - size.height() / 2), size);
    painter.drawImage(place, picture->levelFor(size.width() * devicePixelRatioF() / picture->size.width()));
  } else {
    painter.fillRect(area, palette().color(QPalette::AlternateBase));
    painter.drawText(area.adjusted(8, 8, -8, -8), Qt::AlignCenter | Qt::TextWordWrap,
                     problem.isEmpty() ? tr("Loading…") : problem);
  }
  paintMarksOf(painter, session(), place, id);
  const auto row = snapshot.find(id);
  const QRect caption(cell.left(), cell.bottom() - line, cell.width(), line);
  painter.setPen(palette().color(index == current_ ? QPalette::WindowText : QPalette::PlaceholderText));
  if (row) {
    painter.drawText(caption, Qt::AlignCenter,
                     fontMetrics().elidedText(snapshot.nameText(*row), Qt::ElideMiddle, caption.width()));
  }
  if (index == current_) {
    painter.setPen(QPen(palette().color(QPalette::Highlight), kFrame));
    painter.drawRect(place.adjusted(-kFrame, -kFrame, kFrame, kFrame));
  }
}

}  // namespace tessera::gui
