// Browsing and searching through the real window: first run, grid, search, drop, history, another model.
#include <QApplication>
#include <QClipboard>
#include <QDockWidget>
#include <QDropEvent>
#include <QLabel>
#include <QMimeData>
#include <QScrollBar>
#include <QSignalSpy>
#include <QSlider>
#include <QTest>
#include <QUrl>
#include <cmath>
#include <fstream>

#include "app/main_window.h"
#include "browse/grid_footer.h"
#include "browse/grid_page.h"
#include "browse/grid_view.h"
#include "browse/library_extension.h"
#include "browse/search_page.h"
#include "gui_fixture.h"

namespace tessera::gui {
namespace {

namespace fs = std::filesystem;

constexpr int kPictures = 70;  // enough for a judgement of chance

// A window as the program starts it, with a cheap encoder.
struct Program {
  explicit Program(const fs::path& library = {}, const std::string& model = "c0105", bool any = true)
      : window(standardRegistry()) {
    window.session().setEncoders(test::color_encoders(model));
    LibraryControl::of(window)->start(library);
    window.resize(1000, 700);
    test::show(window);
    if (!library.empty() && any) (void)test::wait_until([&] { return grid()->list()->count() > 0; });
  }
  GridPage* grid() { return qobject_cast<GridPage*>(window.page(QStringLiteral("grid"))); }
  SearchPage* search() { return qobject_cast<SearchPage*>(window.page(QStringLiteral("search"))); }
  bool answered() {
    return test::wait_until([&] { return search()->screenshotReady() && search()->answer().has_value(); });
  }
  Indexing& indexing() { return window.session().indexing(); }

  MainWindow window;
};

class BrowseTest : public QObject {
  Q_OBJECT

 public:
  explicit BrowseTest(const fs::path& dir) : dir_(dir) {}

 private Q_SLOTS:
  void initTestCase() {
    files_ = test::write_pictures(dir_ / "photos", kPictures);
    std::ofstream(dir_ / "photos" / "broken.jpg") << "\xff\xd8\xff\xe0 and no more";
  }

  void firstRunReadsTheFolderAndTheNextStartFindsIt() {
    {
      Program program;
      QCOMPARE(program.window.currentPage()->name(), QStringLiteral("welcome"));
      const auto* panel = program.window.findChild<QDockWidget*>(QStringLiteral("collections"));
      QVERIFY(!panel->isVisible());
      LibraryControl::of(program.window)->addFolder(dir_ / "photos");
      QVERIFY(test::wait_until([&] { return program.grid()->list()->count() == kPictures + 1; }));
      QCOMPARE(program.window.currentPage()->name(), QStringLiteral("grid"));
      QVERIFY(panel->isVisible());
      QVERIFY(test::wait_until([&] { return program.indexing().state() == Indexing::State::kIdle; }));
      QCOMPARE(program.indexing().progress().failed, 1);
      library_ = program.window.session().libraryDir();
      QCOMPARE(library_.parent_path().string(), (dir_ / "XDG_DATA_HOME").string());
    }
    Program again;
    QVERIFY(test::wait_until([&] { return again.grid()->list()->count() == kPictures + 1; }));
    QCOMPARE(again.window.session().libraryDir().string(), library_.string());
    QCOMPARE(again.window.currentPage()->name(), QStringLiteral("grid"));
  }

  void aBrokenPictureIsATileWithTheReason() {
    Program program(library_);
    GridView* view = program.grid()->view();
    QVERIFY(test::wait_until([&] { return program.grid()->screenshotReady(); }));
    int broken = -1;
    for (int item = 0; item < view->list()->count(); ++item) {
      if (view->list()->picture(item).failed) broken = item;
    }
    QVERIFY(broken >= 0);
    view->scrollTo(view->list()->index(broken));
    const QString told = view->list()->data(view->list()->index(broken), Qt::ToolTipRole).toString();
    QVERIFY2(told.contains(QStringLiteral("broken.jpg")) && told.contains(QStringLiteral("truncated")),
             qPrintable(told));
    QVERIFY(!view->grab(view->visualRect(view->list()->index(broken))).isNull());
  }

  void thumbnailsAreMadeForWhatIsSeen() {
    Program program(library_);
    GridView* view = program.grid()->view();
    QVERIFY(test::wait_until([&] { return program.grid()->screenshotReady(); }));
    Thumbnails& thumbnails = program.window.session().thumbnails();
    const int size = Thumbnails::sizeFor(view->side());
    const int item = view->list()->picture(0).failed ? 1 : 0;
    QVERIFY(!thumbnails.find(view->list()->picture(item).hash, size).isNull());
    const QImage seen = view->grab().toImage();
    const QRect cell = view->visualRect(view->list()->index(item));
    QVERIFY(seen.pixelColor(cell.center()) != seen.pixelColor(cell.topLeft() + QPoint(4, 30)));
  }

