// All pictures of the library.
#include "browse/grid_page.h"

#include <QListView>
#include <QStringListModel>
#include <QVBoxLayout>

namespace tessera::gui {

GridPage::GridPage(Session& session, QWidget* parent)
    : Page(session, QStringLiteral("grid"), tr("Photos"), parent),
      names_(new QStringListModel(this)),
      view_(new QListView(this)) {
  view_->setModel(names_);
  view_->setSelectionMode(QAbstractItemView::ExtendedSelection);
  view_->setEditTriggers(QAbstractItemView::NoEditTriggers);
  view_->setUniformItemSizes(true);
  view_->setAccessibleName(title());
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(view_);
  setFocusProxy(view_);
  connect(&session.library(), &LibraryModel::changed, this, &GridPage::showLibrary);
  connect(view_->selectionModel(), &QItemSelectionModel::selectionChanged, this, &Page::selectionChanged);
  connect(view_->selectionModel(), &QItemSelectionModel::currentChanged, this, &Page::selectionChanged);
  showLibrary();
}

void GridPage::showLibrary() {
  snapshot_ = session().library().snapshot();
  QStringList names;
  for (Row row = 0; row < snapshot_->size(); ++row) names.append(snapshot_->nameText(row));
  names_->setStringList(names);
}

std::vector<ImageId> GridPage::selectedPictures() const {
  std::vector<ImageId> ids;
  for (const QModelIndex& index : view_->selectionModel()->selectedIndexes()) {
    ids.push_back((*snapshot_)[static_cast<Row>(index.row())].id);
  }
  return ids;
}

std::optional<ImageId> GridPage::currentPicture() const {
  const QModelIndex index = view_->currentIndex();
  if (!index.isValid()) return std::nullopt;
  return (*snapshot_)[static_cast<Row>(index.row())].id;
}

void GridPage::setCurrentPicture(ImageId id) {
  if (const auto row = snapshot_->find(id)) view_->setCurrentIndex(names_->index(static_cast<int>(*row)));
}

bool GridPage::advance(int step) {
  const QModelIndex next = names_->index(view_->currentIndex().row() + step);
  if (!next.isValid()) return false;
  view_->setCurrentIndex(next);
  return true;
}

}  // namespace tessera::gui
