// The page of duplicates: groups are found, marked by a rule or by hand, ruled out for ever, and their files go to the
// trash and come back.
#include <QApplication>
#include <QComboBox>
#include <QSettings>
#include <QStatusBar>
#include <QTest>
#include <QTreeWidget>

#include "app/main_window.h"
#include "curate/duplicates_page.h"
#include "gui_fixture.h"
#include "look/compare_page.h"
#include "tessera/resize.h"

namespace tessera::gui {
namespace {

namespace fs = std::filesystem;

class DuplicatesTest : public QObject {
  Q_OBJECT

 public:
  explicit DuplicatesTest(const fs::path& dir) : dir_(dir) {}

 private Q_SLOTS:
  void initTestCase() {
    fs::create_directories(dir_ / "photos" / "copies");
    const fs::path large = dir_ / "photos" / "large.png", small = dir_ / "photos" / "small.png";
    write_image(large, test::picture(5, 288, 192));
    write_image(small, resize_bicubic(test::picture(5, 288, 192), 144, 96));
    write_image(dir_ / "photos" / "alone.png", test::picture(90, 288, 192));
    write_image(dir_ / "photos" / "twice.png", test::picture(200, 288, 192));
    fs::copy_file(dir_ / "photos" / "twice.png", dir_ / "photos" / "copies" / "twice.png");
    test::make_library(dir_ / "library", {dir_ / "photos"});
  }
  void init() { open(); }
  void cleanup() { window_.reset(); }

  void groupsAreFoundTheSafestFirst() {
    const auto& groups = page()->groups();
    QVERIFY(groups.size() >= 2);
    QCOMPARE(groups[0].label, DuplicateLabel::kExact);
    QCOMPARE(groups[0].files.size(), 2U);
    QCOMPARE(groups[0].files[0].file.image->id, groups[0].files[1].file.image->id);
    const ReviewedGroup& near = groups[1];
    QCOMPARE(near.label, DuplicateLabel::kReencoded);
    QCOMPARE(near.files.size(), 2U);
    QCOMPARE(near.files[0].file.file.path.filename(), fs::path("large.png"));
    QVERIFY(near.files[0].keep && !near.files[1].keep);
    QCOMPARE(tree()->topLevelItemCount(), static_cast<int>(groups.size()));
    QVERIFY(tree()->topLevelItem(0)->text(0).startsWith(QStringLiteral("Exact copies")));
    QVERIFY(tree()->topLevelItem(1)->text(0).startsWith(QStringLiteral("Re-encoded")));
    QVERIFY(tree()->topLevelItem(1)->child(0)->text(1).contains(QStringLiteral("stays, the best")));
    QVERIFY(tree()->topLevelItem(1)->child(1)->text(1).contains(QStringLiteral("to the trash")));
    for (std::size_t g = 1; g < groups.size(); ++g) QVERIFY(groups[g - 1].certainty >= groups[g].certainty);
  }

  void theRuleMarksAndTheUserOverrides() {
    const fs::path large = dir_ / "photos" / "large.png", small = dir_ / "photos" / "small.png";
    const fs::path copy = dir_ / "photos" / "copies" / "twice.png", twice = dir_ / "photos" / "twice.png";
    QVERIFY(page()->marked(small) && !page()->marked(large));
    QVERIFY(page()->marked(twice) != page()->marked(copy));
    auto* rule = page()->findChild<QComboBox*>();
    rule->setCurrentIndex(rule->findData(QStringLiteral("folder")));
    auto* folder = page()->findChildren<QComboBox*>()[1];
    folder->setCurrentIndex(folder->findText(QString::fromStdString((dir_ / "photos" / "copies").string())));
    settle();
    QVERIFY(page()->marked(twice) && !page()->marked(copy));
    QTreeWidgetItem* item = tree()->topLevelItem(1)->child(1);
    tree()->setCurrentItem(item);
    QTest::keyClick(tree(), Qt::Key_Space);
    QVERIFY(!page()->marked(small));
    QCOMPARE(tree()->topLevelItem(1)->child(1)->checkState(0), Qt::Unchecked);
    tree()->topLevelItem(1)->child(0)->setCheckState(0, Qt::Checked);
    QVERIFY(page()->marked(large));
  }

