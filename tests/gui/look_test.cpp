// Looking at pictures: zoom, turning, regions, the loupe, comparing, the difference, survey and full screen.
#include <QApplication>
#include <QLabel>
#include <QMenuBar>
#include <QPainter>
#include <QSignalSpy>
#include <QTest>
#include <QWheelEvent>
#include <cmath>
#include <fstream>

#include "app/main_window.h"
#include "browse/grid_page.h"
#include "browse/grid_view.h"
#include "curate/curation_model.h"
#include "gui_fixture.h"
#include "look/compare_page.h"
#include "look/info_panel.h"
#include "look/loupe_page.h"
#include "look/picture_view.h"
#include "look/survey_page.h"
#include "test_paths.h"

namespace tessera::gui {
namespace {

namespace fs = std::filesystem;

double distance(const QPointF& a, const QPointF& b) { return std::hypot(a.x() - b.x(), a.y() - b.y()); }

std::array<double, 3> mean_of(const QImage& image, const QRect& rect) {
  std::array<double, 3> sum{};
  for (int y = rect.top(); y <= rect.bottom(); ++y) {
    for (int x = rect.left(); x <= rect.right(); ++x) {
      const QColor color = image.pixelColor(x, y);
      sum[0] += color.red();
      sum[1] += color.green();
      sum[2] += color.blue();
    }
  }
  for (double& value : sum) value /= double(rect.width()) * rect.height();
  return sum;
}

std::array<double, 3> mean_of(const Image& image) {
  std::array<double, 3> sum{};
  for (std::size_t i = 0; i < image.rgb.size(); ++i) sum[i % 3] += image.rgb[i];
  for (double& value : sum) value /= double(image.rgb.size()) / 3;
  return sum;
}

class LookTest : public QObject {
  Q_OBJECT

 public:
  explicit LookTest(const fs::path& dir) : dir_(dir) {}

 private Q_SLOTS:
  void initTestCase() {
    const fs::path photos = dir_ / "photos";
    test::write_pictures(photos, 5);
    fs::copy_file(tessera::test::data_dir() / "images" / "orientation_6.jpg", photos / "turned.jpg");
    fs::copy_file(tessera::test::data_dir() / "images" / "details.jpg", photos / "with details.jpg");
    write_image(photos / "wide.png", test::picture(9, 200, 50));
    write_image(photos / "x large.jpg", test::picture(11, 3000, 2000));
    std::ofstream(photos / "y broken.jpg", std::ios::binary) << "\xFF\xD8\xFF\xE0 and no more";
    test::make_library(dir_ / "library", {photos});
    window_ = std::make_unique<MainWindow>(standardRegistry());
    window_->resize(1000, 700);
    test::show(*window_);
    window_->session().openLibrary(dir_ / "library");
    QVERIFY(test::wait_until([&] { return window_->session().library().loaded(); }));
  }
  void cleanupTestCase() { window_.reset(); }

  void zoomingKeepsThePointUnderTheCursor() {
    ViewGeometry geometry;
    geometry.setPicture(QSizeF(4000, 3000));
    for (const double ratio : {1.0, 2.0}) {
      geometry.setView(QSizeF(800, 600), ratio);
      for (int turns = 0; turns < 4; ++turns) {
        geometry.setFit();
        geometry.setZoom(1.5, QPointF(500, 200));
        const QPointF cursor(350, 310);
        const QPointF before = geometry.toPicture(cursor);
        geometry.setZoom(4, cursor);
        QVERIFY(distance(geometry.toPicture(cursor), before) < 1e-6);
        geometry.setZoom(2, cursor);
        QVERIFY(distance(geometry.toPicture(cursor), before) < 1e-6);
        geometry.turn(1);
      }
    }
  }

