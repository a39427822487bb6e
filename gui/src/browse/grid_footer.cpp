// The line below a grid: order, groups, how many pictures, and their size.
#include "browse/grid_footer.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QSlider>
#include <QToolButton>

#include "browse/grid_view.h"

namespace tessera::gui {

GridFooter::GridFooter(GridView* view, bool with_order, QWidget* parent) : QWidget(parent) {
  auto* layout = new QHBoxLayout(this);
  layout->setContentsMargins(10, 4, 10, 4);
  if (with_order) addOrder();
  layout->addStretch();
  count_ = new QLabel(this);
  count_->setMinimumWidth(1);  // cut rather than making the window wide
  count_->setForegroundRole(QPalette::PlaceholderText);
  layout->addWidget(count_);
  layout->addSpacing(16);
  auto* label = new QLabel(tr("Si&ze"), this);
  layout->addWidget(label);
  size_ = new QSlider(Qt::Horizontal, this);
  size_->setRange(GridView::kLeastSide, GridView::kLargestSide);
  size_->setSingleStep(16);
  size_->setPageStep(64);
  size_->setMinimumWidth(40);
  size_->setMaximumWidth(160);
  size_->setValue(view->side());
  size_->setAccessibleName(tr("Size of thumbnails"));
  size_->setToolTip(tr("Size of thumbnails; also Ctrl and the mouse wheel"));
  label->setBuddy(size_);
  layout->addWidget(size_);
  connect(size_, &QSlider::valueChanged, view, &GridView::setSide);
  connect(view, &GridView::sideChanged, size_, &QSlider::setValue);
}

void GridFooter::addOrder() {
  auto* row = qobject_cast<QHBoxLayout*>(layout());
  const auto add = [&](const QString& text, QComboBox*& box) {
    auto* label = new QLabel(text, this);
    box = new QComboBox(this);
    label->setBuddy(box);
    box->setAccessibleName(text.simplified().remove(QLatin1Char('&')));
    row->addWidget(label);
    row->addWidget(box);
  };
  add(tr("So&rt by"), sort_);
  const auto sort = [&](const QString& text, SortKey key) { sort_->addItem(text, static_cast<int>(key)); };
  sort(tr("Date"), SortKey::kDate);
  sort(tr("Name"), SortKey::kName);
  sort(tr("Folder"), SortKey::kFolder);
  sort(tr("File size"), SortKey::kFileSize);
  sort(tr("Pixels"), SortKey::kPixels);
  sort(tr("Stars"), SortKey::kRating);
  direction_ = new QToolButton(this);
  direction_->setCheckable(true);
  direction_->setAccessibleName(tr("Descending order"));
  row->addWidget(direction_);
  row->addSpacing(12);
  add(tr("&Group by"), group_);
  const auto group = [&](const QString& text, GroupKey key) { group_->addItem(text, static_cast<int>(key)); };
  group(tr("Nothing"), GroupKey::kNone);
  group(tr("Day"), GroupKey::kDay);
  group(tr("Month"), GroupKey::kMonth);
  group(tr("Year"), GroupKey::kYear);
  group(tr("Folder"), GroupKey::kFolder);
  group(tr("Stars"), GroupKey::kRating);
  setOrder(order_);
  connect(sort_, &QComboBox::activated, this, &GridFooter::readOrder);
  connect(group_, &QComboBox::activated, this, &GridFooter::readOrder);
  connect(direction_, &QToolButton::clicked, this, &GridFooter::readOrder);
}

void GridFooter::setOrder(const Order& order) {
  order_ = order;
  sort_->setCurrentIndex(std::max(0, sort_->findData(static_cast<int>(order.sort))));
  group_->setCurrentIndex(std::max(0, group_->findData(static_cast<int>(order.group))));
  direction_->setChecked(order.descending);
  direction_->setArrowType(order.descending ? Qt::DownArrow : Qt::UpArrow);
  direction_->setToolTip(order.descending ? tr("Largest or newest first") : tr("Smallest or oldest first"));
}

void GridFooter::readOrder() {
  Order order;
  order.sort = static_cast<SortKey>(sort_->currentData().toInt());
  order.group = static_cast<GroupKey>(group_->currentData().toInt());
  order.descending = direction_->isChecked();
  setOrder(order);
  Q_EMIT orderChanged();
}

void GridFooter::setCount(const QString& text) { count_->setText(text); }

}  // namespace tessera::gui