  void markedFilesGoAndComeBack() {
    const fs::path small = dir_ / "photos" / "small.png";
    const std::size_t groups = page()->groups().size();
    page()->trashMarked();
    QVERIFY(test::wait_until([&] { return !fs::exists(small); }));
    QVERIFY(fs::exists(dir_ / "photos" / "large.png"));
    QVERIFY(fs::exists(dir_ / "photos" / "twice.png") != fs::exists(dir_ / "photos" / "copies" / "twice.png"));
    QVERIFY(test::wait_until([&] {
      return pairGroups() == 0 && (page()->groups().empty() || page()->groups()[0].label != DuplicateLabel::kExact);
    }));
    QTest::keyClick(window_.get(), Qt::Key_Z, Qt::ControlModifier);
    QVERIFY(test::wait_until([&] { return fs::exists(small) && page()->groups().size() == groups; }));
    QVERIFY(fs::exists(dir_ / "photos" / "twice.png") && fs::exists(dir_ / "photos" / "copies" / "twice.png"));
  }

  void theLastCopyStays() {
    for (const KeepDecision& row : page()->groups()[0].files) page()->setMarked(row.file.file.path, true);
    page()->setMarked(dir_ / "photos" / "small.png", false);
    page()->trashMarked();
    const QStatusBar* bar = window_->statusBar();
    QVERIFY(test::wait_until([&] { return bar->currentMessage().contains(QStringLiteral("0 files moved")); }));
    QVERIFY2(bar->currentMessage().size() > 30, qPrintable(bar->currentMessage()));  // and why
    for (const KeepDecision& row : page()->groups()[0].files) QVERIFY(fs::exists(row.file.file.path));
  }

  void comparesTheGroup() {
    tree()->setCurrentItem(tree()->topLevelItem(1)->child(0));
    page()->compareCurrent();
    auto* compare = qobject_cast<ComparePage*>(window_->currentPage());
    QVERIFY(compare != nullptr);
    QCOMPARE(compare->count(), 2);
    const auto pictures = page()->groups()[1].pictures();
    for (const ImageId id : pictures) {
      compare->setCurrentPicture(id);
      QCOMPARE(compare->currentPicture(), std::optional(id));
    }
  }

  void aVerdictIsForEver() {
    const std::size_t groups = page()->groups().size();
    tree()->setCurrentItem(tree()->topLevelItem(1)->child(0));
    QTest::keyClick(tree(), Qt::Key_N, Qt::ShiftModifier);
    QVERIFY(test::wait_until([&] { return pairGroups() == 0; }));
    QTest::keyClick(window_.get(), Qt::Key_Z, Qt::ControlModifier);
    QVERIFY(test::wait_until([&] { return page()->groups().size() == groups; }));
    tree()->setCurrentItem(tree()->topLevelItem(1)->child(0));
    page()->ruleOutCurrent();
    QVERIFY(test::wait_until([&] { return pairGroups() == 0; }));
    page()->search();
    settle();
    QCOMPARE(pairGroups(), 0);
    open();
    QCOMPARE(pairGroups(), 0);
    QCOMPARE(page()->groups()[0].label, DuplicateLabel::kExact);
  }

 private:
  // Groups that have both sizes of the picture.
  int pairGroups() {
    int count = 0;
    for (const ReviewedGroup& group : page()->groups()) {
      int found = 0;
      for (const KeepDecision& row : group.files) {
        found += row.file.file.path.filename() == "large.png" || row.file.file.path.filename() == "small.png" ? 1 : 0;
      }
      count += found == 2 ? 1 : 0;
    }
    return count;
  }

  void open() {
    window_.reset();
    window_ = test::make_window(1000, 700);
    test::show(*window_);
    window_->session().openLibrary(dir_ / "library");
    QVERIFY(test::wait_until([&] { return window_->session().library().loaded(); }));
    QTest::keyClick(window_.get(), Qt::Key_D, Qt::ControlModifier);
    QCOMPARE(window_->currentPage()->name(), QStringLiteral("duplicates"));
    settle();
  }
  void settle() {
    QVERIFY(test::wait_until([&] {
      const JobRunner& jobs = window_->session().jobs();
      return jobs.pending(Lane::kLong) == 0 && jobs.pending(Lane::kCatalog) == 0 && page()->screenshotReady();
    }));
  }
  DuplicatesPage* page() { return qobject_cast<DuplicatesPage*>(window_->page(QStringLiteral("duplicates"))); }
  QTreeWidget* tree() { return page()->findChild<QTreeWidget*>(); }

  fs::path dir_;
  std::unique_ptr<MainWindow> window_;
};

}  // namespace
}  // namespace tessera::gui

int main(int argc, char** argv) { return tessera::gui::test::run_suite<tessera::gui::DuplicatesTest>(argc, argv); }

#include "duplicates_test.moc"