  void aPictureLeavesNoGapAndASmallOneIsCentred() {
    ViewGeometry geometry;
    geometry.setPicture(QSizeF(1000, 500));
    geometry.setView(QSizeF(400, 400), 1);
    QCOMPARE(geometry.zoom(), 0.4);
    QCOMPARE(geometry.toView(QPointF(500, 250)), QPointF(200, 200));
    geometry.setZoom(1, QPointF(0, 0));
    geometry.pan(QPointF(5000, 5000));
    QCOMPARE(geometry.toView(QPointF(0, 0)), QPointF(0, 0));
    geometry.pan(QPointF(-5000, -5000));
    QCOMPARE(geometry.toView(QPointF(1000, 500)), QPointF(400, 400));
    geometry.turn(1);
    QCOMPARE(geometry.visible().size(), QSizeF(400, 400));
    geometry.setZoom(1000, QPointF(0, 0));
    QCOMPARE(geometry.zoom(), ViewGeometry::kMostZoom);
    geometry.setPicture(QSizeF(20, 20));
    geometry.setFit();
    QCOMPARE(geometry.zoom(), ViewGeometry::kMostFit);
  }

  void theWheelZoomsAtTheCursor() {
    LoupePage* loupe = openLoupe("x large.jpg");
    PictureView* view = loupe->view();
    const QPointF cursor(view->width() * 0.5 + 60, view->height() * 0.5 + 40);
    const double fit = view->geometryOfView().zoom();
    for (int i = 0; i < 4; ++i) wheel(view, cursor, 120);  // until the picture fills the view both ways
    const QPointF before = view->geometryOfView().toPicture(cursor);
    for (int i = 0; i < 8; ++i) wheel(view, cursor, 120);
    QVERIFY(view->geometryOfView().zoom() > 5 * fit);
    QVERIFY(distance(view->geometryOfView().toPicture(cursor), before) < 1e-6);
    for (int i = 0; i < 30; ++i) wheel(view, cursor, -120);
    QVERIFY(view->geometryOfView().fits());
  }

  void aLargePictureComesReducedFirst() {
    window_->showPage(QStringLiteral("grid"));
    LoupePage* loupe = openLoupe("x large.jpg");
    QVERIFY(test::wait_until([&] { return loupe->screenshotReady(); }));
    loupe->view()->setFit();
    QCOMPARE(loupe->view()->picture()->size, QSize(3000, 2000));
    QTest::keyClick(loupe->view(), Qt::Key_Z);
    QCOMPARE(loupe->view()->geometryOfView().zoom(), 1.0);
    QVERIFY(test::wait_until([&] { return !loupe->view()->picture()->reduced; }));
    QCOMPARE(loupe->view()->picture()->levels[0].size(), QSize(3000, 2000));
    QTest::keyClick(loupe->view(), Qt::Key_Z);
    QVERIFY(loupe->view()->geometryOfView().fits());
  }

  void reducedDecodingIsEnoughForItsZoom() {
    const DisplayPicture picture = load_display_picture(dir_ / "photos" / "x large.jpg", 480, {});
    QVERIFY(picture.reduced);
    QCOMPARE(picture.size, QSize(3000, 2000));
    QVERIFY(picture.levels[0].height() >= 480 && picture.levels[0].height() < 1000);
    const DisplayPicture full = load_display_picture(dir_ / "photos" / "x large.jpg", 0, {});
    QVERIFY(!full.reduced);
    QCOMPARE(full.levels[0].size(), QSize(3000, 2000));
    QCOMPARE(full.levelFor(0.5).width(), 1500);
    QCOMPARE(full.levelFor(0.51).width(), 3000);
    std::stop_source stop;
    stop.request_stop();
    try {
      load_display_picture(dir_ / "photos" / "x large.jpg", 0, stop.get_token());
      QFAIL("it was not cancelled");
    } catch (const Error& error) {
      QVERIFY(error.code() == ErrorCode::kCancelled);
    }
  }

