// The filter bar: what the grid shows and a search finds, saved filters, and the order by stars.
#include <QAbstractItemView>
#include <QAction>
#include <QApplication>
#include <QComboBox>
#include <QCompleter>
#include <QLabel>
#include <QLineEdit>
#include <QSettings>
#include <QSignalSpy>
#include <QTest>
#include <algorithm>

#include "app/main_window.h"
#include "browse/filter_bar.h"
#include "browse/grid_footer.h"
#include "browse/grid_page.h"
#include "browse/grid_view.h"
#include "browse/search_page.h"
#include "curate/collection_page.h"
#include "curate/curation_model.h"
#include "gui_fixture.h"

namespace tessera::gui {
namespace {

namespace fs = std::filesystem;

constexpr int kPictures = 20;

class FilterTest : public QObject {
  Q_OBJECT

 public:
  explicit FilterTest(const fs::path& dir) : dir_(dir) {}

 private Q_SLOTS:
  void initTestCase() {
    test::write_pictures(dir_ / "photos" / "north", kPictures / 2);
    test::write_pictures(dir_ / "photos" / "south", kPictures / 2, 100);
    test::make_library(dir_ / "library", {dir_ / "photos"});
    open();
    ids_ = grid()->list()->ids();
    std::sort(ids_.begin(), ids_.end());
    marks().setMarks({ids_[0], ids_[1], ids_[2]}, {.rating = 4});
    marks().setMarks({ids_[3]}, {.rating = 2});
    marks().setMarks({ids_[4]}, {.flag = Flag::kReject});
    marks().changeTags({ids_[0], ids_[5]}, {QStringLiteral("Sea")}, {});
    QVERIFY(test::wait_until([&] { return marks().tagNames().contains(QStringLiteral("Sea")); }));
  }
  void init() {
    open();
    QTest::keyClick(window_->currentPage(), Qt::Key_L, Qt::ControlModifier);
    QVERIFY(bar()->isVisible());
  }
  void cleanupTestCase() { window_.reset(); }

  void starsFlagsAndTags() {
    choose(0, QStringLiteral("3.."));
    QVERIFY(shows({ids_[0], ids_[1], ids_[2]}));
    QVERIFY(test::wait_until([&] { return countIs(QStringLiteral("of 20")); }));
    const QString sea = QStringLiteral("Sea");
    QVERIFY(test::wait_until([&] { return box(3)->findData(sea) >= 0; }));
    choose(3, sea);
    QVERIFY(shows({ids_[0]}));
    choose(0, QString());
    QVERIFY(shows({ids_[0], ids_[5]}));
    bar()->clear();
    QVERIFY(test::wait_until([&] { return grid()->list()->count() == kPictures; }));
    choose(1, QStringLiteral("reject"));
    QVERIFY(shows({ids_[4]}));
  }

  void severalTagsMustAllHold() {
    marks().changeTags({ids_[5], ids_[6]}, {QStringLiteral("Places/Graz")}, {});
    QVERIFY(test::wait_until([&] { return box(3)->findData(QStringLiteral("Places/Graz")) >= 0; }));
    QLineEdit* line = box(3)->lineEdit();
    line->setFocus();
    QTest::keyClicks(line, QStringLiteral("Sea"));
    QVERIFY(shows({ids_[0], ids_[5]}));
    // The one that is being typed is completed; until it is one, what was asked for before holds.
    QTest::keyClicks(line, QStringLiteral(", gr"));
    QVERIFY(bar()->findChild<QLabel*>()->text().contains(QStringLiteral("gr")));
    QVERIFY(shows({ids_[0], ids_[5]}));
    QCompleter* completer = line->completer();
    QCOMPARE(completer->completionCount(), 1);
    QCOMPARE(completer->currentCompletion(), QStringLiteral("Sea, Places/Graz"));
    line->setText(completer->currentCompletion());
    QVERIFY(shows({ids_[5]}));
    line->setText(QStringLiteral("Places"));  // those below it
    QVERIFY(shows({ids_[5], ids_[6]}));
    box(3)->setCurrentIndex(1);
    QVERIFY(test::wait_until([&] { return grid()->list()->count() == kPictures - 3; }));
    marks().undo();
    QVERIFY(test::wait_until([&] { return grid()->list()->count() == kPictures - 2; }));
    bar()->clear();
    QVERIFY(test::wait_until([&] { return grid()->list()->count() == kPictures; }));
  }

