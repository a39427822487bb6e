// What tests of pictures shown large share: a window on a library with pictures of several kinds, and mouse work.
#pragma once

#include <QTest>
#include <QWheelEvent>
#include <cmath>
#include <fstream>

#include "app/main_window.h"
#include "gui_fixture.h"
#include "look/compare_page.h"
#include "look/loupe_page.h"
#include "look/picture_view.h"
#include "test_paths.h"

namespace tessera::gui::test {

inline double distance(const QPointF& a, const QPointF& b) { return std::hypot(a.x() - b.x(), a.y() - b.y()); }

class LookFixture : public QObject {
 protected:
  explicit LookFixture(const std::filesystem::path& dir) : dir_(dir) {}

  void setUp() {
    const std::filesystem::path photos = dir_ / "photos";
    write_pictures(photos, 5);
    std::filesystem::copy_file(tessera::test::data_dir() / "images" / "orientation_6.jpg", photos / "turned.jpg");
    std::filesystem::copy_file(tessera::test::data_dir() / "images" / "details.jpg", photos / "with details.jpg");
    write_image(photos / "wide.png", picture(9, 200, 50));
    write_image(photos / "x large.jpg", picture(11, 3000, 2000));
    std::ofstream(photos / "y broken.jpg", std::ios::binary) << "\xFF\xD8\xFF\xE0 and no more";
    make_library(dir_ / "library", {photos});
    window_ = make_window(1000, 700);
    show(*window_);
    window_->session().openLibrary(dir_ / "library");
    QVERIFY(wait_until([&] { return window_->session().library().loaded(); }));
  }
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
    if (wait) wait_until([&] { return loupe->view()->picture() != nullptr; });
    return loupe;
  }
  ComparePage* openCompare(const std::vector<const char*>& names) {
    std::vector<ImageId> ids;
    for (const char* name : names) ids.push_back(id(name));
    Q_EMIT window_->session().compareWanted(ids);
    auto* page = qobject_cast<ComparePage*>(window_->currentPage());
    wait_until([&] { return page->screenshotReady(); });
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

  std::filesystem::path dir_;
  std::unique_ptr<MainWindow> window_;
};

}  // namespace tessera::gui::test
