// The window with a small library: pages, what they show of it, jobs and their failures.
#include <QApplication>
#include <QSignalSpy>
#include <QTest>
#include <atomic>
#include <thread>

#include "app/main_window.h"
#include "browse/grid_page.h"
#include "browse/picture_list.h"
#include "gui_fixture.h"
#include "tessera/indexer/curation.h"

namespace tessera::gui {
namespace {

namespace fs = std::filesystem;

class WindowTest : public QObject {
  Q_OBJECT

 public:
  explicit WindowTest(const fs::path& dir) : dir_(dir) {}

 private Q_SLOTS:
  void initTestCase() {
    test::write_pictures(dir_ / "photos", 12);
    test::make_library(dir_ / "library", {dir_ / "photos"});
  }

  void everyPageIsReachedByItsName() {
    MainWindow window(standardRegistry());
    for (const QString& name : window.pageNames()) {
      window.showPage(name);
      QCOMPARE(window.currentPage()->name(), name);
      QVERIFY2(!window.currentPage()->title().isEmpty(), qPrintable(name));
    }
    window.showPage(QStringLiteral("no such page"));
    QCOMPARE(window.currentPage()->name(), window.pageNames().back());
  }

  void theLibraryIsReadAgainOnlyIfItChanged() {
    MainWindow window(standardRegistry());
    window.session().openLibrary(dir_ / "library");
    LibraryModel& library = window.session().library();
    QVERIFY(test::wait_until([&] { return library.loaded() && window.session().jobs().idle(); }));
    const QSignalSpy changed(&library, &LibraryModel::changed);
    // Not so soon after a reading that reading would never end.
    const auto look = [&] {
      QTest::qWait(200);
      library.refreshIfChanged();
      return test::wait_until([&] { return window.session().jobs().idle(); });
    };
    QVERIFY(look());
    QVERIFY(look());
    QCOMPARE(changed.size(), 0);
    Curation::open(dir_ / "library", OpenMode::kWrite).create_collection("x");
    QVERIFY(look());
    QTRY_COMPARE(changed.size(), 1);
    QVERIFY(look());
    QCOMPARE(changed.size(), 1);
    Curation::open(dir_ / "library", OpenMode::kWrite).undo();
  }

  void theLibraryIsShown() {
    MainWindow window(standardRegistry());
    window.session().openLibrary(dir_ / "library");
    QVERIFY(test::wait_until([&] { return window.session().library().loaded(); }));
    QCOMPARE(window.session().library().snapshot()->size(), Row{12});
    const LibrarySnapshot& snapshot = *window.session().library().snapshot();
    QCOMPARE(snapshot.path(3).string(), (dir_ / "photos" / "picture_003.jpg").string());
    QCOMPARE(snapshot[3].width, 96);
    QVERIFY(snapshot.find(snapshot[5].id) == Row{5});
    window.showPage(QStringLiteral("grid"));
    auto* grid = qobject_cast<GridPage*>(window.currentPage());
    QVERIFY(grid != nullptr);
    QVERIFY(test::wait_until([&] { return grid->list()->count() == 12; }));
    grid->setCurrentPicture(grid->list()->id(4));
    QVERIFY(grid->currentPicture() == grid->list()->id(4));
    QVERIFY(grid->advance(1));
    QVERIFY(grid->currentPicture() == grid->list()->id(5));
    QVERIFY(grid->selectedPictures() == std::vector<ImageId>{grid->list()->id(5)});
  }

  void aFolderWithoutALibraryIsReported() {
    MainWindow window(standardRegistry());
    QSignalSpy failed(&window.session(), &Session::libraryFailed);
    window.session().openLibrary(dir_ / "nothing here");
    QVERIFY(test::wait_until([&] { return failed.count() == 1; }));
    QVERIFY(!window.session().library().loaded());
  }

  void jobsDeliverInOrderAndTheirErrorsToo() {
    JobRunner jobs;
    QStringList seen;
    jobs.run(
        Lane::kCatalog, this,
        [](JobContext& context) {
          context.post([] {});
          return 7;
        },
        [&](int value) { seen.append(QString::number(value)); });
    jobs.run(
        Lane::kCatalog, this, [](JobContext&) { throw Error(ErrorCode::kDamaged, "broken"); },
        [&] { seen.append(QStringLiteral("never")); }, [&](const JobError& error) { seen.append(error.message); });
    QSignalSpy unhandled(&jobs, &JobRunner::jobFailed);
    jobs.run(
        Lane::kCatalog, this, [](JobContext& context) { context.library(); },
        [&] { seen.append(QStringLiteral("never")); });
    QVERIFY(test::wait_until([&] { return jobs.idle(); }));
    QCOMPARE(seen, QStringList({QStringLiteral("7"), QStringLiteral("broken")}));
    QCOMPARE(unhandled.count(), 1);
  }

  void aCancelledJobStopsAndIsSilent() {
    JobRunner jobs;
    std::atomic<bool> started = false;
    bool delivered = false;
    Job job = jobs.run(
        Lane::kLong, this,
        [&](JobContext& context) {
          started = true;
          while (!context.cancelled()) std::this_thread::yield();
          context.throwIfCancelled();
        },
        [&] { delivered = true; }, [&](const JobError&) { delivered = true; });
    QVERIFY(test::wait_until([&] { return started.load(); }));
    QVERIFY(job.running());
    job.cancel();
    QVERIFY(test::wait_until([&] { return jobs.idle(); }));
    QVERIFY(!delivered);
    QVERIFY(!job.running());
  }

  void aResultForAReceiverThatHasGoneIsDropped() {
    JobRunner jobs;
    bool delivered = false;
    auto receiver = std::make_unique<QObject>();
    jobs.run(
        Lane::kCatalog, receiver.get(), [](JobContext&) {}, [&] { delivered = true; });
    receiver.reset();
    QVERIFY(test::wait_until([&] { return jobs.idle(); }));
    QVERIFY(!delivered);
  }

 private:
  fs::path dir_;
};

}  // namespace
}  // namespace tessera::gui

int main(int argc, char** argv) { return tessera::gui::test::run_suite<tessera::gui::WindowTest>(argc, argv); }

#include "window_test.moc"
