// The collections of the library in a side panel.
#include "curate/collections_panel.h"

#include <QDropEvent>
#include <QHBoxLayout>
#include <QInputDialog>
#include <QMenu>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>
#include <utility>

#include "app/main_window.h"
#include "browse/picture_list.h"
#include "browse/search_page.h"
#include "curate/collection_page.h"
#include "tessera/error.h"

namespace tessera::gui {
namespace {

constexpr int kIdRole = Qt::UserRole;
constexpr int kManualRole = Qt::UserRole + 1;

bool is_manual(const QListWidgetItem* item) { return item != nullptr && item->data(kManualRole).toBool(); }

}  // namespace

CollectionList::CollectionList(QWidget* parent) : QListWidget(parent) {
  setAcceptDrops(true);
  setDragDropMode(DropOnly);
  setContextMenuPolicy(Qt::CustomContextMenu);
}

std::optional<CollectionId> CollectionList::idOf(const QListWidgetItem* item) {
  if (item == nullptr) return std::nullopt;
  return item->data(kIdRole).toLongLong();
}

void CollectionList::dragEnterEvent(QDragEnterEvent* event) {
  dragged_ = PictureList::picturesOf(event->mimeData());
  event->setAccepted(!dragged_.empty());
}

void CollectionList::dragMoveEvent(QDragMoveEvent* event) {
  const QListWidgetItem* item = itemAt(event->position().toPoint());
  if (!dragged_.empty() && is_manual(item)) {
    event->acceptProposedAction();
  } else {
    event->ignore();
  }
}

void CollectionList::dropEvent(QDropEvent* event) {
  const std::vector<ImageId> ids = std::exchange(dragged_, {});
  const QListWidgetItem* item = itemAt(event->position().toPoint());
  if (ids.empty() || !is_manual(item)) return event->ignore();
  event->acceptProposedAction();
  Q_EMIT picturesDropped(*idOf(item), ids);
}

CollectionsPanel::CollectionsPanel(MainWindow& window)
    : window_(window), model_(CurationModel::of(window.session())), list_(new CollectionList(this)) {
  list_->setAccessibleName(tr("Collections"));
  auto* make = new QToolButton(this);
  make->setText(tr("New…"));
  make->setToolTip(tr("Make a collection of the selected pictures"));
  add_ = new QToolButton(this);
  add_->setText(tr("Add selected"));
  add_->setToolTip(tr("Put the selected pictures into the chosen collection"));
  auto* buttons = new QHBoxLayout();
  buttons->addWidget(make);
  buttons->addWidget(add_);
  buttons->addStretch();
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(4, 4, 4, 4);
  layout->addWidget(list_);
  layout->addLayout(buttons);
  connect(make, &QToolButton::clicked, this, &CollectionsPanel::makeNew);
  connect(add_, &QToolButton::clicked, this, &CollectionsPanel::addSelected);
  connect(list_, &QListWidget::itemActivated, this, &CollectionsPanel::open);
  connect(list_, &QListWidget::itemClicked, this, &CollectionsPanel::open);
  connect(list_, &QListWidget::customContextMenuRequested, this, &CollectionsPanel::showMenu);
  connect(list_, &CollectionList::picturesDropped, &model_, &CurationModel::addToCollection);
  connect(list_, &QListWidget::currentItemChanged, this,
          [this](const QListWidgetItem* item) { add_->setEnabled(is_manual(item)); });
  connect(&model_, &CurationModel::changed, this, &CollectionsPanel::fill);
  add_->setEnabled(false);
  fill();
}

void CollectionsPanel::fill() {
  const auto chosen = CollectionList::idOf(list_->currentItem());
  const QSignalBlocker quiet(list_);
  list_->clear();
  for (const Collection& collection : model_.collections()) {
    const bool manual = collection.kind == CollectionKind::kManual;
    const QString name = QString::fromStdString(collection.name);
    auto* item = new QListWidgetItem(
        manual ? tr("%1 (%2)").arg(name).arg(collection.contents) : tr("%1 (search)").arg(name), list_);
    item->setData(kIdRole, static_cast<qlonglong>(collection.id));
    item->setData(kManualRole, manual);
    if (chosen == collection.id) list_->setCurrentItem(item);
  }
  add_->setEnabled(is_manual(list_->currentItem()));
}

std::vector<ImageId> CollectionsPanel::selectedPictures() const {
  const Page* page = window_.currentPage();
  return page != nullptr ? page->selectedPictures() : std::vector<ImageId>();
}

void CollectionsPanel::makeNew() {
  const QString name = QInputDialog::getText(this, tr("New collection"), tr("Name")).trimmed();
  if (!name.isEmpty()) model_.createCollection(name, selectedPictures());
}

void CollectionsPanel::addSelected() {
  if (const auto id = CollectionList::idOf(list_->currentItem())) model_.addToCollection(*id, selectedPictures());
}

void CollectionsPanel::open(const QListWidgetItem* item) {
  auto* page = qobject_cast<CollectionPage*>(window_.page(QStringLiteral("collection")));
  const auto id = CollectionList::idOf(item);
  if (page == nullptr || !id) return;
  const auto found = std::ranges::find(model_.collections(), *id, &Collection::id);
  if (found != model_.collections().end() && searches_by_pictures(found->search)) return openSearch(found->search);
  page->showCollection(*id);
  window_.showPage(page->name());
}

void CollectionsPanel::openSearch(const std::string& text) {
  try {
    qobject_cast<SearchPage*>(window_.page(QStringLiteral("search")))->openSaved(parse_saved_search(text));
  } catch (const Error& error) {
    Q_EMIT window_.session().message(QString::fromUtf8(error.what()));
  }
}

void CollectionsPanel::showMenu(const QPoint& point) {
  const QListWidgetItem* item = list_->itemAt(point);
  const auto id = CollectionList::idOf(item);
  if (!id) return;
  QMenu menu(this);
  const QAction* rename = menu.addAction(tr("Rename…"));
  const QAction* remove = menu.addAction(tr("Remove the collection"));
  const QAction* chosen = menu.exec(list_->viewport()->mapToGlobal(point));
  if (chosen == remove) model_.removeCollection(*id);
  if (chosen != rename) return;
  const QString name = QInputDialog::getText(this, tr("Rename the collection"), tr("Name")).trimmed();
  if (!name.isEmpty()) model_.renameCollection(*id, name);
}

}  // namespace tessera::gui
