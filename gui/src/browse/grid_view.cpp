// A grid of thumbnails that paints only what is seen.
#include "browse/grid_view.h"

#include <QDrag>
#include <QMouseEvent>
#include <QPaintEvent>
#include <QPainter>
#include <QRubberBand>
#include <QScrollBar>
#include <QWheelEvent>
#include <algorithm>

#include "app/count_text.h"
#include "app/session.h"

namespace tessera::gui {

GridView::GridView(Session& session, PictureList* list, QWidget* parent)
    : QListView(parent), session_(session), list_(list) {
  setModel(list);
  setSelectionMode(ExtendedSelection);
  setEditTriggers(NoEditTriggers);
  setDragDropMode(DragOnly);
  setVerticalScrollMode(ScrollPerPixel);
  setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  setFrameShape(NoFrame);
  viewport()->setMouseTracking(false);
  ask_.setSingleShot(true);
  ask_.setInterval(0);
  connect(&ask_, &QTimer::timeout, this, &GridView::askForThumbnails);
  connect(&session.thumbnails(), &Thumbnails::ready, this, &GridView::repaintContent);
  connect(&session.thumbnails(), &Thumbnails::settled, this, &GridView::thumbnailsReadyChanged);
  connect(&session, &Session::decorationChanged, viewport(), qOverload<>(&QWidget::update));
  connect(this, &QListView::activated, this, [this](const QModelIndex& index) {
    if (index.isValid()) Q_EMIT pictureActivated(list_->id(index.row()));
  });
  arrangeCells();
}

GridView::~GridView() = default;

int GridView::pixels() const { return static_cast<int>(side_ * devicePixelRatioF() + 0.5); }

void GridView::setSide(int side) {
  side = std::clamp(side, kLeastSide, kLargestSide);
  if (side == side_) return;
  const int middle = verticalOffset() + viewport()->height() / 2;
  const QModelIndex current = currentIndex();
  const bool follow = current.isValid() && visualRect(current).intersects(viewport()->rect());
  const int anchor = follow ? current.row() : layout_.nearestItem({0, middle});
  side_ = side;
  arrangeCells();
  if (anchor >= 0) scrollTo(list_->index(anchor), PositionAtCenter);
  Q_EMIT sideChanged(side);
}

void GridView::arrangeCells() {
  const QSize cell = CellPainter::cellSize(side_, font());
  GridMetrics metrics;
  metrics.width = viewport()->width();
  metrics.cell_width = cell.width();
  metrics.cell_height = cell.height();
  metrics.heading = fontMetrics().height() + 18;
  std::vector<int> starts;
  for (const Group& group : list_->groups()) starts.push_back(group.first);
  layout_.set(metrics, list_->count(), std::move(starts));
  updateGeometries();
  viewport()->update();
  ask_.start();
}

std::vector<ImageId> GridView::selectedIds() const {
  std::vector<std::pair<int, int>> ranges;
  for (const QItemSelectionRange& range : selectionModel()->selection())
    ranges.emplace_back(range.top(), range.bottom());
  std::sort(ranges.begin(), ranges.end());
  std::vector<ImageId> ids;
  for (const auto& [first, last] : ranges) {
    for (int item = first; item <= last; ++item) ids.push_back(list_->id(item));
  }
  return ids;
}

std::optional<ImageId> GridView::currentId() const {
  return currentIndex().isValid() ? std::optional(list_->id(currentIndex().row())) : std::nullopt;
}

void GridView::setCurrentId(ImageId id) {
  if (const auto item = list_->itemOf(id)) setCurrentIndex(list_->index(*item));
}

void GridView::select(const std::vector<ImageId>& ids) {
  if (!ids.empty()) setCurrentId(ids.front());
  for (const ImageId id : ids) {
    if (const auto item = list_->itemOf(id)) selectionModel()->select(list_->index(*item), QItemSelectionModel::Select);
  }
}

bool GridView::step(int step) {
  const int next = currentIndex().isValid() ? currentIndex().row() + step : 0;
  if (next < 0 || next >= list_->count()) return false;
  setCurrentIndex(list_->index(next));
  return true;
}

void GridView::replace(const std::function<void()>& change) {
  const std::vector<ImageId> selected = selectedIds();
  const std::optional<ImageId> current = currentId();
  const int top = layout_.nearestItem({0, verticalOffset()});
  const bool at_top = verticalOffset() == 0;
  const ImageId first = top >= 0 ? list_->id(top) : 0;
  const int above = top >= 0 ? verticalOffset() - layout_.cell(top).top() : 0;
  change();
  QItemSelection selection;
  for (const ImageId id : selected) {
    const auto item = list_->itemOf(id);
    if (!item) continue;
    if (!selection.isEmpty() && selection.back().bottom() == *item - 1) {
      selection.back() = QItemSelectionRange(selection.back().topLeft(), list_->index(*item));
    } else {
      selection.append(QItemSelectionRange(list_->index(*item)));
    }
  }
  selectionModel()->select(selection, QItemSelectionModel::ClearAndSelect);
  if (const auto item = current ? list_->itemOf(*current) : std::nullopt) {
    const QSignalBlocker blocker(verticalScrollBar());
    selectionModel()->setCurrentIndex(list_->index(*item), QItemSelectionModel::NoUpdate);
  }
  const auto anchor = list_->itemOf(first);
  verticalScrollBar()->setValue(at_top || !anchor ? 0 : layout_.cell(*anchor).top() + above);
}

bool GridView::thumbnailsReady() const { return !ask_.isActive() && !session_.thumbnails().waiting(this); }

void GridView::setPlaceholder(const QString& text) {
  placeholder_ = text;
  viewport()->update();
}

QRect GridView::visualRect(const QModelIndex& index) const {
  return index.isValid() ? layout_.cell(index.row()).translated(0, -verticalOffset()) : QRect();
}

QModelIndex GridView::indexAt(const QPoint& point) const {
  const int item = layout_.itemAt(point + QPoint(0, verticalOffset()));
  return item < 0 ? QModelIndex() : list_->index(item);
}

void GridView::scrollTo(const QModelIndex& index, ScrollHint hint) {
  if (!index.isValid()) return;
  QRect cell = layout_.cell(index.row());
  if (!list_->groups().empty()) cell.setTop(cell.top() - 4);
  const int height = viewport()->height();
  int to = verticalOffset();
  if (hint == PositionAtTop) {
    to = cell.top();
  } else if (hint == PositionAtBottom) {
    to = cell.bottom() - height;
  } else if (hint == PositionAtCenter) {
    to = cell.center().y() - height / 2;
  } else if (cell.top() < to || cell.height() > height) {
    to = cell.top() - 6;
  } else if (cell.bottom() > to + height) {
    to = cell.bottom() - height + 6;
  }
  verticalScrollBar()->setValue(to);
}

void GridView::doItemsLayout() {
  arrangeCells();
  QAbstractItemView::doItemsLayout();
}

void GridView::reset() {
  QListView::reset();
  arrangeCells();
}

void GridView::updateGeometries() {
  QScrollBar* bar = verticalScrollBar();
  const int page = viewport()->height();
  bar->setPageStep(page);
  bar->setSingleStep(std::max(24, CellPainter::cellSize(side_, font()).height() / 3));
  bar->setRange(0, std::max(0, layout_.height() - page));
}

int GridView::verticalOffset() const { return verticalScrollBar()->value(); }

void GridView::paintEvent(QPaintEvent* event) {
  QPainter painter(viewport());
  painter.fillRect(event->rect(), palette().color(QPalette::Base));
  if (list_->count() == 0) {
    painter.setPen(palette().color(QPalette::PlaceholderText));
    painter.drawText(viewport()->rect().adjusted(40, 40, -40, -40), Qt::AlignCenter | Qt::TextWordWrap, placeholder_);
    return;
  }
  painter.setRenderHint(QPainter::Antialiasing);
  painter.translate(0, -verticalOffset());
  const QRect seen = event->rect().translated(0, verticalOffset());
  const auto [first, last] = layout_.between(seen.top(), seen.bottom());
  if (!list_->groups().empty()) {
    for (int group = layout_.groupOf(first); group <= layout_.groupOf(last - 1) + 1 && group < layout_.groups();
         ++group) {
      if (layout_.heading(group).intersects(seen)) paintHeading(painter, group);
    }
  }
  const CellPainter cells(session_.thumbnails(), font(), palette());
  const QItemSelectionModel& selection = *selectionModel();
  const bool focused = hasFocus();
  const int current = currentIndex().row();
  for (int item = first; item < last; ++item) {
    const QRect cell = layout_.cell(item);
    if (!cell.intersects(seen)) continue;
    const CellParts parts = CellPainter::parts(cell, side_, font());
    const bool selected = selection.isSelected(list_->index(item));
    cells.paint(painter, parts, *list_, item, {selected, item == current, focused}, pixels());
    for (const CellDecorator& decorate : session_.cellDecorators()) decorate(painter, parts, list_->picture(item));
  }
}

void GridView::paintHeading(QPainter& painter, int group) const {
  const QRect rect = layout_.heading(group).adjusted(12, 6, -12, 0);
  QFont bold = font();
  bold.setBold(true);
  painter.setFont(bold);
  painter.setPen(palette().color(QPalette::Text));
  const QString count = picturesText(list_->groupSize(group));
  const int room = rect.width() - fontMetrics().horizontalAdvance(count) - 24;
  const QString title =
      QFontMetrics(bold).elidedText(list_->groups()[static_cast<std::size_t>(group)].title, Qt::ElideMiddle, room);
  painter.drawText(rect, Qt::AlignLeft | Qt::AlignVCenter, title);
  painter.setFont(font());
  painter.setPen(palette().color(QPalette::PlaceholderText));
  const int left = QFontMetrics(bold).horizontalAdvance(title) + 12;
  painter.drawText(rect.adjusted(left, 0, 0, 0), Qt::AlignLeft | Qt::AlignVCenter, count);
  painter.setPen(palette().color(QPalette::Mid));
  const int line = left + fontMetrics().horizontalAdvance(count) + 12;
  painter.drawLine(rect.left() + line, rect.center().y(), rect.right(), rect.center().y());
}

void GridView::resizeEvent(QResizeEvent* event) {
  QAbstractItemView::resizeEvent(event);
  const int before = event->oldSize().width();
  const int anchor = layout_.nearestItem({0, verticalOffset()});
  arrangeCells();
  if (before != event->size().width() && anchor >= 0 && verticalOffset() > 0) {
    scrollTo(list_->index(anchor), PositionAtTop);
  }
}

void GridView::scrollContentsBy(int, int dy) {
  if (dy != 0) going_down_ = dy < 0;
  viewport()->update();
  ask_.start();
}

void GridView::wheelEvent(QWheelEvent* event) {
  if (event->modifiers() & Qt::ControlModifier) {
    if (event->angleDelta().y() != 0) setSide(side_ + (event->angleDelta().y() > 0 ? 16 : -16));
    event->accept();
    return;
  }
  QAbstractScrollArea::wheelEvent(event);
}

void GridView::mouseMoveEvent(QMouseEvent* event) {
  QAbstractItemView::mouseMoveEvent(event);
  if (state() != DragSelectingState) return;
  const QPoint at = event->position().toPoint() + QPoint(0, verticalOffset());
  if (band_ == nullptr) band_ = new QRubberBand(QRubberBand::Rectangle, viewport());
  if (!band_->isVisible()) band_origin_ = at;
  band_->setGeometry(QRect(band_origin_, at).normalized().translated(0, -verticalOffset()));
  band_->show();
}

void GridView::mouseReleaseEvent(QMouseEvent* event) {
  if (band_ != nullptr) band_->hide();
  QAbstractItemView::mouseReleaseEvent(event);
}

void GridView::changeEvent(QEvent* event) {
  QListView::changeEvent(event);
  if (event->type() == QEvent::FontChange || event->type() == QEvent::StyleChange) arrangeCells();
}

QModelIndex GridView::moveCursor(CursorAction action, Qt::KeyboardModifiers) {
  const int count = list_->count();
  if (count == 0) return {};
  if (!currentIndex().isValid()) return list_->index(0);
  const int current = currentIndex().row();
  int to = current;
  const int page = std::max(1, viewport()->height() / CellPainter::cellSize(side_, font()).height());
  switch (action) {
    case MoveLeft:
    case MovePrevious: to = current - 1; break;
    case MoveRight:
    case MoveNext: to = current + 1; break;
    case MoveUp: to = layout_.above(current); break;
    case MoveDown: to = layout_.below(current); break;
    case MoveHome: to = 0; break;
    case MoveEnd: to = count - 1; break;
    case MovePageUp:
      for (int i = 0; i < page; ++i) to = layout_.above(to);
      break;
    case MovePageDown:
      for (int i = 0; i < page; ++i) to = layout_.below(to);
      break;
  }
  return list_->index(std::clamp(to, 0, count - 1));
}

void GridView::setSelection(const QRect& rect, QItemSelectionModel::SelectionFlags command) {
  QItemSelection selection;
  const QPoint offset(0, verticalOffset());
  if (state() == DragSelectingState) {
    for (const auto& [first, last] : layout_.in(rect.normalized().translated(offset))) {
      selection.append(QItemSelectionRange(list_->index(first), list_->index(last)));
    }
  } else {
    // From one picture to another, in reading order.
    const int a = layout_.itemAt(rect.topLeft() + offset);
    const int b = layout_.itemAt(rect.bottomRight() + offset);
    const int from = a >= 0 ? a : b;
    const int to = b >= 0 ? b : a;
    if (from >= 0) {
      selection.append(QItemSelectionRange(list_->index(std::min(from, to)), list_->index(std::max(from, to))));
    }
  }
  selectionModel()->select(selection, command);
}

QRegion GridView::visualRegionForSelection(const QItemSelection& selection) const {
  QRegion region;
  const auto [first, last] = layout_.between(verticalOffset(), verticalOffset() + viewport()->height());
  for (const QItemSelectionRange& range : selection) {
    for (int item = std::max(range.top(), first); item <= std::min(range.bottom(), last - 1); ++item) {
      region += layout_.cell(item).translated(0, -verticalOffset());
    }
  }
  return region;
}

void GridView::startDrag(Qt::DropActions) {
  QModelIndexList indexes = selectionModel()->selectedIndexes();
  if (indexes.isEmpty()) return;
  auto* drag = new QDrag(this);
  drag->setMimeData(list_->mimeData(indexes));
  const Picture& first = list_->picture(indexes.front().row());
  const QPixmap pixmap = session_.thumbnails().findAny(first.hash, Thumbnails::sizeFor(128));
  if (!pixmap.isNull()) drag->setPixmap(pixmap.scaled(96, 96, Qt::KeepAspectRatio, Qt::SmoothTransformation));
  drag->exec(Qt::CopyAction);
}

// What is seen, from the top; then a page further in the direction of scrolling, then one behind.
void GridView::askForThumbnails() {
  const int size = Thumbnails::sizeFor(pixels());
  const int top = verticalOffset();
  const int height = viewport()->height();
  std::vector<Thumbnails::Wish> wishes;
  const auto add = [&](int from, int to) {
    const auto [first, last] = layout_.between(from, to);
    for (int item = first; item < last; ++item) {
      const Picture& picture = list_->picture(item);
      if (picture.failed || !session_.thumbnails().find(picture.hash, size).isNull()) continue;
      wishes.push_back({picture.hash, list_->snapshot().path(list_->row(item))});
    }
  };
  if (isVisible()) {
    add(top, top + height);
    const auto ahead = [&] { add(top + height, std::min(top + 2 * height, layout_.height())); };
    const auto behind = [&] { add(std::max(0, top - height), top); };
    if (going_down_) {
      ahead();
      behind();
    } else {
      behind();
      ahead();
    }
  }
  session_.thumbnails().want(this, size, std::move(wishes));
  Q_EMIT thumbnailsReadyChanged();
}

void GridView::repaintContent(const ContentHash& hash) {
  const auto [first, last] = layout_.between(verticalOffset(), verticalOffset() + viewport()->height());
  for (int item = first; item < last; ++item) {
    if (list_->picture(item).hash == hash) viewport()->update(layout_.cell(item).translated(0, -verticalOffset()));
  }
}

}  // namespace tessera::gui