  void sortingAndGrouping() {
    Program program(library_);
    GridPage* grid = program.grid();
    Order order{SortKey::kName, false, GroupKey::kNone};
    grid->footer()->setOrder(order);
    Q_EMIT grid->footer()->orderChanged();
    QVERIFY(test::wait_until([&] { return grid->list()->snapshot().name(grid->list()->row(1)) == "picture_000.jpg"; }));
    QCOMPARE(grid->list()->snapshot().nameText(grid->list()->row(0)), QStringLiteral("broken.jpg"));
    order = {SortKey::kName, true, GroupKey::kFolder};
    grid->footer()->setOrder(order);
    Q_EMIT grid->footer()->orderChanged();
    QVERIFY(test::wait_until([&] { return grid->list()->groups().size() == 1; }));
    QCOMPARE(grid->list()->snapshot().nameText(grid->list()->row(0)), QStringLiteral("picture_069.jpg"));
    QCOMPARE(grid->list()->groupSize(0), kPictures + 1);
  }

  void keysAndMouseSelect() {
    Program program(library_);
    GridView* view = program.grid()->view();
    view->setFocus();
    view->setCurrentIndex(view->list()->index(0));
    QTest::keyClick(view, Qt::Key_Right);
    QCOMPARE(view->currentIndex().row(), 1);
    QTest::keyClick(view, Qt::Key_Down, Qt::ShiftModifier);
    const int columns = view->currentIndex().row() - 1;
    QVERIFY(columns > 1);
    QCOMPARE(static_cast<int>(view->selectedIds().size()), columns + 1);
    QTest::mouseClick(view->viewport(), Qt::LeftButton, {},
                      view->visualRect(view->list()->index(columns - 1)).center());
    QCOMPARE(view->selectedIds(), std::vector<ImageId>{view->list()->id(columns - 1)});
    QTest::mouseClick(view->viewport(), Qt::LeftButton, Qt::ShiftModifier,
                      view->visualRect(view->list()->index(columns + 1)).center());
    QCOMPARE(static_cast<int>(view->selectedIds().size()), 3);
    QTest::mouseClick(view->viewport(), Qt::LeftButton, Qt::ControlModifier,
                      view->visualRect(view->list()->index(0)).center());
    QCOMPARE(static_cast<int>(view->selectedIds().size()), 4);
    QTest::keyClick(view, Qt::Key_End);
    QCOMPARE(view->currentIndex().row(), kPictures);
    QVERIFY(view->viewport()->rect().contains(view->visualRect(view->currentIndex()).center()));
    view->selectAll();
    QCOMPARE(static_cast<int>(program.grid()->selectedPictures().size()), kPictures + 1);
    view->setSide(96);
    QVERIFY(view->viewport()->rect().intersects(view->visualRect(view->currentIndex())));
  }

  void similarPicturesAreFoundByAKeyAndHistoryGoesBack() {
    Program program(library_);
    GridView* view = program.grid()->view();
    const auto item = view->list()->itemOf(idOf(program, 12));
    QVERIFY(item.has_value());
    view->setCurrentIndex(view->list()->index(*item));
    QTest::keyClick(&program.window, Qt::Key_S);
    QCOMPARE(program.window.currentPage()->name(), QStringLiteral("search"));
    QVERIFY(program.answered());
    SearchPage* search = program.search();
    QCOMPARE(search->list()->count(), kPictures - 1);  // without itself and the broken one
    QVERIFY(!search->list()->itemOf(idOf(program, 12)).has_value());
    QVERIFY(search->answer()->judged);
    QCOMPARE(search->answer()->encode_ms, 0.0);
    const ImageId best = search->list()->id(0);
    search->view()->setCurrentIndex(search->list()->index(0));
    QTest::keyClick(&program.window, Qt::Key_S);
    QVERIFY(test::wait_until([&] { return search->query().examples.front().id == best && search->screenshotReady(); }));
    QTest::keyClick(&program.window, Qt::Key_Left, Qt::AltModifier);
    QVERIFY(test::wait_until([&] { return search->list()->count() > 0 && search->list()->id(0) == best; }));
    QCOMPARE(search->query().examples.front().id, idOf(program, 12));
    search->goForward();
    QCOMPARE(search->query().examples.front().id, best);
  }

