// The panel of collections: pictures dragged onto one, a new one made of the selection, and filters kept there.
#include <QDropEvent>
#include <QMimeData>
#include <QTest>
#include <QToolButton>

#include "app/main_window.h"
#include "browse/filter_bar.h"
#include "browse/grid_page.h"
#include "browse/grid_view.h"
#include "curate/collection_page.h"
#include "curate/collections_panel.h"
#include "curate/curation_model.h"
#include "gui_fixture.h"

namespace tessera::gui {
namespace {

namespace fs = std::filesystem;

constexpr int kPictures = 8;
const QString kDragged = QStringLiteral("application/x-tessera-pictures");

class CollectionsTest : public QObject {
  Q_OBJECT

 public:
  explicit CollectionsTest(const fs::path& dir) : dir_(dir) {}

 private Q_SLOTS:
  void initTestCase() {
    test::write_pictures(dir_ / "photos", kPictures);
    test::make_library(dir_ / "library", {dir_ / "photos"});
    window_ = test::make_window(1200, 700);
    test::show(*window_);
    window_->session().openLibrary(dir_ / "library");
    window_->showPage(QStringLiteral("grid"));
    QVERIFY(test::wait_until([&] { return view()->list()->count() == kPictures; }));
    settle();
  }
  void cleanupTestCase() { window_.reset(); }

  // Nothing here waits for the look at the library every two seconds: what was changed is shown when it is done.
  void aFilterIsListedAtOnceRenamedAndRemoved() {
    marks().setMarks({id(1), id(4), id(5)}, {.rating = 4});
    CatalogFilter good;
    good.rating.least = 3;
    window_->session().setFilter(good);
    FilterBar::of(*window_)->save(QStringLiteral("Good ones"));
    settle();
    QCOMPARE(names(), QStringList{QStringLiteral("Good ones (search)")});
    window_->session().setFilter({});
    chooseInMenu(0, QStringLiteral("Rename…"), QStringLiteral("The best"));
    QCOMPARE(names(), QStringList{QStringLiteral("The best (search)")});
    chooseInMenu(0, QStringLiteral("Rename…"), QStringLiteral("  "));  // no name: nothing
    QCOMPARE(names(), QStringList{QStringLiteral("The best (search)")});

    Q_EMIT panel()->itemActivated(panel()->item(0));
    auto* page = qobject_cast<CollectionPage*>(window_->currentPage());
    QVERIFY(page != nullptr);
    QVERIFY(test::wait_until([&] { return page->view()->list()->count() == 3; }));
    chooseInMenu(0, QStringLiteral("Remove the collection"), {});
    QCOMPARE(panel()->count(), 0);
    QVERIFY(test::wait_until([&] { return page->view()->list()->count() == 0; }));
    marks().undo();
    settle();
    QCOMPARE(names(), QStringList{QStringLiteral("The best (search)")});
    QVERIFY(test::wait_until([&] { return page->view()->list()->count() == 3; }));
    window_->showPage(QStringLiteral("grid"));
  }

  void aNewOneHoldsTheSelectionAndIsOneStep() {
    select({0, 2, 3});
    test::enter_text(QStringLiteral("Trip"));
    button(QStringLiteral("New…"))->click();
    settle();
    QCOMPARE(names(), (QStringList{QStringLiteral("The best (search)"), QStringLiteral("Trip (3)")}));
    QVERIFY(!button(QStringLiteral("Add selected"))->isEnabled());
    marks().undo();
    settle();
    QCOMPARE(panel()->count(), 1);
    marks().redo();
    settle();
    QCOMPARE(names().back(), QStringLiteral("Trip (3)"));
    select({3, 6});
    panel()->setCurrentRow(1);
    button(QStringLiteral("Add selected"))->click();
    settle();
    QCOMPARE(names().back(), QStringLiteral("Trip (4)"));
    marks().undo();
    settle();
    QCOMPARE(names().back(), QStringLiteral("Trip (3)"));
  }

