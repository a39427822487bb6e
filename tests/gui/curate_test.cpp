// Marks by keys, undo after a restart, the trash and back, tags and collections in the window.
#include <QAction>
#include <QApplication>
#include <QClipboard>
#include <QFile>
#include <QImage>
#include <QLineEdit>
#include <QListWidget>
#include <QPainter>
#include <QProcess>
#include <QSettings>
#include <QStatusBar>
#include <QTest>

#include "app/main_window.h"
#include "browse/grid_page.h"
#include "browse/grid_view.h"
#include "curate/collection_page.h"
#include "curate/collections_panel.h"
#include "curate/curation_model.h"
#include "curate/export_dialog.h"
#include "curate/marks_painter.h"
#include "curate/tags_dialog.h"
#include "gui_fixture.h"

namespace tessera::gui {
namespace {

namespace fs = std::filesystem;

class CurateTest : public QObject {
  Q_OBJECT

 public:
  explicit CurateTest(const fs::path& dir) : dir_(dir) {}

 private Q_SLOTS:
  void initTestCase() {
    files_ = test::write_pictures(dir_ / "photos", 8);
    test::make_library(dir_ / "library", {dir_ / "photos"});
    QSettings().setValue(QStringLiteral("curate/auto_advance"), true);
    open();
  }
  void cleanupTestCase() { window_.reset(); }

  void keysMarkAndGoOn() {
    const ImageId first = *page()->currentPicture();
    press(Qt::Key_P);
    QVERIFY(*page()->currentPicture() != first);
    const ImageId second = *page()->currentPicture();
    press(Qt::Key_4);
    QVERIFY(*page()->currentPicture() != second);
    const ImageId third = *page()->currentPicture();
    press(Qt::Key_6);
    QCOMPARE(model().marks(first).marks.flag, Flag::kPick);
    QVERIFY(stored(first).flag == Flag::kPick);
    QVERIFY(stored(second).rating == 4);
    QVERIFY(stored(third).label == ColorLabel::kRed);
  }

  void capsLockKeepsThePicture() {
    const ImageId first = view()->list()->id(0);
    select(first);
    QTest::keyClick(window_->windowHandle(), Qt::Key_CapsLock);
    QVERIFY(window_->statusBar()->currentMessage().contains(QStringLiteral("stays")));
    press(Qt::Key_1);
    QVERIFY(page()->currentPicture() == first);
    QTest::keyClick(window_->windowHandle(), Qt::Key_CapsLock);
    press(Qt::Key_Z, Qt::ControlModifier);
    select(first);
    press(Qt::Key_1);
    QVERIFY(page()->currentPicture() != first);
    press(Qt::Key_Z, Qt::ControlModifier);
  }

  void aSelectionIsMarkedAsAWhole() {
    view()->selectAll();
    QCOMPARE(page()->selectedPictures().size(), files_.size());
    press(Qt::Key_2);
    for (const ImageId id : page()->selectedPictures()) QCOMPARE(stored(id).rating, 2);
    QVERIFY(window_->statusBar()->currentMessage().contains(QStringLiteral("8 pictures")));
    press(Qt::Key_Z, Qt::ControlModifier);
    QVERIFY(window_->statusBar()->currentMessage().startsWith(QStringLiteral("Undone: 2 stars")));
    QCOMPARE(rated(4), 1);
    press(Qt::Key_Z, Qt::ControlModifier | Qt::ShiftModifier);
    QCOMPARE(rated(2), 8);
    press(Qt::Key_Z, Qt::ControlModifier);
  }

  void undoWorksAfterARestart() {
    const ImageId id = *page()->currentPicture();
    select(id);
    press(Qt::Key_5);
    QCOMPARE(stored(id).rating, 5);
    open();
    QCOMPARE(model().marks(id).marks.rating, 5);
    press(Qt::Key_Z, Qt::ControlModifier);
    QVERIFY(stored(id).rating != 5);
  }

