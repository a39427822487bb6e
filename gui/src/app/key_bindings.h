// The keys of every action: those the program comes with, and what the user has put in their place.
#pragma once

#include <QKeySequence>
#include <QList>
#include <QMap>
#include <QPointer>
#include <QStringList>

class QAction;
class QMenu;

namespace tessera::gui {

class MainWindow;

// Thread rule: GUI thread.
class KeyBindings {
 public:
  // Of the actions that menus and pages have now, as far as they come with a key; takes up what the settings say.
  explicit KeyBindings(MainWindow& window);

  // Actions of one name share their keys, e.g. "Next picture" of several pages. Empty for one without keys to change.
  static QString nameOf(const QAction& action);

  QList<QKeySequence> keys(const QString& name) const;
  bool changed(const QString& name) const;  // by the user
  // Other actions that one of `keys` calls already at a place where `name` works too.
  QStringList clashes(const QString& name, const QList<QKeySequence>& keys) const;

  // Takes these keys from the actions that clash, and keeps all of it in the settings.
  void setKeys(const QString& name, const QList<QKeySequence>& keys);
  void reset(const QString& name);
  void resetAll();

 private:
  struct Binding {
    QList<QPointer<QAction>> actions;
    QStringList places;  // pages; empty = everywhere
    QList<QKeySequence> defaults;
    QList<QKeySequence> keys;
  };

  void add(QAction& action, const QString& place);
  void addMenu(const QMenu& menu);
  void apply(const QString& name, const QList<QKeySequence>& keys);

  QMap<QString, Binding> bindings_;
};

}  // namespace tessera::gui
