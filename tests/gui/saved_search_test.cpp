// Searches kept among the collections: saved from the page, opened, renamed and removed in the panel.
#include <QStatusBar>
#include <QTest>
#include <QToolButton>

#include "app/main_window.h"
#include "browse/grid_page.h"
#include "browse/grid_view.h"
#include "browse/search_page.h"
#include "curate/collections_panel.h"
#include "curate/curation_model.h"
#include "gui_fixture.h"
#include "tessera/error.h"

namespace tessera::gui {
namespace {

namespace fs = std::filesystem;

constexpr int kPictures = 30;

class SavedSearchTest : public QObject {
  Q_OBJECT

 public:
  explicit SavedSearchTest(const fs::path& dir) : dir_(dir) {}

 private Q_SLOTS:
  void initTestCase() {
    files_ = test::write_pictures(dir_ / "photos", kPictures);
    outside_ = test::write_pictures(dir_ / "elsewhere", 1, 500);
    test::make_library(dir_ / "library", {dir_ / "photos"});
    open();
    marks().setMarks({idOf(1), idOf(2), idOf(3), idOf(4)}, {.rating = 4});
  }
  void cleanupTestCase() { window_.reset(); }

  void aWholeSearchComesBackAfterARestart() {
    SearchQuery query;
    query.examples = {{idOf(3), {}, nullptr, {}, false},
                      {0, files_[5], nullptr, {0.25, 0, 0.5, 0.5}, false},
                      {0, outside_[0], nullptr, {}, true}};
    query.settings = {2, 0.6, false};
    search()->search(query);
    QVERIFY(answered());
    CatalogFilter good;
    good.rating.least = 3;
    window_->session().setFilter(good);
    QVERIFY(test::wait_until([&] { return search()->screenshotReady() && search()->list()->count() == 3; }));
    const std::vector<ImageId> found = search()->list()->ids();
    test::enter_text(QStringLiteral("Like these"));
    QTest::keyClick(search(), Qt::Key_S, Qt::ControlModifier);
    QVERIFY(test::wait_until([&] { return panel()->count() == 1; }));
    QCOMPARE(panel()->item(0)->text(), QStringLiteral("Like these (search)"));

    open();
    QVERIFY(test::wait_until([&] { return panel()->count() == 1; }));
    Q_EMIT panel()->itemActivated(panel()->item(0));
    QVERIFY(test::wait_until([&] { return search()->screenshotReady() && search()->list()->count() == 3; }));
    QCOMPARE(window_->currentPage()->name(), QStringLiteral("search"));
    QVERIFY(search()->list()->ids() == found);
    const SearchQuery& opened = search()->query();
    QCOMPARE(opened.examples.size(), 3U);
    QCOMPARE(opened.examples[0].id, idOf(3));
    QCOMPARE(opened.examples[1].id, idOf(5));  // its content is in the library, though a file was asked about
    QVERIFY(opened.examples[1].region == QRectF(0.25, 0, 0.5, 0.5));
    QVERIFY(opened.examples[2].negative);
    QVERIFY(opened.settings == query.settings);
    QVERIFY(opened.filter == good);
    // The conditions that came with it can be taken away.
    for (QToolButton* button : search()->findChildren<QToolButton*>()) {
      if (button->accessibleName() == QStringLiteral("Take the saved conditions away")) button->click();
    }
    QVERIFY(test::wait_until([&] { return search()->screenshotReady() && search()->list()->count() > 3; }));
  }

  void anExampleThatIsGoneIsTold() {
    fs::remove(outside_[0]);
    Q_EMIT panel()->itemActivated(panel()->item(0));
    QVERIFY(test::wait_until([&] { return search()->query().examples.size() == 2; }));
    QVERIFY(told(QStringLiteral("picture_000.jpg")));
    QVERIFY(answered());
    QCOMPARE(search()->list()->count(), 3);
  }

  void whatCannotBeKeptIsRefused() {
    SearchQuery query;
    query.examples = {{0, {}, std::make_shared<const Image>(test::picture(9)), {}, false}};
    search()->search(query);
    QVERIFY(answered());
    search()->save(QStringLiteral("pasted"));
    QVERIFY(told(QStringLiteral("clipboard")));
    QCOMPARE(panel()->count(), 1);
    search()->searchPictures({idOf(2)});
    QVERIFY(answered());
    search()->save(QStringLiteral("Like these"));
    QVERIFY(told(QStringLiteral("Like these")));  // the name is taken
    QCOMPARE(panel()->count(), 1);
  }

  void aDamagedOneIsTold() {
    Curation::open(dir_ / "library", OpenMode::kWrite)
        .create_collection("a damaged one", CollectionKind::kSavedSearch, "like nonsense\n");
    marks().refresh();
    QVERIFY(test::wait_until([&] { return panel()->count() == 2; }));
    Q_EMIT panel()->itemActivated(panel()->item(1));
    QVERIFY(told(QStringLiteral("like nonsense")));
  }

  void thePanelRenamesAndRemoves() {
    chooseInMenu(QStringLiteral("Rename…"), QStringLiteral("Cliffs"));
    QVERIFY(test::wait_until([&] { return names().contains(QStringLiteral("Cliffs (search)")); }));
    chooseInMenu(QStringLiteral("Remove the collection"), {});
    QVERIFY(test::wait_until([&] { return panel()->count() == 1; }));
    marks().undo();
    QVERIFY(test::wait_until([&] { return panel()->count() == 2; }));
  }

 private:
  void open() {
    window_.reset();
    window_ = test::make_window(1200, 700);
    test::show(*window_);
    window_->session().openLibrary(dir_ / "library");
    window_->showPage(QStringLiteral("search"));
    auto* grid = qobject_cast<GridPage*>(window_->page(QStringLiteral("grid")));
    QVERIFY(test::wait_until([&] { return grid->list()->count() == kPictures; }));
  }
  // Of the menu of the panel's last item.
  void chooseInMenu(const QString& entry, const QString& name) {
    test::choose_in_menu(entry);
    if (!name.isEmpty()) test::enter_text(name);
    const QListWidgetItem* last = panel()->item(panel()->count() - 1);
    Q_EMIT panel()->customContextMenuRequested(panel()->visualItemRect(last).center());
  }
  QStringList names() {
    QStringList names;
    for (int i = 0; i < panel()->count(); ++i) names.append(panel()->item(i)->text());
    return names;
  }
  bool told(const QString& part) {
    return test::wait_until([&] { return window_->statusBar()->currentMessage().contains(part); });
  }
  bool answered() {
    return test::wait_until([&] { return search()->screenshotReady() && search()->answer().has_value(); });
  }
  ImageId idOf(std::size_t number) {
    const LibrarySnapshot& snapshot = *window_->session().library().snapshot();
    for (Row row = 0; row < snapshot.size(); ++row) {
      if (snapshot.path(row) == files_[number]) return snapshot[row].id;
    }
    return 0;
  }
  SearchPage* search() { return qobject_cast<SearchPage*>(window_->page(QStringLiteral("search"))); }
  CollectionList* panel() { return window_->findChild<CollectionList*>(); }
  CurationModel& marks() { return CurationModel::of(window_->session()); }

  fs::path dir_;
  std::vector<fs::path> files_;
  std::vector<fs::path> outside_;
  std::unique_ptr<MainWindow> window_;
};

}  // namespace
}  // namespace tessera::gui

int main(int argc, char** argv) { return tessera::gui::test::run_suite<tessera::gui::SavedSearchTest>(argc, argv); }

#include "saved_search_test.moc"