  void picturesAreDraggedOntoOne() {
    select({7, 5});
    const std::unique_ptr<QMimeData> data(view()->list()->mimeData(view()->selectionModel()->selectedIndexes()));
    QCOMPARE(data->urls().size(), 2);
    QVERIFY((PictureList::picturesOf(data.get()) == std::vector<ImageId>{id(5), id(7)}));
    const QPoint trip = panel()->visualItemRect(panel()->item(1)).center();
    const QPoint search = panel()->visualItemRect(panel()->item(0)).center();
    QVERIFY(enters(*data));
    QVERIFY(hovers(trip, *data));
    QVERIFY(!hovers(search, *data));
    QVERIFY(!hovers({5, panel()->viewport()->height() - 5}, *data));
    QVERIFY(drops(trip, *data));
    settle();
    QCOMPARE(names().back(), QStringLiteral("Trip (5)"));
    const CollectionId collection = *CollectionList::idOf(panel()->item(1));
    const auto members = Curation::open(dir_ / "library", OpenMode::kRead).collection_images(collection);
    QVERIFY((std::vector(members.end() - 2, members.end()) == std::vector<ImageId>{id(5), id(7)}));
    marks().undo();
    settle();
    QCOMPARE(names().back(), QStringLiteral("Trip (3)"));

    QVERIFY(enters(*data));
    QVERIFY(!drops(search, *data));
    QVERIFY(!drops(trip, *data));  // that drag has ended
    settle();
    QCOMPARE(names(), (QStringList{QStringLiteral("The best (search)"), QStringLiteral("Trip (3)")}));
  }

  void whatIsNotOfThisProgramIsRefused() {
    select({7});
    const std::unique_ptr<QMimeData> data(view()->list()->mimeData(view()->selectionModel()->selectedIndexes()));
    QByteArray bytes = data->data(kDragged);
    QMimeData files;
    files.setUrls(data->urls());
    const QPoint trip = panel()->visualItemRect(panel()->item(1)).center();
    enters(files);
    QVERIFY(!hovers(trip, files));
    drops(trip, files);
    QCOMPARE(window_->currentPage()->name(), QStringLiteral("search"));  // for the file, wherever it is dropped
    settle();
    QCOMPARE(names().back(), QStringLiteral("Trip (3)"));
    window_->showPage(QStringLiteral("grid"));
    QMimeData cut;
    cut.setData(kDragged, bytes.chopped(3));
    QVERIFY(PictureList::picturesOf(&cut).empty());
    bytes[7] = static_cast<char>(bytes[7] ^ 1);
    QMimeData other;
    other.setData(kDragged, bytes);  // of another process, perhaps with another library
    QVERIFY(!enters(other));
  }

 private:
  void settle() {
    QVERIFY(test::wait_until([&] { return window_->session().jobs().pending(Lane::kCatalog) == 0; }));
  }
  void chooseInMenu(int row, const QString& entry, const QString& name) {
    test::choose_in_menu(entry);
    if (!name.isEmpty()) test::enter_text(name);
    Q_EMIT panel()->customContextMenuRequested(panel()->visualItemRect(panel()->item(row)).center());
    settle();
  }
  void select(const std::vector<int>& items) {
    view()->clearSelection();
    for (const int item : items) {
      view()->selectionModel()->select(view()->list()->index(item), QItemSelectionModel::Select);
    }
  }
  QToolButton* button(const QString& text) {
    for (QToolButton* button : window_->findChild<CollectionsPanel*>()->findChildren<QToolButton*>()) {
      if (button->text() == text) return button;
    }
    return nullptr;
  }
  // As a window system sends them.
  bool send(QDropEvent& event) {
    event.ignore();
    QApplication::sendEvent(panel()->viewport(), &event);
    return event.isAccepted();
  }
  bool enters(const QMimeData& data) {
    QDragEnterEvent event({5, 5}, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    return send(event);
  }
  bool hovers(const QPoint& point, const QMimeData& data) {
    QDragMoveEvent event(point, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    return send(event);
  }
  bool drops(const QPoint& point, const QMimeData& data) {
    QDropEvent event(point, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    return send(event);
  }
  QStringList names() {
    QStringList names;
    for (int row = 0; row < panel()->count(); ++row) names.append(panel()->item(row)->text());
    return names;
  }
  ImageId id(int item) { return view()->list()->id(item); }
  GridView* view() { return qobject_cast<GridPage*>(window_->page(QStringLiteral("grid")))->view(); }
  CollectionList* panel() { return window_->findChild<CollectionList*>(); }
  CurationModel& marks() { return CurationModel::of(window_->session()); }

  fs::path dir_;
  std::unique_ptr<MainWindow> window_;
};

}  // namespace
}  // namespace tessera::gui

int main(int argc, char** argv) { return tessera::gui::test::run_suite<tessera::gui::CollectionsTest>(argc, argv); }

#include "collections_test.moc"