  void keysGoThroughThePictures() {
    LoupePage* loupe = openLoupe("picture_001.jpg");
    QTest::keyClick(loupe->view(), Qt::Key_Right);
    QCOMPARE(currentName(), QStringLiteral("picture_002.jpg"));
    QTest::keyClick(loupe->view(), Qt::Key_Space);
    QCOMPARE(currentName(), QStringLiteral("picture_003.jpg"));
    QTest::keyClick(loupe->view(), Qt::Key_Backspace);
    QTest::keyClick(loupe->view(), Qt::Key_Left);
    QCOMPARE(currentName(), QStringLiteral("picture_001.jpg"));
    QTest::keyClick(loupe->view(), Qt::Key_End);
    QVERIFY(!loupe->advance(1));
    QTest::keyClick(loupe->view(), Qt::Key_Home);
    QVERIFY(!loupe->advance(-1));
    QTest::keyClick(loupe->view(), Qt::Key_BracketRight);
    QCOMPARE(loupe->view()->geometryOfView().turns(), 1);
    QTest::keyClick(loupe->view(), Qt::Key_Right);
    QCOMPARE(loupe->view()->geometryOfView().turns(), 0);
  }

  void thePanelShowsWhatTheFileSays() {
    LoupePage* loupe = openLoupe("with details.jpg");
    const LibrarySnapshot& snapshot = *window_->session().library().snapshot();
    const auto lines =
        InfoPanel::lines(snapshot, *snapshot.find(*loupe->currentPicture()), loupe->view()->picture().get());
    const auto line = [&](const char* name) {
      for (const auto& [label, text] : lines) {
        if (label == QLatin1String(name)) return text;
      }
      return QString();
    };
    QCOMPARE(line("File"), QStringLiteral("with details.jpg"));
    QCOMPARE(line("Camera"), QStringLiteral("NIKON D750"));
    QCOMPARE(line("Exposure"), QStringLiteral("1/250 s   f/2.8   ISO 6400   -0.7 EV"));
    QCOMPARE(line("Focal length"), QStringLiteral("85 mm"));
    QCOMPARE(line("Taken"), QStringLiteral("2024-05-17 14:03:22.25   UTC+02:00"));
    QCOMPARE(line("Place"), QStringLiteral("48.20850, -16.37208, 171 m"));
    QVERIFY(!loupe->info()->findChildren<QLabel*>().isEmpty());
  }

  void aBrokenPictureShowsWhy() {
    LoupePage* loupe = openLoupe("y broken.jpg", false);
    QVERIFY(test::wait_until([&] { return loupe->view()->showsProblem(); }));
    QVERIFY(loupe->view()->accessibleDescription().contains(QStringLiteral("truncated JPEG")));
  }

  // What is inside the rectangle on the screen is what the region's pixels are, whatever the orientation of the file
  // and the turn of the view.
  void aRegionTakesThePixelsThatAreSeen() {
    QSignalSpy wanted(&window_->session(), &Session::regionSearchWanted);
    for (const int turns : {0, 1}) {
      for (const char* name : {"turned.jpg", "wide.png"}) {
        LoupePage* loupe = openLoupe(name);
        PictureView* view = loupe->view();
        view->setFit();
        for (int i = 0; i < turns; ++i) QTest::keyClick(view, Qt::Key_BracketRight);
        QTest::keyClick(view, Qt::Key_R);
        QVERIFY(view->regionMode());
        const QRectF seen =
            view->geometryOfView().toView().mapRect(QRectF(QPointF(), view->geometryOfView().picture()));
        const QPoint from = (seen.topLeft() + QPointF(seen.width() * 0.6, seen.height() * 0.1)).toPoint();
        const QPoint to = (seen.topLeft() + QPointF(seen.width() * 0.9, seen.height() * 0.5)).toPoint();
        const QImage before = view->grab().toImage();
        drag(view, from, to);
        wanted.clear();
        QTest::keyClick(view, Qt::Key_Return);
        QCOMPARE(wanted.count(), 1);
        const fs::path file = dir_ / "photos" / name;
        QVERIFY(wanted[0][0].value<fs::path>() == file);
        const QRectF fraction = wanted[0][1].toRectF();
        const Image upright = load_image(file);
        const auto expected = mean_of(crop_image(
            upright, int(std::lround(fraction.x() * upright.width)), int(std::lround(fraction.y() * upright.height)),
            int(std::lround(fraction.width() * upright.width)), int(std::lround(fraction.height() * upright.height))));
        const auto actual = mean_of(before, QRect(from, to - QPoint(1, 1)));
        for (std::size_t c = 0; c < 3; ++c) QVERIFY2(std::abs(actual[c] - expected[c]) < 6, name);
        window_->showPage(QStringLiteral("loupe"));
        QTest::keyClick(view, Qt::Key_Escape);
        QVERIFY(!view->regionMode());
        QCOMPARE(window_->currentPage()->name(), QStringLiteral("loupe"));  // Esc ended the region only
      }
    }
  }

