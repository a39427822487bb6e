// Looking at one picture: zoom, turning, regions, the loupe, marks and full screen.
#include <QApplication>
#include <QLabel>
#include <QMenuBar>
#include <QPainter>
#include <QSignalSpy>
#include <QTest>
#include <cmath>

#include "app/main_window.h"
#include "browse/grid_page.h"
#include "browse/grid_view.h"
#include "curate/curation_model.h"
#include "look/compare_page.h"
#include "look/info_panel.h"
#include "look/loupe_page.h"
#include "look/picture_view.h"
#include "look/survey_page.h"
#include "look_fixture.h"

namespace tessera::gui {
namespace {

namespace fs = std::filesystem;

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

class LookTest : public test::LookFixture {
  Q_OBJECT

 public:
  explicit LookTest(const fs::path& dir) : LookFixture(dir) {}

 private Q_SLOTS:
  void initTestCase() { setUp(); }
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
        QVERIFY(test::distance(geometry.toPicture(cursor), before) < 1e-6);
        geometry.setZoom(2, cursor);
        QVERIFY(test::distance(geometry.toPicture(cursor), before) < 1e-6);
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
    QVERIFY(test::distance(view->geometryOfView().toPicture(cursor), before) < 1e-6);
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
    QVERIFY(test::distance(rect.topLeft(), {400, 200}) < 10);
    QVERIFY(test::distance(rect.bottomRight(), {2290, 1540}) < 1);
    drag(view, at(rect.center()), at(rect.center() + QPointF(9000, 0)));  // moved, and stopped by the edge
    QVERIFY(std::abs(view->region().rect().right() - 3000) < 1);
    QVERIFY(std::abs(view->region().rect().width() - rect.width()) < 1);
    view->setRegionMode(false);
    QVERIFY(view->region().isEmpty());
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
};

}  // namespace
}  // namespace tessera::gui

int main(int argc, char** argv) { return tessera::gui::test::run_suite<tessera::gui::LookTest>(argc, argv); }

#include "look_test.moc"
