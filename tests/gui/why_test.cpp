// Why a picture was found, the list of keys, and what a screen reader and a keyboard find on every page.
#include <QAccessible>
#include <QAction>
#include <QApplication>
#include <QFile>
#include <QMenuBar>
#include <QTest>
#include <QTreeWidget>
#include <atomic>
#include <thread>

#include "app/main_window.h"
#include "gui_fixture.h"
#include "look/keys_page.h"
#include "look/picture_view.h"
#include "look/why_page.h"
#include "test_paths.h"

namespace tessera::gui {
namespace {

namespace fs = std::filesystem;

// As ColorEncoder, but it waits before each call until it is let go.
class WaitingEncoder : public ImageEncoder {
 public:
  WaitingEncoder(std::atomic<int>& calls, std::atomic<bool>& go) : calls_(calls), go_(go) {}
  const EncoderInfo& info() const override { return colors_.info(); }
  EncodedBatch encode(std::span<const Image> images, int tokens) override {
    ++calls_;
    while (!go_) std::this_thread::yield();
    return colors_.encode(images, tokens);
  }

 private:
  test::ColorEncoder colors_;
  std::atomic<int>& calls_;
  std::atomic<bool>& go_;
};

class WhyTest : public QObject {
  Q_OBJECT

 public:
  explicit WhyTest(const fs::path& dir) : dir_(dir) {}

 private Q_SLOTS:
  void initTestCase() {
    test::write_pictures(dir_ / "photos", 8);
    test::make_library(dir_ / "library", {dir_ / "photos"});
  }

  void mapsAreShownFromNothingToAll() {
    const TileMap map{2, 2, {0.2F, -0.5F, 0.1F, 0.0F}};
    QCOMPARE(shownMap(map), (std::vector<float>{1.0F, 0.0F, 0.5F, 0.0F}));
    QCOMPARE(shownMap({2, 1, {-1.0F, 0.0F}}), (std::vector<float>{0.0F, 0.0F}));
    QCOMPARE(strongestPlace(map), QStringLiteral("upper left"));
    QCOMPARE(strongestPlace({3, 3, {0, 0, 0, 0, 1, 0, 0, 0, 0}}), QStringLiteral("middle"));
    QCOMPARE(strongestPlace({7, 5, std::vector<float>(34, 0.0F)}).isEmpty(), false);
  }

  void aPictureIsExplainedByTheOneMostLikeIt() {
    const auto window = open([](const LibraryEncoder&) { return std::make_unique<test::ColorEncoder>(); });
    WhyPage* page = ask(*window);
    QVERIFY(test::wait_until([&] { return page->answer().explained; }));
    const WhyAnswer& answer = page->answer();
    QVERIFY(answer.result_id != answer.query_id && answer.query_id == firstPicture(*window));
    const auto& map = answer.explanation.result;
    QCOMPARE(static_cast<int>(map.values.size()), map.columns * map.rows);
    QVERIFY(*std::max_element(map.values.begin(), map.values.end()) > 0);
    // square:64 of 96 x 64 pictures takes the middle.
    QVERIFY(std::abs(answer.result_part.x() - 1.0 / 6) < 1e-9 && std::abs(answer.result_part.width() - 2.0 / 3) < 1e-9);
    QVERIFY(page->sentence().contains(QStringLiteral("as a whole")) ||
            page->sentence().contains(QStringLiteral("same")));
    QVERIFY(page->currentPicture() == answer.result_id);
    const QImage with_map = page->resultView()->grab().toImage();
    QTest::keyClick(page->resultView(), Qt::Key_M);
    QVERIFY(page->resultView()->grab().toImage() != with_map);
  }

  void theShownSearchIsExplained() {
    const auto window = open([](const LibraryEncoder&) { return std::make_unique<test::ColorEncoder>(); });
    const LibrarySnapshot& snapshot = *window->session().library().snapshot();
    auto result = std::make_shared<SearchResult>();
    result->searched = 8;
    result->hits.push_back({snapshot[2].id, 0.6F, 0.7F, 0.5F, 0});
    ShownSearch search;
    search.file = snapshot.path(5);
    search.region = QRectF(0.5, 0, 0.5, 1);
    search.result = result;
    window->session().setShownSearch(search);
    Q_EMIT window->session().whyWanted(snapshot[2].id);
    auto* page = qobject_cast<WhyPage*>(window->currentPage());
    QVERIFY(test::wait_until([&] { return page->answer().explained; }));
    QCOMPARE(page->answer().query_file.string(), snapshot.path(5).string());
    QVERIFY(page->answer().query_part.x() >= 0.5);
    QVERIFY(page->answer().sentence.startsWith(QStringLiteral("Similar as a whole (0.70), details and layout agree")));
    Q_EMIT window->session().whyWanted(snapshot[3].id);  // not among the hits
    QVERIFY(test::wait_until([&] { return !page->running(); }));
    QVERIFY(!page->answer().explained);
    QVERIFY(page->resultView()->accessibleDescription().contains(QStringLiteral("not among the results")));
  }