  void aRegionIsDrawnByKeysAndByHandles() {
    LoupePage* loupe = openLoupe("x large.jpg");
    PictureView* view = loupe->view();
    view->setFit();
    view->setRegionMode(true);
    QTest::keyClick(view, Qt::Key_Right);
    QCOMPARE(view->region().fraction(), QRectF(0.25, 0.25, 0.5, 0.5));
    QTest::keyClick(view, Qt::Key_Right);
    QCOMPARE(view->region().rect(), QRectF(790, 500, 1500, 1000));
    QTest::keyClick(view, Qt::Key_Down, Qt::ShiftModifier);
    QCOMPARE(view->region().rect(), QRectF(790, 500, 1500, 1040));
    const auto at = [&](const QPointF& point) { return view->geometryOfView().toView(point).toPoint(); };
    drag(view, at({790, 500}), at({400, 200}));  // the upper left handle
    const QRectF rect = view->region().rect();
    QVERIFY(distance(rect.topLeft(), {400, 200}) < 10);
    QVERIFY(distance(rect.bottomRight(), {2290, 1540}) < 1);
    drag(view, at(rect.center()), at(rect.center() + QPointF(9000, 0)));  // moved, and stopped by the edge
    QVERIFY(std::abs(view->region().rect().right() - 3000) < 1);
    QVERIFY(std::abs(view->region().rect().width() - rect.width()) < 1);
    view->setRegionMode(false);
    QVERIFY(view->region().isEmpty());
  }

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
    QVERIFY(distance(page->view(1)->viewState().center, state.center) < 0.1);
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

  void oneSelectedPictureIsSeenAmongAllInTheirOrder() {
    window_->showPage(QStringLiteral("grid"));
    auto* grid = qobject_cast<GridPage*>(window_->page(QStringLiteral("grid")));
    QVERIFY(test::wait_until([&] { return grid->list()->count() > 5; }));
    grid->setCurrentPicture(grid->list()->id(2));
    QTest::keyClick(grid->view(), Qt::Key_E);
    auto* loupe = qobject_cast<LoupePage*>(window_->currentPage());
    QVERIFY(loupe != nullptr);
    QVERIFY(loupe->currentPicture() == grid->list()->id(2));
    QVERIFY(loupe->advance(1));
    QVERIFY(loupe->currentPicture() == grid->list()->id(3));
    QVERIFY(loupe->advance(-1) && loupe->advance(-1));
    QVERIFY(loupe->currentPicture() == grid->list()->id(1));
  }