  void aDroppedFileIsSearchedFor() {
    Program program(library_);
    QMimeData data;
    data.setUrls({QUrl::fromLocalFile(QString::fromStdString(files_[23].string()))});
    QDragEnterEvent enter(QPoint(400, 300), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QVERIFY(QApplication::sendEvent(&program.window, &enter));
    QVERIFY(enter.isAccepted());
    QDropEvent drop(QPointF(400, 300), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(&program.window, &drop);
    QVERIFY(drop.isAccepted());
    QVERIFY(program.answered());
    QCOMPARE(program.search()->list()->id(0), idOf(program, 23));
    QVERIFY(program.search()->list()->hit(0)->score > 0.99F);
    QVERIFY(program.search()->answer()->encode_ms > 0);
    QVERIFY(program.window.session().shownSearch().has_value());
    QCOMPARE(program.window.session().shownSearch()->file.string(), files_[23].string());
  }

  void aPictureFromTheClipboardIsSearchedFor() {
    Program program(library_);
    QApplication::clipboard()->setImage(QImage(QString::fromStdString(files_[31].string())));
    QTest::keyClick(&program.window, Qt::Key_V, Qt::ControlModifier);
    QVERIFY(program.answered());
    QCOMPARE(program.search()->list()->id(0), idOf(program, 31));
    QApplication::clipboard()->clear();
  }

  void aRegionIsAnotherQuestionThanTheWholePicture() {
    Program program(library_);
    program.search()->searchFiles({files_[5]});
    QVERIFY(program.answered());
    const float whole = program.search()->list()->hit(0)->score;
    Q_EMIT program.window.session().regionSearchWanted(files_[5], {0, 0, 0.5, 0.4});
    QVERIFY(test::wait_until(
        [&] { return program.search()->screenshotReady() && program.search()->list()->hit(0)->score < whole; }));
    QVERIFY(program.window.session().shownSearch()->region.width() == 0.5);
  }

  void examplesCountForAndAgainst() {
    Program program(library_);
    SearchPage* search = program.search();
    search->searchPictures({idOf(program, 3)});
    QVERIFY(program.answered());
    SearchQuery query = search->query();
    const ImageId nearest = search->list()->id(0);
    query.examples.push_back({nearest, {}, nullptr, {}, true});
    search->search(query);
    QVERIFY(test::wait_until([&] { return search->screenshotReady() && !search->list()->itemOf(nearest); }));
    query.examples.erase(query.examples.begin());
    search->search(query);  // only what is not wanted is no question
    QVERIFY(test::wait_until([&] { return search->screenshotReady() && search->list()->count() == 0; }));
  }

  void theSlidersSortAnew() {
    Program program(library_);
    SearchPage* search = program.search();
    search->searchPictures({idOf(program, 40)});
    QVERIFY(program.answered());
    QSlider* composition = nullptr;
    for (QSlider* slider : search->findChildren<QSlider*>()) {
      if (slider->accessibleName() == QStringLiteral("Composition")) composition = slider;
    }
    QVERIFY(composition != nullptr);
    QCOMPARE(composition->value(), static_cast<int>(std::lround(100 * SearchOptions{}.rerank_weight)));
    const auto shown = [&](float weight) {
      return test::wait_until(
          [&] { return search->screenshotReady() && search->answer()->options.rerank_weight == weight; });
    };
    composition->setValue(0);
    QVERIFY(shown(0));
    for (int item = 1; item < search->list()->count(); ++item) {
      QVERIFY(search->list()->hit(item)->coarse_score <= search->list()->hit(item - 1)->coarse_score);
    }
    composition->setValue(100);
    QVERIFY(shown(1));
    for (int item = 1; item < search->list()->count(); ++item) {
      QVERIFY(search->list()->hit(item)->rerank_score <= search->list()->hit(item - 1)->rerank_score);
    }
  }

  void readingPausesGoesOnAndIsCancelled() {
    Program program(library_);
    test::write_pictures(dir_ / "more", 400, 1000);
    Indexing& indexing = program.indexing();
    QStringList states;
    connect(&indexing, &Indexing::stateChanged, this, [&] { states.append(QString::number(int(indexing.state()))); });
    LibraryControl::of(program.window)->addFolder(dir_ / "more");
    QVERIFY(test::wait_until([&] { return indexing.progress().files_seen > 0; }));
    indexing.pause();
    QVERIFY(test::wait_until(
        [&] { return indexing.state() == Indexing::State::kPaused || indexing.state() == Indexing::State::kIdle; }));
    if (indexing.state() == Indexing::State::kPaused) indexing.resume();
    QVERIFY(test::wait_until([&] { return indexing.state() == Indexing::State::kIdle; }));
    QVERIFY(test::wait_until([&] { return program.grid()->list()->count() == kPictures + 401; }));
    indexing.start({library_, {dir_ / "more"}, false}, program.window.session().encoders());
    indexing.stop();
    QVERIFY(test::wait_until([&] { return indexing.state() == Indexing::State::kIdle; }));
    QVERIFY(states.contains(QString::number(int(Indexing::State::kStopping))));
  }

  void aLibraryOfAnotherModelIsShownAndCanBeReadAgain() {
    test::write_pictures(dir_ / "others", 60);
    test::make_library(dir_ / "other library", {dir_ / "others"});
    Program program(dir_ / "other library", "another model");
    QWidget* notice = program.window.findChild<QWidget*>(QStringLiteral("notice"));
    QVERIFY(test::wait_until([&] { return notice->isVisible(); }));
    QCOMPARE(program.grid()->list()->count(), 60);
    program.search()->searchPictures({program.grid()->list()->id(7)});  // needs no model
    QVERIFY(program.answered());
    LibraryControl::of(program.window)->changeModel();
    QVERIFY(test::wait_until([&] { return program.indexing().state() == Indexing::State::kIdle; }));
    QVERIFY(test::wait_until([&] {
      const auto encoder = program.window.session().library().encoder();
      return encoder && encoder->weights_hash == "another model";
    }));
    QCOMPARE(program.grid()->list()->count(), 60);
    QVERIFY(!notice->isVisible());
    program.search()->searchFiles({dir_ / "others" / "picture_007.jpg"});
    QVERIFY(test::wait_until([&] {
      return program.search()->screenshotReady() && program.search()->answer() &&
             program.search()->list()->count() == 60;
    }));
    QVERIFY(program.search()->list()->hit(0)->score > 0.99F);
  }

  void aMissingFileIsShownAsMissing() {
    Program program(library_);
    fs::remove(files_[9]);
    LibraryControl::of(program.window)->update();
    QVERIFY(test::wait_until([&] { return program.indexing().state() == Indexing::State::kIdle; }));
    const ImageId id = idOf(program, 9);
    QVERIFY(id != 0);
    QVERIFY(test::wait_until([&] {
      const LibrarySnapshot& snapshot = *program.window.session().library().snapshot();
      const auto row = snapshot.find(id);
      return row && snapshot[*row].state == FileState::kMissing;
    }));
  }

  void whatIsNoLibraryIsExplained() {
    Program program(dir_ / "photos", "c0105", false);
    QVERIFY(test::wait_until([&] { return program.window.currentPage()->name() == QStringLiteral("welcome"); }));
    bool told = false;
    for (const QLabel* label : program.window.currentPage()->findChildren<QLabel*>()) {
      told = told || (label->isVisible() && label->text().contains(QStringLiteral("no Tessera library")));
    }
    QVERIFY(told);
  }

  void namesAreComparedByTheirNumbers() {
    QVERIFY(compare_names("img9.jpg", "img10.jpg") < 0);
    QVERIFY(compare_names("IMG_2.jpg", "img_10.jpg") < 0);
    QVERIFY(compare_names("b.jpg", "A.jpg") > 0);
    QVERIFY(compare_names("a007", "a7") != 0);
    QCOMPARE(compare_names("a", "a"), 0);
    QVERIFY(compare_names("a", "ab") < 0);
  }

  void cellsAreFoundWhereTheyAre() {
    GridLayout layout;
    layout.set({500, 100, 120, 30, 6}, 23, {0, 10, 11});
    QCOMPARE(layout.columns(), 4);
    for (int item = 0; item < 23; ++item) {
      QCOMPARE(layout.itemAt(layout.cell(item).center()), item);
      QVERIFY(layout.heading(layout.groupOf(item)).bottom() < layout.cell(item).top());
    }
    QCOMPARE(layout.below(9), 10);  // the last of a short row: into the next group
    QCOMPARE(layout.below(7), 9);   // nothing below: the end of the row below
    QCOMPARE(layout.above(10), 8);
    QCOMPARE(layout.above(12), 10);
    QCOMPARE(layout.between(layout.cell(11).top(), layout.cell(11).bottom()), std::make_pair(11, 15));
    QCOMPARE(layout.itemAt({1, layout.cell(0).center().y()}), -1);
    layout.set({500, 100, 120, 30, 6}, 0, {});
    QCOMPARE(layout.nearestItem({10, 10}), -1);
  }

 private:
  ImageId idOf(Program& program, int number) const {
    const LibrarySnapshot& snapshot = *program.window.session().library().snapshot();
    for (Row row = 0; row < snapshot.size(); ++row) {
      if (snapshot.path(row) == files_[static_cast<std::size_t>(number)]) return snapshot[row].id;
    }
    return 0;
  }

  fs::path dir_;
  fs::path library_;
  std::vector<fs::path> files_;
};

}  // namespace
}  // namespace tessera::gui

int main(int argc, char** argv) { return tessera::gui::test::run_suite<tessera::gui::BrowseTest>(argc, argv); }

#include "browse_test.moc"
