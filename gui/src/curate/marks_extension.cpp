// Marks on every page: keys and menus.
#include "curate/marks_extension.h"

#include <QAction>
#include <QApplication>
#include <QKeyEvent>
#include <QMenu>
#include <QMessageBox>
#include <QSettings>

#include "app/count_text.h"
#include "app/main_window.h"
#include "curate/curation_model.h"
#include "curate/export_dialog.h"
#include "curate/marks_painter.h"
#include "curate/tags_dialog.h"

namespace tessera::gui {
namespace {

const QString kAutoAdvance = QStringLiteral("curate/auto_advance");

// Turns auto-advance over when Caps Lock is pressed, which cannot be a shortcut.
class CapsLockFilter : public QObject {
 public:
  CapsLockFilter(QAction* action, QObject* parent) : QObject(parent), action_(action) {}

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override {
    if (event->type() == QEvent::KeyPress && watched->isWindowType() &&
        static_cast<QKeyEvent*>(event)->key() == Qt::Key_CapsLock) {
      action_->toggle();
    }
    return false;
  }

 private:
  QAction* action_;
};

// The selected pictures of the page shown, else the current one.
std::vector<ImageId> targets(const MainWindow& window) {
  const Page* page = window.currentPage();
  if (page == nullptr) return {};
  std::vector<ImageId> ids = page->selectedPictures();
  if (ids.empty()) {
    if (const auto current = page->currentPicture()) ids.push_back(*current);
  }
  return ids;
}

QAction* add(MainWindow& window, QMenu* menu, const QString& text, const QList<QKeySequence>& keys,
             const std::function<void()>& call) {
  QAction* action = menu->addAction(text);
  action->setShortcuts(keys);
  QObject::connect(action, &QAction::triggered, &window, call);
  return action;
}

// One picture was marked: on to the next, as in culling. A selection of several stays.
void mark(MainWindow& window, const MarkChange& change) {
  const std::vector<ImageId> ids = targets(window);
  if (ids.empty()) return;
  CurationModel::of(window.session()).setMarks(ids, change);
  if (ids.size() == 1 && QSettings().value(kAutoAdvance, true).toBool()) window.currentPage()->advance(1);
}

void addFlags(MainWindow& window, QMenu* menu) {
  const std::pair<Flag, std::pair<QString, Qt::Key>> flags[] = {{Flag::kPick, {QObject::tr("&Pick"), Qt::Key_P}},
                                                                {Flag::kReject, {QObject::tr("&Reject"), Qt::Key_X}},
                                                                {Flag::kNone, {QObject::tr("&No flag"), Qt::Key_U}}};
  for (const auto& [flag, entry] : flags) {
    MarkChange change;
    change.flag = flag;
    add(window, menu, entry.first, {entry.second}, [&window, change] { mark(window, change); });
  }
}

void addStars(MainWindow& window, QMenu* menu) {
  QMenu* stars = menu->addMenu(QObject::tr("&Stars"));
  for (int rating = 0; rating <= kMostStars; ++rating) {
    MarkChange change;
    change.rating = rating;
    const QString text = rating == 0 ? QObject::tr("No stars") : QString(rating, QChar(0x2605));
    add(window, stars, text, {QKeySequence(Qt::Key_0 + rating)}, [&window, change] { mark(window, change); });
  }
}

void addLabels(MainWindow& window, QMenu* menu) {
  QMenu* labels = menu->addMenu(QObject::tr("&Colour label"));
  for (int label = 0; label <= static_cast<int>(ColorLabel::kPurple); ++label) {
    MarkChange change;
    change.label = static_cast<ColorLabel>(label);
    QList<QKeySequence> keys{QKeySequence(Qt::CTRL | Qt::ALT | static_cast<Qt::Key>(Qt::Key_0 + label))};
    if (label >= 1 && label <= 4) keys.prepend(QKeySequence(Qt::Key_5 + label));
    QAction* action = add(window, labels, labelText(*change.label), keys, [&window, change] { mark(window, change); });
    action->setIcon(labelIcon(*change.label));
  }
}

void addTrash(MainWindow& window, QMenu* menu) {
  add(window, menu, QObject::tr("Move to the &trash"), {QKeySequence(Qt::Key_Delete)}, [&window] {
    const auto ids = targets(window);
    if (ids.empty()) return;
    if (ids.size() == 1) window.currentPage()->advance(1);
    CurationModel::of(window.session()).trash(ids);
  });
  add(window, menu, QObject::tr("Move to the trash after asking…"), {QKeySequence(Qt::SHIFT | Qt::Key_Delete)},
      [&window] {
        const auto ids = targets(window);
        if (ids.empty()) return;
        const auto answer = QMessageBox::question(
            &window, QObject::tr("Move to the trash"),
            QObject::tr("Move %1 to the trash? Undo brings back what was moved.").arg(picturesText(std::ssize(ids))));
        if (answer == QMessageBox::Yes) CurationModel::of(window.session()).trash(ids);
      });
}

}  // namespace

void extendForMarks(MainWindow& window) {
  CurationModel& model = CurationModel::of(window.session());
  QMenu* edit = window.menu(MainWindow::Menu::kEdit);
  add(window, edit, QObject::tr("&Undo"), {QKeySequence(Qt::CTRL | Qt::Key_Z)}, [&model] { model.undo(); });
  add(window, edit, QObject::tr("&Redo"),
      {QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_Z), QKeySequence(Qt::CTRL | Qt::Key_Y)}, [&model] { model.redo(); });
  edit->addSeparator();
  QMenu* menu = window.menu(MainWindow::Menu::kPicture);
  addFlags(window, menu);
  addStars(window, menu);
  addLabels(window, menu);
  add(window, menu, QObject::tr("Ta&gs…"), {QKeySequence(Qt::Key_T)}, [&window] {
    const auto ids = targets(window);
    if (ids.empty()) return;
    TagsDialog(CurationModel::of(window.session()), ids, &window).exec();
  });
  menu->addSeparator();
  QAction* advance = menu->addAction(QObject::tr("On to the ne&xt picture after a mark (Caps Lock)"));
  advance->setCheckable(true);
  advance->setChecked(QSettings().value(kAutoAdvance, true).toBool());
  QObject::connect(advance, &QAction::toggled, &window, [&window](bool on) {
    QSettings().setValue(kAutoAdvance, on);
    Q_EMIT window.session().message(on ? QObject::tr("After a mark the next picture follows.")
                                       : QObject::tr("After a mark the picture stays."));
  });
  qApp->installEventFilter(new CapsLockFilter(advance, &window));
  menu->addSeparator();
  add(window, menu, QObject::tr("&Export…"), {QKeySequence(Qt::CTRL | Qt::Key_E)}, [&window] {
    const auto ids = targets(window);
    if (ids.empty()) return;
    ExportDialog(window.session(), ids, &window).exec();
  });
  addTrash(window, menu);
  window.session().addCellDecorator([&model](QPainter& painter, const CellParts& parts, const Picture& picture) {
    paintMarks(painter, parts, model.marks(picture.id));
  });
}

}  // namespace tessera::gui
