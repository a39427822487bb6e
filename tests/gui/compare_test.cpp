// Several pictures at once: comparing, flipping, the difference, and survey.
#include "look/survey_page.h"
#include "look_fixture.h"

namespace tessera::gui {
namespace {

class CompareTest : public test::LookFixture {
  Q_OBJECT

 public:
  explicit CompareTest(const std::filesystem::path& dir) : LookFixture(dir) {}

 private Q_SLOTS:
  void initTestCase() { setUp(); }
  void cleanupTestCase() { window_.reset(); }

  void comparedPicturesMoveTogether() {
    ComparePage* page = openCompare({"x large.jpg", "picture_000.jpg", "wide.png"});
    QCOMPARE(page->count(), 3);
    const QPointF cursor(page->view(0)->width() * 0.3, page->view(0)->height() * 0.5);
    for (int i = 0; i < 8; ++i) wheel(page->view(0), cursor, 120);
    drag(page->view(0), QPoint(100, 100), QPoint(60, 130));
    const ViewState state = page->view(0)->viewState();
    QVERIFY(!state.fit && state.relative_zoom > 4);
    // Pictures of any size show the same part, but for the edges.
    QCOMPARE(page->view(1)->viewState().relative_zoom, state.relative_zoom);
    QVERIFY(test::distance(page->view(1)->viewState().center, state.center) < 0.1);
    QCOMPARE(page->view(2)->viewState().relative_zoom, state.relative_zoom);
    page->view(1)->setFocus();
    QTest::keyClick(page->view(1), Qt::Key_BracketRight);
    QCOMPARE(page->view(2)->geometryOfView().turns(), 1);
  }

  void samePictureTwiceMovesExactlyAlike() {
    ComparePage* page = openCompare({"x large.jpg", "x large.jpg"});
    wheel(page->view(1), QPointF(50, 80), 600);
    drag(page->view(1), QPoint(200, 200), QPoint(150, 170));
    QVERIFY(page->view(0)->viewState() == page->view(1)->viewState());
  }

  void holdingALetterFlips() {
    ComparePage* page = openCompare({"picture_000.jpg", "picture_001.jpg"});
    const auto a = page->view(0)->picture();
    const auto b = page->view(1)->picture();
    QVERIFY(a && b && a != b);
    QTest::keyPress(page->view(0), Qt::Key_B);
    QVERIFY(page->view(0)->picture() == b && page->view(1)->picture() == b);
    QTest::keyRelease(page->view(0), Qt::Key_B);
    QVERIFY(page->view(0)->picture() == a && page->view(1)->picture() == b);
    QTest::keyPress(page->view(1), Qt::Key_A);
    QVERIFY(page->view(0)->picture() == a && page->view(1)->picture() == a);
    QTest::keyRelease(page->view(1), Qt::Key_A);
  }

  void anyOfFourIsSeenInEveryPlace() {
    ComparePage* page = openCompare({"picture_000.jpg", "picture_001.jpg", "picture_002.jpg", "picture_003.jpg"});
    std::vector<std::shared_ptr<const DisplayPicture>> own;
    for (int i = 0; i < 4; ++i) own.push_back(page->view(i)->picture());
    for (int letter = 0; letter < 4; ++letter) {
      QTest::keyPress(page->view(1), Qt::Key(Qt::Key_A + letter), Qt::ShiftModifier);
      for (int i = 0; i < 4; ++i) QVERIFY(page->view(i)->picture() == own[std::size_t(letter)]);
      QTest::keyRelease(page->view(1), Qt::Key(Qt::Key_A + letter), Qt::ShiftModifier);
      for (int i = 0; i < 4; ++i) QVERIFY(page->view(i)->picture() == own[std::size_t(i)]);
    }
    QVERIFY(!page->showsDifference());
    QTest::keyPress(page->view(0), Qt::Key_D, Qt::ShiftModifier);
    QTest::keyRelease(page->view(0), Qt::Key_Shift);
    QVERIFY(page->view(0)->picture() == own[0]);
  }

  void theDifferenceIsThatOfThePixels() {
    const QImage a = to_qimage(test::picture(3));
    QImage same = difference_image(a, a, 16);
    QImage black(a.size(), QImage::Format_RGB32);
    black.fill(Qt::black);
    QVERIFY(same == black);
    QImage p(2, 1, QImage::Format_RGB32), q(2, 1, QImage::Format_RGB32);
    p.setPixel(0, 0, qRgb(100, 20, 0));
    p.setPixel(1, 0, qRgb(0, 0, 255));
    q.setPixel(0, 0, qRgb(90, 25, 0));
    q.setPixel(1, 0, qRgb(0, 200, 0));
    const QImage difference = difference_image(p, q, 3);
    QCOMPARE(difference.pixel(0, 0), qRgb(30, 15, 0));
    QCOMPARE(difference.pixel(1, 0), qRgb(0, 255, 255));
  }

  void theDifferenceIsShownOnOneKey() {
    ComparePage* page = openCompare({"picture_002.jpg", "picture_002.jpg"});
    QTest::keyClick(page->view(0), Qt::Key_D);
    QVERIFY(page->showsDifference());
    QVERIFY(test::wait_until([&] { return page->differenceView()->picture() != nullptr; }));
    QImage black(page->differenceView()->picture()->levels[0].size(), QImage::Format_RGB32);
    black.fill(Qt::black);
    QVERIFY(page->differenceView()->picture()->levels[0] == black);
    page->compare({id("picture_002.jpg"), id("picture_003.jpg")});
    QVERIFY(!page->showsDifference());
    QTest::keyClick(page->view(0), Qt::Key_D);
    QVERIFY(test::wait_until(
        [&] { return page->differenceView()->picture() && page->differenceView()->picture()->levels[0] != black; }));
    QTest::keyClick(page->differenceView(), Qt::Key_D);
    QVERIFY(!page->showsDifference());
  }

  void surveyCellsAreInsideAndApart() {
    const QRect area(5, 7, 900, 500);
    for (int count = 1; count <= 24; ++count) {
      const std::vector<QRect> cells = surveyCells(area, count, 4.0 / 3.0, 10);
      QCOMPARE(static_cast<int>(cells.size()), count);
      for (std::size_t i = 0; i < cells.size(); ++i) {
        QVERIFY(area.contains(cells[i]));
        for (std::size_t j = 0; j < i; ++j) QVERIFY(!cells[i].intersects(cells[j]));
      }
    }
    QVERIFY(surveyCells(area, 0, 1, 10).empty());
  }

  void surveyTakesPicturesOff() {
    window_->showPage(QStringLiteral("survey"));
    auto* page = qobject_cast<SurveyPage*>(window_->currentPage());
    page->survey({id("picture_000.jpg"), id("picture_001.jpg"), id("y broken.jpg")});
    QTest::keyClick(page, Qt::Key_Right);
    QVERIFY(page->currentPicture() == id("picture_001.jpg"));
    QTest::keyClick(page, Qt::Key_Backspace);
    QVERIFY((page->pictures() == std::vector<ImageId>{id("picture_000.jpg"), id("y broken.jpg")}));
    QVERIFY(page->currentPicture() == id("y broken.jpg"));
    QTest::keyClick(page, Qt::Key_Return);
    QCOMPARE(window_->currentPage()->name(), QStringLiteral("loupe"));
    QVERIFY(window_->currentPage()->currentPicture() == id("y broken.jpg"));
  }
};

}  // namespace
}  // namespace tessera::gui

int main(int argc, char** argv) { return tessera::gui::test::run_suite<tessera::gui::CompareTest>(argc, argv); }

#include "compare_test.moc"
