// All pictures of the library, sorted, grouped and filtered.
#include "browse/grid_page.h"

#include <QAction>
#include <QLocale>
#include <QSettings>
#include <QVBoxLayout>
#include <algorithm>
#include <numeric>

#include "app/count_text.h"
#include "browse/grid_footer.h"
#include "browse/grid_view.h"
#include "tessera/indexer/curation.h"

namespace tessera::gui {
namespace {

const QString kSettings = QStringLiteral("grid/");

bool by_rating(const Order& order) { return order.sort == SortKey::kRating || order.group == GroupKey::kRating; }

Ratings read_ratings(const LibrarySnapshot& snapshot, const std::filesystem::path& library) {
  Ratings ratings(snapshot.size(), 0);
  for (const PictureMarks& picture : Curation::open(library, OpenMode::kRead).picture_marks()) {
    if (const auto row = snapshot.find(picture.id)) ratings[*row] = static_cast<std::int8_t>(picture.marks.rating);
  }
  return ratings;
}

std::vector<Row> rows_of(const LibrarySnapshot& snapshot, const std::vector<ImageId>& ids) {
  std::vector<Row> rows;
  rows.reserve(ids.size());
  for (const ImageId id : ids) {
    if (const auto row = snapshot.find(id)) rows.push_back(*row);
  }
  return rows;
}

std::vector<Row> all_rows(const LibrarySnapshot& snapshot) {
  std::vector<Row> rows(snapshot.size());
  std::iota(rows.begin(), rows.end(), Row{0});
  return rows;
}

}  // namespace

GridPage::GridPage(Session& session, QWidget* parent)
    : ViewPage(session, QStringLiteral("grid"), tr("Photos"), true, parent) {
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(0);
  layout->addWidget(view_);
  layout->addWidget(footer_);
  const QSettings settings;
  Order order;
  order.sort = static_cast<SortKey>(settings.value(kSettings + QStringLiteral("sort"), 0).toInt());
  order.group = static_cast<GroupKey>(settings.value(kSettings + QStringLiteral("group"), 0).toInt());
  order.descending = settings.value(kSettings + QStringLiteral("descending"), true).toBool();
  footer_->setOrder(order);
  view_->setSide(settings.value(kSettings + QStringLiteral("side"), view_->side()).toInt());
  addActions();
  connect(footer_, &GridFooter::orderChanged, this, [this] {
    QSettings changed;
    changed.setValue(kSettings + QStringLiteral("sort"), static_cast<int>(footer_->order().sort));
    changed.setValue(kSettings + QStringLiteral("group"), static_cast<int>(footer_->order().group));
    changed.setValue(kSettings + QStringLiteral("descending"), footer_->order().descending);
    arrangePictures();
  });
  connect(view_, &GridView::sideChanged, this,
          [](int side) { QSettings().setValue(kSettings + QStringLiteral("side"), side); });
  connect(&session.library(), &LibraryModel::changed, this, &GridPage::arrangePictures);
  connect(&session, &Session::filterChanged, this, &GridPage::arrangePictures);
  // Marks have changed: they may count for the filter or the order.
  connect(&session, &Session::decorationChanged, this, [this] {
    if (!this->session().filter().empty() || by_rating(footer_->order())) arrangePictures();
  });
  connect(view_->selectionModel(), &QItemSelectionModel::selectionChanged, this, &GridPage::showCount);
  arrangePictures();
}

void GridPage::addActions() {
  auto* similar = new QAction(tr("Find &similar"), this);
  similar->setShortcut(Qt::Key_S);
  connect(similar, &QAction::triggered, this, [this] {
    std::vector<ImageId> ids = selectedPictures();
    if (ids.empty() && currentPicture()) ids.push_back(*currentPicture());
    if (!ids.empty()) Q_EMIT session().similarWanted(ids);
  });
  actions_ = {similar};
}

QList<QAction*> GridPage::pageActions() const { return actions_; }

void GridPage::arrangePictures() {
  arranging_.cancel();
  const std::shared_ptr<const LibrarySnapshot> snapshot = session().library().snapshot();
  const Order order = footer_->order();
  const CatalogFilter filter = session().filter();
  const bool from_catalog = !session().libraryDir().empty() && (!filter.empty() || by_rating(order));
  arranging_ = session().jobs().run(
      from_catalog ? Lane::kCatalog : Lane::kMemory, this,
      [snapshot, order, filter, from_catalog](JobContext& context) {
        const bool filtered = from_catalog && !filter.empty();
        std::vector<Row> rows = filtered ? rows_of(*snapshot, context.library().matching(filter)) : all_rows(*snapshot);
        const Ratings ratings =
            from_catalog && by_rating(order) ? read_ratings(*snapshot, context.libraryDir()) : Ratings();
        return arrange(*snapshot, std::move(rows), order, ratings, context.stop());
      },
      [this, snapshot](Arrangement arrangement) {
        view_->replace([&] { list_->show(snapshot, std::move(arrangement)); });
        if (list_->count() > 0) view_->select(std::exchange(to_select_, {}));
        showCount();
      });
}

void GridPage::selectOnceShown(const std::vector<ImageId>& ids) {
  to_select_ = ids;
  if (!arranging_.running()) arrangePictures();
}

void GridPage::showCount() {
  const QLocale locale;
  QString text = picturesText(list_->count());
  if (!session().filter().empty()) text = tr("%1 of %2").arg(text, locale.toString(list_->snapshot().size()));
  qsizetype selected = 0;
  for (const QItemSelectionRange& range : view_->selectionModel()->selection()) selected += range.height();
  if (selected > 0) text = tr("%1 of %2 selected").arg(locale.toString(selected), text);
  footer_->setCount(text);
}

bool GridPage::screenshotReady() const { return !arranging_.running() && view_->thumbnailsReady(); }

}  // namespace tessera::gui