  void aRestartFindsTheState() {
    const ImageId id = view()->list()->id(6);
    const ImageId other = view()->list()->id(7);
    select(id);
    press(Qt::Key_P);
    select(id);
    press(Qt::Key_3);
    select(id);
    press(Qt::Key_8);
    model().changeTags({id, other}, {QStringLiteral("Places/Graz")}, {});
    model().createCollection(QStringLiteral("kept"), {other, id});
    settle();
    open();
    const ShownMarks shown = model().marks(id);
    QVERIFY((shown.marks == Marks{Flag::kPick, 3, ColorLabel::kGreen}));
    QCOMPARE(shown.tags.size(), 1U);
    QVERIFY(model().marks(other).tags == shown.tags);
    QCOMPARE(model().tagNames(), QStringList{QStringLiteral("Places/Graz")});
    QCOMPARE(model().collections().size(), 1U);
    QCOMPARE(model().collections()[0].contents, 2);
    for (int change = 0; change < 5; ++change) press(Qt::Key_Z, Qt::ControlModifier);
    QVERIFY(model().tagNames().isEmpty());
    QVERIFY(model().collections().empty());
    open();
    QVERIFY(model().tagNames().isEmpty());
    QVERIFY(model().marks(id).marks.flag == Flag::kNone);
  }

#ifdef TESSERA_PROGRAM
  // Both write, neither waits for the other to end, and each sees what the other did.
  void anotherProcessWorksOnTheSameLibrary() {
    const ImageId id = view()->list()->id(2);
    const auto snapshot = window_->session().library().snapshot();
    const QString file = QString::fromStdString(snapshot->path(*snapshot->find(id)).string());
    const QString library = QString::fromStdString((dir_ / "library").string());
    const auto tessera = [&](const QStringList& arguments) -> std::optional<QString> {
      QProcess process;
      process.start(QStringLiteral(TESSERA_PROGRAM), arguments + QStringList{QStringLiteral("--library"), library});
      const bool ended = process.waitForFinished(60'000);
      if (!ended || process.exitCode() != 0) qWarning("%s", process.readAllStandardError().constData());
      if (!ended || process.exitCode() != 0) return std::nullopt;
      return QString::fromUtf8(process.readAllStandardOutput());
    };
    QVERIFY(model().marks(id).marks.rating != 5);
    QVERIFY(tessera({QStringLiteral("rate"), QStringLiteral("5"), file}));
    QVERIFY(test::wait_until([&] { return model().marks(id).marks.rating == 5; }));
    select(id);
    press(Qt::Key_9);
    const auto listed =
        tessera({QStringLiteral("list"), QStringLiteral("--format"), QStringLiteral("jsonl"), QStringLiteral("--label"),
                 QStringLiteral("blue"), QStringLiteral("--rating"), QStringLiteral("5")});
    QVERIFY2(listed && listed->contains(file), qPrintable(listed.value_or(QString())));
    press(Qt::Key_Z, Qt::ControlModifier);
    press(Qt::Key_Z, Qt::ControlModifier);
    QVERIFY(stored(id).rating != 5);
  }
#endif

  void theTrashTakesAndGivesBack() {
    const ImageId id = *page()->currentPicture();
    select(id);
    const auto snapshot = window_->session().library().snapshot();
    const fs::path file = snapshot->path(*snapshot->find(id));
    press(Qt::Key_Delete);
    QVERIFY(!fs::exists(file));
    QVERIFY(test::wait_until([&] { return view()->list()->count() == 7; }));
    QVERIFY(!window_->session().library().snapshot()->find(id));
    open();
    QCOMPARE(view()->list()->count(), 7);
    press(Qt::Key_Z, Qt::ControlModifier);
    QVERIFY(fs::exists(file));
    QVERIFY(test::wait_until([&] { return view()->list()->count() == 8; }));
  }

  void tagsOfSeveralPictures() {
    view()->selectAll();
    const auto ids = page()->selectedPictures();
    {
      TagsDialog dialog(model(), {ids[0], ids[1]}, window_.get());
      dialog.findChild<QLineEdit*>()->setText(QStringLiteral("Places/Vienna"));
      dialog.accept();
    }
    settle();
    QCOMPARE(model().tagNames(), QStringList{QStringLiteral("Places/Vienna")});
    QCOMPARE(model().marks(ids[1]).tags.size(), 1U);
    TagsDialog dialog(model(), ids, window_.get());
    auto* list = dialog.findChild<QListWidget*>();
    QCOMPARE(list->item(0)->checkState(), Qt::PartiallyChecked);
    dialog.accept();
    settle();
    QCOMPARE(model().marks(ids[2]).tags.size(), 0U);
    TagsDialog remove(model(), ids, window_.get());
    remove.findChild<QListWidget*>()->item(0)->setCheckState(Qt::Unchecked);
    remove.accept();
    settle();
    QVERIFY(model().tagNames().isEmpty());
    press(Qt::Key_Z, Qt::ControlModifier);
    QCOMPARE(model().marks(ids[1]).tags.size(), 1U);
  }

  void collectionsInThePanel() {
    view()->selectAll();
    const auto ids = page()->selectedPictures();
    model().createCollection(QStringLiteral("best"), {ids[3], ids[1]});
    settle();
    auto* panel = window_->findChild<CollectionsPanel*>();
    QVERIFY(panel != nullptr);
    auto* list = panel->findChild<CollectionList*>();
    QCOMPARE(list->count(), 1);
    QCOMPARE(list->item(0)->text(), QStringLiteral("best (2)"));
    window_->showPage(QStringLiteral("collection"));
    QCOMPARE(qobject_cast<CollectionPage*>(window_->currentPage())->collection(), CollectionList::idOf(list->item(0)));
    window_->showPage(QStringLiteral("grid"));
    Q_EMIT list->itemActivated(list->item(0));
    auto* collection = qobject_cast<CollectionPage*>(window_->currentPage());
    QVERIFY(collection != nullptr);
    QVERIFY(test::wait_until([&] { return collection->view()->list()->count() == 2; }));
    QCOMPARE(collection->view()->list()->id(0), ids[3]);
    Q_EMIT list->picturesDropped(*CollectionList::idOf(list->item(0)), {ids[0]});
    QVERIFY(test::wait_until([&] { return collection->view()->list()->count() == 3; }));
    settle();
    press(Qt::Key_Z, Qt::ControlModifier);
    QVERIFY(test::wait_until([&] { return collection->view()->list()->count() == 2; }));
    window_->showPage(QStringLiteral("grid"));
  }

  void exportCopiesFiles() {
    view()->selectAll();
    ExportDialog dialog(window_->session(), page()->selectedPictures(), window_.get());
    dialog.choose(ExportDialog::What::kCopy);
    dialog.findChild<QLineEdit*>()->setText(QString::fromStdString((dir_ / "out").string()));
    dialog.accept();
    settle();
    for (const fs::path& file : files_) QVERIFY(fs::exists(dir_ / "out" / file.filename()));
  }

  void whatIsKnownIsExportedWithTheMarks() {
    const ImageId id = view()->list()->id(1);
    const auto snapshot = window_->session().library().snapshot();
    const fs::path file = snapshot->path(*snapshot->find(id));
    select(id);
    press(Qt::Key_3);
    model().changeTags({id}, {QStringLiteral("Places/Linz")}, {});
    settle();
    using What = ExportDialog::What;
    const QString table = exported(What::kCsv, id, "out.csv");
    QCOMPARE(table.count(QLatin1Char('\n')), 2);
    QVERIFY2(table.contains(QStringLiteral(",none,3,none,Places/Linz")), qPrintable(table));
    const QString line = exported(What::kJsonl, id, "out.jsonl");
    QVERIFY2(line.contains(QStringLiteral("\"rating\":3,\"label\":\"none\",\"tags\":[\"Places/Linz\"")),
             qPrintable(line));
    QVERIFY(exported(What::kSheetPage, id, "out.html").contains(QString::fromStdString(file.filename().string())));
    exported(What::kSheetPicture, id, "out.jpg");
    QVERIFY(load_image(dir_ / "out.jpg").width > 200);
    exported(What::kSidecars, id, {});
    QVERIFY(fs::exists(file.string() + ".xmp"));
    exported(What::kPaths, id, {});
    QCOMPARE(QApplication::clipboard()->text(), QString::fromStdString(file.string()));
    press(Qt::Key_Z, Qt::ControlModifier);
    press(Qt::Key_Z, Qt::ControlModifier);
  }

  void aFileThatCannotBeWrittenIsTold() {
    exported(ExportDialog::What::kCsv, view()->list()->id(0), "no folder/out.csv");
    QVERIFY2(window_->statusBar()->currentMessage().contains(QStringLiteral("cannot write")),
             qPrintable(window_->statusBar()->currentMessage()));
  }

  void marksArePaintedOverTheCell() {
    QImage plain(160, 200, QImage::Format_ARGB32_Premultiplied);
    plain.fill(Qt::gray);
    QImage marked = plain;
    CellParts parts;
    parts.cell = plain.rect();
    parts.picture = QRect(6, 6, 148, 148);
    {
      QPainter painter(&plain);
      paintMarks(painter, parts, {});
    }
    QImage untouched(plain.size(), plain.format());
    untouched.fill(Qt::gray);
    QCOMPARE(plain, untouched);
    {
      QPainter painter(&marked);
      paintMarks(painter, parts, {{Flag::kPick, 3, ColorLabel::kRed}, {1, 2}});
    }
    QVERIFY(marked != plain);
    QCOMPARE(marked.copy(0, 155, 160, 45), plain.copy(0, 155, 160, 45));
  }

 private:
  void open() {
    window_.reset();
    window_ = test::make_window(900, 600);
    test::show(*window_);
    window_->session().openLibrary(dir_ / "library");
    QVERIFY(test::wait_until([&] { return window_->session().library().loaded(); }));
    window_->showPage(QStringLiteral("grid"));
    settle();
    QVERIFY(view()->list()->count() > 0);
    view()->setCurrentId(view()->list()->id(0));
    view()->setFocus();
  }

  // The text of the file that exporting this picture makes.
  QString exported(ExportDialog::What what, ImageId id, const std::string& name) {
    ExportDialog dialog(window_->session(), {id}, window_.get());
    dialog.choose(what);
    if (!name.empty()) dialog.findChild<QLineEdit*>()->setText(QString::fromStdString((dir_ / name).string()));
    dialog.accept();
    if (!test::wait_until([&] { return window_->session().jobs().pending(Lane::kLong) == 0; })) return {};
    QFile file(QString::fromStdString((dir_ / name).string()));
    return !name.empty() && file.open(QIODevice::ReadOnly) ? QString::fromUtf8(file.readAll()) : QString();
  }

  void settle() {
    QVERIFY(test::wait_until([&] {
      const JobRunner& jobs = window_->session().jobs();
      return jobs.pending(Lane::kCatalog) == 0 && jobs.pending(Lane::kMemory) == 0;
    }));
  }

  // The action with this key, as the key would trigger it.
  void press(int key, Qt::KeyboardModifiers modifiers = Qt::NoModifier) {
    const QKeySequence wanted(static_cast<int>(modifiers) | key);
    QAction* found = nullptr;
    for (QAction* action : window_->findChildren<QAction*>()) {
      if (action->shortcuts().contains(wanted) && action->isEnabled()) found = action;
    }
    QVERIFY2(found != nullptr, qPrintable(wanted.toString()));
    found->trigger();
    settle();
    settle();
  }

  void select(ImageId id) {
    view()->clearSelection();
    view()->setCurrentId(id);
  }

  int rated(int stars) {
    int count = 0;
    view()->selectAll();
    for (const ImageId id : page()->selectedPictures()) count += stored(id).rating == stars ? 1 : 0;
    return count;
  }

  Marks stored(ImageId id) {
    const auto snapshot = window_->session().library().snapshot();
    return Curation::open(dir_ / "library", OpenMode::kRead).marks((*snapshot)[*snapshot->find(id)].hash);
  }

  GridPage* page() { return qobject_cast<GridPage*>(window_->page(QStringLiteral("grid"))); }
  GridView* view() { return page()->view(); }
  CurationModel& model() { return CurationModel::of(window_->session()); }

  fs::path dir_;
  std::vector<fs::path> files_;
  std::unique_ptr<MainWindow> window_;
};

}  // namespace
}  // namespace tessera::gui

int main(int argc, char** argv) { return tessera::gui::test::run_suite<tessera::gui::CurateTest>(argc, argv); }

#include "curate_test.moc"
