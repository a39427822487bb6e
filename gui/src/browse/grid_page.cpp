// All pictures of the library, sorted, grouped and filtered.
#include "browse/grid_page.h"

#include <QAction>
#include <QLocale>
#include <QSettings>
#include <QVBoxLayout>
#include <numeric>

#include "browse/grid_footer.h"
#include "browse/grid_view.h"

namespace tessera::gui {
namespace {

const QString kSettings = QStringLiteral("grid/");

}  // namespace

GridPage::GridPage(Session& session, QWidget* parent)
    : Page(session, QStringLiteral("grid"), tr("Photos"), parent),
      list_(new PictureList(this)),
      view_(new GridView(session, list_, this)),
      footer_(new GridFooter(view_, true, this)) {
  view_->setAccessibleName(title());
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(0);
  layout->addWidget(view_);
  layout->addWidget(footer_);
  setFocusProxy(view_);
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
  connect(view_->selectionModel(), &QItemSelectionModel::selectionChanged, this, &GridPage::showCount);
  connect(view_->selectionModel(), &QItemSelectionModel::selectionChanged, this, &Page::selectionChanged);
  connect(view_->selectionModel(), &QItemSelectionModel::currentChanged, this, &Page::selectionChanged);
  connect(view_, &GridView::thumbnailsReadyChanged, this, &Page::screenshotReadyChanged);
  connect(view_, &GridView::pictureActivated, this,
          [this](ImageId id) { Q_EMIT this->session().lookWanted(id, list_->ids()); });
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
  arranging_ = session().jobs().run(
      Lane::kMemory, this,
      [snapshot, order = footer_->order()](JobContext& context) {
        std::vector<Row> rows(snapshot->size());
        std::iota(rows.begin(), rows.end(), Row{0});
        return arrange(*snapshot, std::move(rows), order, {}, context.stop());
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
  QString text = tr("%1 photos").arg(locale.toString(list_->count()));
  qsizetype selected = 0;
  for (const QItemSelectionRange& range : view_->selectionModel()->selection()) selected += range.height();
  if (selected > 0) text = tr("%1 of %2 selected").arg(locale.toString(selected), text);
  footer_->setCount(text);
}

bool GridPage::screenshotReady() const { return !arranging_.running() && view_->thumbnailsReady(); }

std::vector<ImageId> GridPage::selectedPictures() const { return view_->selectedIds(); }
std::optional<ImageId> GridPage::currentPicture() const { return view_->currentId(); }
void GridPage::setCurrentPicture(ImageId id) { view_->setCurrentId(id); }
bool GridPage::advance(int step) { return view_->step(step); }

}  // namespace tessera::gui
