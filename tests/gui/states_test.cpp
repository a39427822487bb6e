// Libraries in a state of emergency: one that cannot be written, and one whose disk is not there.
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <QAction>
#include <QApplication>
#include <QMenu>
#include <QSettings>
#include <QStatusBar>
#include <QTest>

#include "app/main_window.h"
#include "browse/grid_page.h"
#include "browse/grid_view.h"
#include "browse/library_extension.h"
#include "browse/search_page.h"
#include "curate/curation_model.h"
#include "gui_fixture.h"

namespace tessera::gui {
namespace {

namespace fs = std::filesystem;

constexpr int kPictures = 6;

struct Program {
  explicit Program(const fs::path& library) : window(standardRegistry()) {
    window.session().setEncoders(test::color_encoders());
    LibraryControl::of(window)->start(library);
    window.resize(1000, 700);
    window.show();
    (void)test::wait_until([&] { return grid()->list()->count() == kPictures && grid()->screenshotReady(); });
  }
  GridPage* grid() { return qobject_cast<GridPage*>(window.page(QStringLiteral("grid"))); }
  CurationModel& marks() { return CurationModel::of(window.session()); }
  int inState(FileState state) {
    int count = 0;
    for (int i = 0; i < grid()->list()->count(); ++i) count += grid()->list()->picture(i).state == state ? 1 : 0;
    return count;
  }
  // Looks for new pictures and waits for the end of it.
  void update() {
    LibraryControl::of(window)->update();
    (void)test::wait_until([&] { return window.session().indexing().state() == Indexing::State::kIdle; });
  }

  MainWindow window;
};

class StatesTest : public QObject {
  Q_OBJECT

 public:
  explicit StatesTest(const fs::path& dir) : dir_(dir) {}

 private Q_SLOTS:
  void init() {
    fs::remove_all(dir_ / "photos");
    fs::remove_all(dir_ / "library");
    test::write_pictures(dir_ / "photos", kPictures);
    test::make_library(dir_ / "library", {dir_ / "photos"});
  }
  void cleanup() { ::chmod((dir_ / "library").c_str(), 0755); }

  void aLibraryThatCannotBeWrittenIsShownAndSearched() {
    QCOMPARE(::chmod((dir_ / "library").c_str(), 0555), 0);
    if (::access((dir_ / "library").c_str(), W_OK) == 0) QSKIP("this user may write everywhere");
    Program program(dir_ / "library");
    QCOMPARE(program.grid()->list()->count(), kPictures);
    QVERIFY(program.window.session().library().readOnly());
    QVERIFY(program.window.windowTitle().contains(QStringLiteral("read-only")));
    for (const QAction* action : program.window.menu(MainWindow::Menu::kFile)->actions()) {
      if (action->shortcut() == QKeySequence(QKeySequence::New)) QVERIFY(!action->isEnabled());
      if (action->shortcut() == QKeySequence(QKeySequence::Refresh)) QVERIFY(!action->isEnabled());
    }

    const ImageId id = program.grid()->list()->picture(0).id;
    program.grid()->setCurrentPicture(id);
    QTest::keyClick(program.grid()->view(), Qt::Key_S);
    auto* search = qobject_cast<SearchPage*>(program.window.page(QStringLiteral("search")));
    QVERIFY(test::wait_until([&] { return search->screenshotReady() && search->answer().has_value(); }));
    QVERIFY(!search->answer()->result->hits.empty());

    // A mark is refused with a reason, and not shown as if it had been kept.
    program.window.showPage(QStringLiteral("grid"));
    QTest::keyClick(program.grid()->view(), Qt::Key_5);
    QVERIFY(test::wait_until([&] { return !program.window.statusBar()->currentMessage().isEmpty(); }));
    const QString told = program.window.statusBar()->currentMessage();
    QVERIFY2(told.contains(QStringLiteral("readonly")), qPrintable(told));
    QVERIFY(test::wait_until([&] { return program.marks().marks(id).marks.rating == 0; }));
  }

  void aDiskThatIsNotThereKeepsEverything() {
    ImageId marked = 0;
    {
      Program program(dir_ / "library");
      marked = program.grid()->list()->picture(2).id;
      program.marks().setMarks({marked}, {.rating = 4});
      fs::rename(dir_ / "photos", dir_ / "unplugged");
      program.update();
      QVERIFY(test::wait_until([&] { return program.inState(FileState::kOffline) == kPictures; }));
      QCOMPARE(program.marks().marks(marked).marks.rating, 4);
      const auto* list = program.grid()->list();
      QVERIFY(list->data(list->index(0), Qt::ToolTipRole).toString().contains(QStringLiteral("disk is not there")));
    }
    Program again(dir_ / "library");
    QCOMPARE(again.inState(FileState::kOffline), kPictures);
    const QImage without = again.grid()->view()->grab().toImage();
    fs::rename(dir_ / "unplugged", dir_ / "photos");
    again.update();
    QVERIFY(test::wait_until([&] { return again.inState(FileState::kPresent) == kPictures; }));
    QVERIFY(test::wait_until([&] { return again.grid()->screenshotReady(); }));
    QVERIFY(again.grid()->view()->grab().toImage() != without);
    QVERIFY(test::wait_until([&] { return again.marks().marks(marked).marks.rating == 4; }));
  }

 private:
  fs::path dir_;
};

}  // namespace
}  // namespace tessera::gui

int main(int argc, char** argv) {
  // The administrator may write everywhere, so nothing would be read-only.
  constexpr unsigned kNobody = 65534;
  if (::getuid() == 0 && (::setresgid(kNobody, kNobody, kNobody) != 0 || ::setresuid(kNobody, kNobody, kNobody) != 0)) {
    return 1;
  }
  ::prctl(PR_SET_DUMPABLE, 1);  // another user's process otherwise hides from the leak sanitizer
  return tessera::gui::test::run_suite<tessera::gui::StatesTest>(argc, argv);
}

#include "states_test.moc"
