// Thumbnails of the page of duplicates, and what it answers for its selection.
#include <QTreeWidget>
#include <algorithm>

#include "curate/duplicates_page.h"

namespace tessera::gui {

void DuplicatesPage::askForThumbnails() {
  if (!isVisible()) return;
  std::vector<Thumbnails::Wish> wishes;
  const int size = Thumbnails::sizeFor(static_cast<int>(kIcon.width() * devicePixelRatioF()));
  const int bottom = tree_->viewport()->height();
  for (QTreeWidgetItem* item = tree_->itemAt(0, 0); item != nullptr; item = tree_->itemBelow(item)) {
    if (tree_->visualItemRect(item).top() > bottom) break;
    const KeepDecision* row = rowOf(item);
    if (row == nullptr || !row->file.usable()) continue;
    if (session().thumbnails().find(row->file.image->hash, size).isNull())
      wishes.push_back({row->file.image->hash, row->file.file.path});
    setIcons(row->file.image->hash);
  }
  session().thumbnails().want(this, size, std::move(wishes));
  Q_EMIT screenshotReadyChanged();
}

void DuplicatesPage::setIcons(const ContentHash& hash) {
  const int size = Thumbnails::sizeFor(static_cast<int>(kIcon.width() * devicePixelRatioF()));
  const QPixmap thumbnail = session().thumbnails().find(hash, size);
  if (thumbnail.isNull() || !isVisible()) return;
  const int bottom = tree_->viewport()->height();
  filling_ = true;
  for (QTreeWidgetItem* item = tree_->itemAt(0, 0); item != nullptr; item = tree_->itemBelow(item)) {
    if (tree_->visualItemRect(item).top() > bottom) break;
    const KeepDecision* row = rowOf(item);
    if (row != nullptr && row->file.image->hash == hash) item->setIcon(0, QIcon(thumbnail));
  }
  filling_ = false;
}

bool DuplicatesPage::screenshotReady() const {
  return !searching_.running() && !reading_.running() && !ask_.isActive() && !session().thumbnails().waiting(this);
}

std::vector<ImageId> DuplicatesPage::selectedPictures() const {
  std::vector<ImageId> ids;
  for (const QTreeWidgetItem* item : tree_->selectedItems()) {
    const auto place = placeOf(item);
    if (!place) continue;
    const auto of_item =
        place->row ? std::vector<ImageId>{rowOf(item)->file.image->id} : shown_[place->group].pictures();
    for (const ImageId id : of_item) {
      if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
    }
  }
  return ids;
}

std::optional<ImageId> DuplicatesPage::currentPicture() const {
  const KeepDecision* row = rowOf(tree_->currentItem());
  return row != nullptr ? std::optional(row->file.image->id) : std::nullopt;
}

void DuplicatesPage::setCurrentPicture(ImageId id) {
  for (QTreeWidgetItemIterator item(tree_); *item != nullptr; ++item) {
    const KeepDecision* row = rowOf(*item);
    if (row == nullptr || row->file.image->id != id) continue;
    tree_->setCurrentItem(*item);
    return;
  }
}

bool DuplicatesPage::advance(int step) {
  QTreeWidgetItem* item = tree_->currentItem();
  do {
    item = item == nullptr ? nullptr : step < 0 ? tree_->itemAbove(item) : tree_->itemBelow(item);
  } while (item != nullptr && rowOf(item) == nullptr);
  if (item != nullptr) tree_->setCurrentItem(item);
  return item != nullptr;
}

}  // namespace tessera::gui