  void leavingThePageEndsTheWork() {
    std::atomic<int> calls = 0;
    std::atomic<bool> go = false;
    const auto window = open([&](const LibraryEncoder&) { return std::make_unique<WaitingEncoder>(calls, go); });
    WhyPage* page = ask(*window);
    QVERIFY(test::wait_until([&] { return calls == 1; }));
    QVERIFY(page->running());
    window->showPage(QStringLiteral("grid"));
    QVERIFY(!page->running());
    go = true;
    QVERIFY(test::wait_until([&] { return window->session().jobs().pending(Lane::kSearch) == 0; }));
    QCOMPARE(calls.load(), 1);  // the batch that ran when it was cancelled, and no other
    QVERIFY(!page->answer().explained);
  }

  void theKeysPageListsEveryAction() {
    const auto window = open({});
    QTest::keyClick(window->currentPage(), Qt::Key_Question);
    QCOMPARE(window->currentPage()->name(), QStringLiteral("keys"));
    QStringList listed;
    auto* list = window->currentPage()->findChild<QTreeWidget*>();
    for (QTreeWidgetItemIterator item(list); *item; ++item) listed.append((*item)->text(0));
    for (const QString& name : window->pageNames()) {
      for (const QAction* action : window->page(name)->pageActions()) {
        if (action->shortcut().isEmpty()) continue;
        QVERIFY2(listed.contains(QString(action->text()).remove(QLatin1Char('&'))), qPrintable(action->text()));
      }
    }
    QVERIFY(listed.contains(QStringLiteral("Full screen")));
  }

  void theGuideNamesEveryKey() {
    const auto window = open({});
    QFile file(QString::fromStdString((tessera::test::source_dir() / "docs" / "GUI.md").string()));
    QVERIFY(file.open(QIODevice::ReadOnly));
    const QString guide = QString::fromUtf8(file.readAll());
    for (const KeyGroup& group : keyGroups(*window)) {
      for (const KeyLine& line : group.lines) {
        for (const QString& keys : line.keys) {
          QVERIFY2(guide.contains(QStringLiteral("`%1`").arg(keys)),
                   qPrintable(line.text + QStringLiteral(": ") + keys));
        }
      }
    }
  }

  void noKeyMeansTwoThings() {
    const auto window = open({});
    const auto check = [](const QList<QAction*>& actions) {
      QMap<QString, QString> taken;
      for (const QAction* action : actions) {
        for (const QKeySequence& keys : action->shortcuts()) {
          const QString text = keys.toString();
          QVERIFY2(!taken.contains(text) || taken[text] == action->text(),
                   qPrintable(text + QStringLiteral(": ") + action->text() + QStringLiteral(", ") + taken[text]));
          taken[text] = action->text();
        }
      }
    };
    QList<QAction*> everywhere;
    for (QAction* menu : window->menuBar()->actions()) {
      for (QAction* action : menu->menu()->actions()) everywhere.append(action);
    }
    for (const QString& name : window->pageNames()) check(everywhere + window->page(name)->pageActions());
  }

  void everyPageFitsIntoASmallWindow() {
    const auto window = open({});
    for (const QString& name : window->pageNames()) {
      window->showPage(name);
      const QSize least = window->page(name)->minimumSizeHint();
      QVERIFY2(least.width() <= 640 && least.height() <= 400,
               qPrintable(QStringLiteral("%1: %2 x %3").arg(name).arg(least.width()).arg(least.height())));
    }
  }

  void everyControlHasANameForScreenReaders() {
    const auto window = open({});
    for (const QString& name : window->pageNames()) {
      window->showPage(name);
      for (const QWidget* widget : window->findChildren<QWidget*>()) {
        if (widget->focusPolicy() == Qt::NoFocus || !widget->isVisibleTo(window.get())) continue;
        if (widget->objectName().startsWith(QStringLiteral("qt_"))) continue;  // inside of a control
        QAccessibleInterface* face = QAccessible::queryAccessibleInterface(const_cast<QWidget*>(widget));
        const QString text = face != nullptr ? face->text(QAccessible::Name) : QString();
        QVERIFY2(!text.isEmpty(),
                 qPrintable(name + QStringLiteral(": ") + QString::fromLatin1(widget->metaObject()->className()) +
                            QStringLiteral(" in ") +
                            QString::fromLatin1(widget->parentWidget()->metaObject()->className())));
      }
    }
  }

 private:
  std::unique_ptr<MainWindow> open(const MakeEncoder& make) {
    auto window = test::make_window(1000, 700);
    if (make) window->session().setMakeEncoder(make);
    window->show();
    window->session().openLibrary(dir_ / "library");
    test::wait_until([&] { return window->session().library().loaded(); });
    return window;
  }
  static ImageId firstPicture(MainWindow& window) { return (*window.session().library().snapshot())[0].id; }
  static WhyPage* ask(MainWindow& window) {
    Q_EMIT window.session().whyWanted(firstPicture(window));
    return qobject_cast<WhyPage*>(window.currentPage());
  }

  fs::path dir_;
};

}  // namespace
}  // namespace tessera::gui

int main(int argc, char** argv) { return tessera::gui::test::run_suite<tessera::gui::WhyTest>(argc, argv); }

#include "why_test.moc"