  void theSizeOfTheFile() {
    QComboBox* bytes = box(6);
    QCOMPARE(bytes->accessibleName(), QStringLiteral("File size"));
    bytes->setCurrentIndex(2);
    QVERIFY(test::wait_until([&] { return grid()->list()->count() == 0; }));
    bytes->setCurrentIndex(1);
    QVERIFY(test::wait_until([&] { return grid()->list()->count() == kPictures; }));
    QCOMPARE(*window_->session().filter().bytes.most, 999'999);
    // Any other range is typed.
    std::vector<std::int64_t> sizes;
    for (const auto& entry : fs::recursive_directory_iterator(dir_ / "photos")) {
      if (entry.is_regular_file()) sizes.push_back(static_cast<std::int64_t>(entry.file_size()));
    }
    const auto [smallest, largest] = std::minmax_element(sizes.begin(), sizes.end());
    QVERIFY(*smallest < *largest);
    const auto largest_count = static_cast<int>(std::count(sizes.begin(), sizes.end(), *largest));
    bytes->setEditText(QStringLiteral("%1..").arg(*largest));
    QVERIFY(test::wait_until([&] { return grid()->list()->count() == largest_count; }));
    bytes->setEditText(QStringLiteral("..%1").arg(*largest - 1));
    QVERIFY(test::wait_until([&] { return grid()->list()->count() == kPictures - largest_count; }));
    bytes->setEditText(QStringLiteral("large"));
    QVERIFY(bar()->findChild<QLabel*>()->text().contains(QStringLiteral("large")));
    QCOMPARE(*window_->session().filter().bytes.most, *largest - 1);
    bar()->clear();
    QCOMPARE(bytes->currentIndex(), 0);
    QVERIFY(test::wait_until([&] { return grid()->list()->count() == kPictures; }));
    QVERIFY(!bar()->findChild<QLabel*>()->isVisible());
  }

  void aTagWithCommas() {
    const QString name = QStringLiteral("Vienna, Austria");
    marks().changeTags({ids_[0], ids_[8]}, {name}, {});
    QVERIFY(test::wait_until([&] { return box(3)->findData(name) >= 0; }));
    choose(3, name);
    QVERIFY(shows({ids_[0], ids_[8]}));
    box(3)->lineEdit()->setText(QStringLiteral("Sea,Vienna, Austria"));
    QVERIFY(shows({ids_[0]}));
    bar()->clear();
    marks().undo();
    QVERIFY(test::wait_until([&] { return box(3)->findData(name) < 0; }));
  }

  // As while pictures are being added.
  void anOpenListStaysAsItIsWhenTheLibraryIsReadAgain() {
    QVERIFY(test::wait_until([&] { return box(4)->count() == 3; }));
    box(4)->showPopup();
    box(4)->view()->setCurrentIndex(box(4)->model()->index(2, 0));
    const QSignalSpy read(&window_->session().library(), &LibraryModel::changed);
    window_->session().library().refresh();
    QTRY_COMPARE(read.size(), 1);
    QCOMPARE(box(4)->view()->currentIndex().row(), 2);
    box(4)->hidePopup();
    // A tag that has come is in the list, and what was typed is as it was.
    QLineEdit* typed = box(3)->lineEdit();
    typed->setText(QStringLiteral("Sea"));
    typed->setCursorPosition(1);
    marks().changeTags({ids_[9]}, {QStringLiteral("Alps")}, {});
    QVERIFY(test::wait_until([&] { return box(3)->findData(QStringLiteral("Alps")) >= 0; }));
    QCOMPARE(typed->text(), QStringLiteral("Sea"));
    QCOMPARE(typed->cursorPosition(), 1);
    QVERIFY(shows({ids_[0], ids_[5]}));
    bar()->clear();
    marks().undo();
    QVERIFY(test::wait_until([&] { return box(3)->findData(QStringLiteral("Alps")) < 0; }));
  }

  void theBarIsAsHighAsItsWidthNeeds() {
    window_->resize(2200, 700);
    QVERIFY(test::wait_until([&] { return bar()->width() > 2000 && bar()->height() < 50 && fits(); }));
    const int flat = bar()->height();
    for (const int width : {1200, 900}) {
      window_->resize(width, 700);
      QVERIFY(test::wait_until([&] { return bar()->width() <= width && bar()->height() > flat && fits(); }));
    }
    line(QStringLiteral("Date"))->setText(QStringLiteral("1980..19x"));
    QVERIFY(test::wait_until([&] { return fits() && bar()->findChild<QLabel*>()->isVisible(); }));
    bar()->clear();
    window_->resize(2200, 700);
    QVERIFY(test::wait_until([&] { return bar()->height() == flat; }));
  }

  void aChangedMarkMovesThePictureInAndOut() {
    choose(0, QStringLiteral("3.."));
    QVERIFY(shows({ids_[0], ids_[1], ids_[2]}));
    marks().setMarks({ids_[7]}, {.rating = 5});
    QVERIFY(shows({ids_[0], ids_[1], ids_[2], ids_[7]}));
    marks().undo();
    QVERIFY(shows({ids_[0], ids_[1], ids_[2]}));
  }

  void foldersWordsAndDates() {
    QVERIFY(test::wait_until([&] { return box(4)->count() == 3; }));
    box(4)->setCurrentIndex(2);
    QVERIFY(test::wait_until([&] { return grid()->list()->count() == kPictures / 2; }));
    for (int i = 0; i < kPictures / 2; ++i) {
      QCOMPARE(grid()->list()->snapshot().folder(grid()->list()->row(i)).filename().string(), std::string("south"));
    }
    box(4)->setCurrentIndex(0);
    QLineEdit* date = line(QStringLiteral("Date"));
    QLineEdit* words = line(QStringLiteral("Words in the path"));
    QVERIFY(date != nullptr && words != nullptr);
    words->setText(QStringLiteral("north 003"));
    QVERIFY(test::wait_until([&] { return grid()->list()->count() == 1; }));
    words->clear();
    date->setText(QStringLiteral("1980..1990"));
    QVERIFY(test::wait_until([&] { return grid()->list()->count() == 0; }));
    // A date that is none is told, and changes nothing.
    date->setText(QStringLiteral("1980..19x"));
    const auto labels = bar()->findChildren<QLabel*>();
    QVERIFY(std::any_of(labels.begin(), labels.end(),
                        [](const QLabel* label) { return label->text().contains(QStringLiteral("19x")); }));
    QCOMPARE(grid()->list()->count(), 0);
    QTest::keyClick(window_->currentPage(), Qt::Key_L, Qt::ControlModifier);
    QVERIFY(!bar()->isVisible());
    QVERIFY(test::wait_until([&] { return grid()->list()->count() == kPictures; }));
  }

  void aSearchFindsOnlyWhatPasses() {
    auto* search = qobject_cast<SearchPage*>(window_->page(QStringLiteral("search")));
    search->searchPictures({ids_[6]});
    QVERIFY(test::wait_until([&] { return search->screenshotReady() && search->list()->count() == kPictures - 1; }));
    choose(0, QStringLiteral("3.."));
    QVERIFY(test::wait_until([&] { return search->list()->count() == 3; }));
    for (int i = 0; i < 3; ++i) QVERIFY(search->list()->id(i) <= ids_[2]);
    bar()->clear();
    QVERIFY(test::wait_until([&] { return search->list()->count() == kPictures - 1; }));
  }

  void aSavedFilterIsACollectionAfterARestart() {
    choose(0, QStringLiteral("3.."));
    bar()->save(QStringLiteral("Good ones"));
    QVERIFY(test::wait_until([&] { return !marks().collections().empty(); }));
    open();
    QVERIFY(test::wait_until([&] { return !marks().collections().empty(); }));
    QCOMPARE(marks().collections().front().name, std::string("Good ones"));
    auto* page = qobject_cast<CollectionPage*>(window_->page(QStringLiteral("collection")));
    page->showCollection(marks().collections().front().id);
    window_->showPage(page->name());
    QVERIFY(test::wait_until([&] { return page->view()->list()->count() == 3; }));
    marks().setMarks({ids_[9]}, {.rating = 3});
    QVERIFY(test::wait_until([&] { return page->view()->list()->count() == 4; }));
    marks().undo();
    QVERIFY(test::wait_until([&] { return page->view()->list()->count() == 3; }));
  }

  void theOrderByStars() {
    grid()->footer()->setOrder({SortKey::kRating, true, GroupKey::kRating});
    Q_EMIT grid()->footer()->orderChanged();
    QVERIFY(test::wait_until([&] { return grid()->list()->groups().size() == 3; }));
    std::vector<ImageId> first;
    for (int i = 0; i < 3; ++i) first.push_back(grid()->list()->id(i));
    std::sort(first.begin(), first.end());
    QVERIFY(first == std::vector<ImageId>(ids_.begin(), ids_.begin() + 3));
    QCOMPARE(grid()->list()->id(3), ids_[3]);
    marks().setMarks({ids_[8]}, {.rating = 5});
    QVERIFY(test::wait_until([&] { return grid()->list()->id(0) == ids_[8]; }));
    marks().undo();
    QVERIFY(test::wait_until([&] { return grid()->list()->groups().size() == 3; }));
    grid()->footer()->setOrder({});
    Q_EMIT grid()->footer()->orderChanged();
  }

 private:
  void open() {
    window_.reset();
    window_ = test::make_window(1200, 700);
    window_->show();
    window_->session().openLibrary(dir_ / "library");
    window_->showPage(QStringLiteral("grid"));
    QVERIFY(test::wait_until([&] { return grid()->list()->count() == kPictures; }));
  }
  FilterBar* bar() { return FilterBar::of(*window_); }
  QLineEdit* line(const QString& name) {
    for (QLineEdit* line : bar()->findChildren<QLineEdit*>()) {
      if (line->accessibleName() == name) return line;
    }
    return nullptr;
  }
  // Every control is within the bar, none covers another, and none is narrower than it should be.
  bool fits() {
    std::vector<QRect> places;
    for (const QWidget* widget : box(0)->parentWidget()->findChildren<QWidget*>(Qt::FindDirectChildrenOnly)) {
      if (!widget->isVisible()) continue;
      const QRect place(widget->mapTo(bar(), QPoint()), widget->size());
      const int least = std::min(widget->sizeHint().width(), widget->maximumWidth());
      if (!bar()->rect().contains(place) || place.width() < least) return false;
      for (const QRect& other : places) {
        if (place.intersects(other)) return false;
      }
      places.push_back(place);
    }
    return places.size() >= 11;
  }
  QComboBox* box(int number) { return bar()->findChildren<QComboBox*>().value(number); }
  void choose(int number, const QString& value) { box(number)->setCurrentIndex(box(number)->findData(value)); }
  bool shows(const std::vector<ImageId>& wanted) {
    return test::wait_until([&] {
      std::vector<ImageId> shown = grid()->list()->ids();
      std::sort(shown.begin(), shown.end());
      return shown == wanted;
    });
  }
  bool countIs(const QString& part) {
    const auto labels = grid()->footer()->findChildren<QLabel*>();
    return std::any_of(labels.begin(), labels.end(), [&](const QLabel* label) { return label->text().contains(part); });
  }
  GridPage* grid() { return qobject_cast<GridPage*>(window_->page(QStringLiteral("grid"))); }
  CurationModel& marks() { return CurationModel::of(window_->session()); }

  fs::path dir_;
  std::vector<ImageId> ids_;
  std::unique_ptr<MainWindow> window_;
};

}  // namespace
}  // namespace tessera::gui

int main(int argc, char** argv) { return tessera::gui::test::run_suite<tessera::gui::FilterTest>(argc, argv); }

#include "filter_test.moc"
