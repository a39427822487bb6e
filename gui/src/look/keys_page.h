// Every key of the program in one list, made of the actions that are there.
#pragma once

#include <QKeySequence>

#include "app/page.h"

class QLineEdit;
class QPushButton;
class QTreeWidget;
class QTreeWidgetItem;

namespace tessera::gui {

class KeyBindings;
class MainWindow;

struct KeyLine {
  QString text;
  QStringList keys;  // as shown, e.g. "Ctrl+Z"
  QString name;      // of KeyBindings; empty where the keys cannot be changed
};
struct KeyGroup {
  QString title;
  std::vector<KeyLine> lines;
};

// The menus, which work everywhere, then each page. A page may name keys that are no actions in its property
// "keyHints": keys and meaning in turn.
std::vector<KeyGroup> keyGroups(const MainWindow& window);

class KeysPage : public Page {
  Q_OBJECT

 public:
  explicit KeysPage(Session& session, QWidget* parent = nullptr);

 protected:
  void showEvent(QShowEvent* event) override;

 private:
  KeyBindings* bindings() const;
  void fill();
  void filter(const QString& wanted);
  void offer();  // what can be done with the line that is current
  void change(const QTreeWidgetItem* line);

  QLineEdit* search_ = nullptr;
  QTreeWidget* list_ = nullptr;
  QPushButton* change_ = nullptr;
  QPushButton* reset_ = nullptr;
};

}  // namespace tessera::gui