  void marksAreSeenWhereverAPictureIsLarge() {
    CurationModel& model = CurationModel::of(window_->session());
    const ImageId marked = id("picture_001.jpg");
    LoupePage* loupe = openLoupe("picture_001.jpg");
    const QImage loupe_before = loupe->view()->grab().toImage();
    ComparePage* compare = openCompare({"picture_000.jpg", "picture_001.jpg"});
    const QImage pane_before = compare->view(1)->grab().toImage();
    auto* survey = qobject_cast<SurveyPage*>(window_->page(QStringLiteral("survey")));
    survey->survey({id("picture_000.jpg"), marked});
    window_->showPage(QStringLiteral("survey"));
    QVERIFY(test::wait_until([&] { return survey->screenshotReady(); }));
    const QImage survey_before = survey->grab().toImage();

    model.setMarks({marked}, {Flag::kPick, 3, ColorLabel::kRed});
    model.changeTags({marked}, {QStringLiteral("Places/Graz")}, {});
    QVERIFY(test::wait_until([&] { return model.marks(marked).tags.size() == 1; }));
    QVERIFY(survey->grab().toImage() != survey_before);
    window_->showPage(QStringLiteral("compare"));
    QVERIFY(compare->view(1)->grab().toImage() != pane_before);
    openLoupe("picture_001.jpg");
    const QImage seen = loupe->view()->grab().toImage();
    QVERIFY(seen != loupe_before);
    const int half = seen.height() / 2;
    QCOMPARE(seen.copy(0, 0, seen.width(), half), loupe_before.copy(0, 0, seen.width(), half));
    QStringList texts;
    for (const QLabel* label : loupe->info()->findChildren<QLabel*>()) texts.append(label->text());
    QVERIFY(texts.contains(QStringLiteral("Places/Graz")));
    QVERIFY(texts.contains(QStringLiteral("Pick, ★★★, Red")));
    model.undo();
    model.undo();
    QVERIFY(test::wait_until([&] { return model.marks(marked).marks == Marks{}; }));
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

  void fullScreenKeepsTheKeys() {
    openLoupe("picture_000.jpg");
    QTest::keyClick(window_->currentPage()->focusProxy(), Qt::Key_F);
    QVERIFY(window_->isFullScreen());
    QVERIFY(!window_->menuBar()->isVisible());
    QTest::keyClick(window_->currentPage()->focusProxy(), Qt::Key_G);
    QCOMPARE(window_->currentPage()->name(), QStringLiteral("grid"));
    QTest::keyClick(window_->currentPage(), Qt::Key_E);
    QCOMPARE(window_->currentPage()->name(), QStringLiteral("loupe"));
    QTest::keyClick(window_->currentPage()->focusProxy(), Qt::Key_F);
    QVERIFY(!window_->isFullScreen());
    QVERIFY(window_->menuBar()->isVisible());
  }

 private:
  ImageId id(const char* name) const {
    const LibrarySnapshot& snapshot = *window_->session().library().snapshot();
    for (Row row = 0; row < snapshot.size(); ++row) {
      if (snapshot.name(row) == name) return snapshot[row].id;
    }
    return 0;
  }
  QString currentName() const {
    const LibrarySnapshot& snapshot = *window_->session().library().snapshot();
    return snapshot.nameText(*snapshot.find(*window_->currentPage()->currentPicture()));
  }
  LoupePage* openLoupe(const char* name, bool wait = true) {
    Q_EMIT window_->session().lookWanted(id(name), {});
    auto* loupe = qobject_cast<LoupePage*>(window_->currentPage());
    if (wait) test::wait_until([&] { return loupe->view()->picture() != nullptr; });
    return loupe;
  }
  ComparePage* openCompare(const std::vector<const char*>& names) {
    std::vector<ImageId> ids;
    for (const char* name : names) ids.push_back(id(name));
    Q_EMIT window_->session().compareWanted(ids);
    auto* page = qobject_cast<ComparePage*>(window_->currentPage());
    test::wait_until([&] { return page->screenshotReady(); });
    return page;
  }
  static void wheel(QWidget* widget, const QPointF& at, int delta) {
    QWheelEvent event(at, widget->mapToGlobal(at), QPoint(), QPoint(0, delta), Qt::NoButton, Qt::NoModifier,
                      Qt::NoScrollPhase, false);
    QApplication::sendEvent(widget, &event);
  }
  static void drag(QWidget* widget, const QPoint& from, const QPoint& to) {
    QTest::mousePress(widget, Qt::LeftButton, Qt::NoModifier, from);
    for (const QPoint& at : {(from + to) / 2, to}) {
      QMouseEvent move(QEvent::MouseMove, QPointF(at), widget->mapToGlobal(QPointF(at)), Qt::NoButton, Qt::LeftButton,
                       Qt::NoModifier);
      QApplication::sendEvent(widget, &move);
    }
    QTest::mouseRelease(widget, Qt::LeftButton, Qt::NoModifier, to);
  }

  fs::path dir_;
  std::unique_ptr<MainWindow> window_;
};

}  // namespace
}  // namespace tessera::gui

int main(int argc, char** argv) { return tessera::gui::test::run_suite<tessera::gui::LookTest>(argc, argv); }

#include "look_test.moc"
