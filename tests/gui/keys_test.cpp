// Keys that the user has changed: what they do, what they take away, and that they are still there after a restart.
#include <QAction>
#include <QApplication>
#include <QKeySequenceEdit>
#include <QPushButton>
#include <QSettings>
#include <QTest>
#include <QTimer>
#include <QTreeWidget>

#include "app/main_window.h"
#include "gui_fixture.h"
#include "look/key_dialog.h"

namespace tessera::gui {
namespace {

const QString kPick = QStringLiteral("Pick");
const QString kReject = QStringLiteral("Reject");

class KeysTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void init() {
    QSettings().remove(QStringLiteral("keys"));
    open();
  }
  void cleanup() { window_.reset(); }

  void aChangedKeyStaysAfterARestart() {
    QCOMPARE(bindings().keys(kPick), QList<QKeySequence>{Qt::Key_P});
    bindings().setKeys(kPick, {Qt::Key_K, QKeySequence(Qt::CTRL | Qt::Key_K)});
    QVERIFY(bindings().changed(kPick));
    open();
    QVERIFY(calls(Qt::Key_K, kPick));
    QVERIFY(calls(Qt::Key_K, kPick, Qt::ControlModifier));
    QVERIFY(!calls(Qt::Key_P, kPick));
    bindings().reset(kPick);
    open();
    QVERIFY(!bindings().changed(kPick));
    QVERIFY(calls(Qt::Key_P, kPick));
  }

  void aKeyIsTakenFromTheActionThatHadIt() {
    QCOMPARE(bindings().clashes(kPick, {Qt::Key_X}), QStringList{kReject});
    bindings().setKeys(kPick, {Qt::Key_X});
    QVERIFY(bindings().keys(kReject).isEmpty());
    open();
    QVERIFY(calls(Qt::Key_X, kPick));
    QVERIFY(bindings().keys(kReject).isEmpty());
    bindings().resetAll();
    QVERIFY(calls(Qt::Key_X, kReject));
    QVERIFY(calls(Qt::Key_P, kPick));
    QVERIFY(QSettings().allKeys().filter(QStringLiteral("keys/")).isEmpty());
  }

  // The same key may mean one thing here and another there, as long as no page has both.
  void pagesHaveKeysOfTheirOwn() {
    const auto one_of = [&](const QString& page) {
      for (const QAction* action : window_->page(page)->pageActions()) {
        if (!KeyBindings::nameOf(*action).isEmpty()) return KeyBindings::nameOf(*action);
      }
      return QString();
    };
    const QString here = one_of(QStringLiteral("compare")), there = one_of(QStringLiteral("search"));
    QVERIFY(!here.isEmpty() && !there.isEmpty());
    const QKeySequence key(Qt::CTRL | Qt::ALT | Qt::Key_F9);
    bindings().setKeys(here, {key});
    QVERIFY(bindings().clashes(there, {key}).isEmpty());
    QCOMPARE(bindings().clashes(kPick, {key}), QStringList{here});
  }

  void settingsThatMakeNoSenseLeaveTheActionUsable() {
    QSettings().setValue(QStringLiteral("keys/") + kPick, QStringList{QStringLiteral("no such key"), QString()});
    open();
    QVERIFY(bindings().keys(kPick).isEmpty());
    bindings().reset(kPick);
    QVERIFY(calls(Qt::Key_P, kPick));
  }

  void theListChangesKeys() {
    window_->showPage(QStringLiteral("keys"));
    auto* list = window_->currentPage()->findChild<QTreeWidget*>();
    const auto line = [&] { return list->findItems(kPick, Qt::MatchExactly | Qt::MatchRecursive).value(0); };
    QVERIFY(line() != nullptr);
    list->setCurrentItem(line());
    QString warned;
    QTimer::singleShot(0, this, [&] {
      auto* dialog = qobject_cast<KeyDialog*>(QApplication::activeModalWidget());
      if (dialog == nullptr) return;
      auto* edit = dialog->findChildren<QKeySequenceEdit*>().value(0);
      edit->setKeySequence(QKeySequence(Qt::Key_X));
      warned = dialog->findChildren<QPushButton*>().value(0)->text();
      dialog->accept();
    });
    const auto buttons = window_->currentPage()->findChildren<QPushButton*>();
    QTest::mouseClick(buttons[0], Qt::LeftButton);
    QCOMPARE(warned, QStringLiteral("Take it"));
    QCOMPARE(line()->text(1), QStringLiteral("X"));
    QVERIFY(calls(Qt::Key_X, kPick));
    window_->showPage(QStringLiteral("keys"));
    list->setCurrentItem(line());
    QTest::mouseClick(buttons[1], Qt::LeftButton);
    QCOMPARE(line()->text(1), QStringLiteral("P"));
  }

 private:
  void open() {
    window_.reset();
    window_ = std::make_unique<MainWindow>(standardRegistry());
    window_->show();
    QVERIFY(QTest::qWaitForWindowExposed(window_.get()));
    window_->showPage(QStringLiteral("grid"));
  }
  KeyBindings& bindings() { return window_->keyBindings(); }

  // Whether the key calls the action of this name on the page that is shown.
  bool calls(Qt::Key key, const QString& name, Qt::KeyboardModifiers modifiers = Qt::NoModifier) {
    window_->showPage(QStringLiteral("grid"));
    window_->activateWindow();  // a dialog may have been in front of it
    if (!QTest::qWaitForWindowActive(window_.get())) return false;
    int called = 0;
    std::vector<QMetaObject::Connection> connections;
    for (const QAction* action : window_->findChildren<QAction*>()) {
      if (KeyBindings::nameOf(*action) != name) continue;
      connections.push_back(connect(action, &QAction::triggered, this, [&] { ++called; }));
    }
    QTest::keyClick(window_->currentPage(), key, modifiers);
    for (const QMetaObject::Connection& connection : connections) disconnect(connection);
    return called == 1;
  }

  std::unique_ptr<MainWindow> window_;
};

}  // namespace
}  // namespace tessera::gui

int main(int argc, char** argv) { return tessera::gui::test::run_suite<tessera::gui::KeysTest>(argc, argv); }

#include "keys_test.moc"
