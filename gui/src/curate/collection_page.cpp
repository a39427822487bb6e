// The pictures of one collection.
#include "curate/collection_page.h"

#include <QAction>
#include <QVBoxLayout>
#include <algorithm>

#include "app/count_text.h"
#include "browse/grid_footer.h"
#include "browse/grid_view.h"

namespace tessera::gui {

CollectionPage::CollectionPage(Session& session, QWidget* parent)
    : ViewPage(session, QStringLiteral("collection"), tr("Collection"), false, parent) {
  view_->setPlaceholder(tr("Choose a collection in the panel, or make one there of selected pictures."));
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(0);
  layout->addWidget(view_);
  layout->addWidget(footer_);
  auto* take_out = new QAction(tr("Take out of the collection"), this);
  take_out->setShortcut(Qt::Key_Minus);
  actions_ = {take_out};
  CurationModel& model = CurationModel::of(session);
  connect(take_out, &QAction::triggered, this, [this, &model] {
    if (id_) model.removeFromCollection(*id_, selectedPictures());
  });
  connect(&model, &CurationModel::changed, this, [this] {
    chooseAnother();
    read();
  });
  connect(&session, &Session::libraryOpened, this, [this] { id_.reset(); });
  connect(&session.library(), &LibraryModel::changed, this, &CollectionPage::read);
  footer_->setCount(QString());
}

void CollectionPage::showCollection(CollectionId id) {
  id_ = id;
  read();
}

void CollectionPage::showEvent(QShowEvent* event) {
  ViewPage::showEvent(event);
  chooseAnother();
}

void CollectionPage::chooseAnother() {
  const std::vector<Collection>& collections = CurationModel::of(session()).collections();
  const bool there = std::ranges::any_of(collections, [&](const Collection& each) { return each.id == id_; });
  if (there || !isVisible()) return;
  const auto first =
      std::ranges::find_if(collections, [](const Collection& each) { return !searches_by_pictures(each.search); });
  if (first != collections.end()) showCollection(first->id);
}

void CollectionPage::read() {
  reading_.cancel();
  if (!id_) return;
  reading_ = session().jobs().run(
      Lane::kCatalog, this,
      [id = *id_](JobContext& context) {
        const Curation curation = Curation::open(context.libraryDir(), OpenMode::kRead);
        for (const Collection& collection : curation.collections()) {
          if (collection.id != id) continue;
          if (collection.kind == CollectionKind::kManual) return curation.collection_images(id);
          return context.library().matching(parse_saved_search(collection.search).filter);
        }
        return std::vector<ImageId>();
      },
      [this](const std::vector<ImageId>& ids) {
        const auto snapshot = session().library().snapshot();
        Arrangement arrangement;
        for (const ImageId id : ids) {
          if (const auto row = snapshot->find(id)) arrangement.rows.push_back(*row);
        }
        footer_->setCount(picturesText(std::ssize(arrangement.rows)));
        view_->replace([&] { list_->show(snapshot, std::move(arrangement)); });
        Q_EMIT screenshotReadyChanged();
      });
}

bool CollectionPage::screenshotReady() const { return !reading_.running() && view_->thumbnailsReady(); }

}  // namespace tessera::gui
