// The keys of every action: those the program comes with, and what the user has put in their place.
#include "app/key_bindings.h"

#include <QAction>
#include <QMenu>
#include <QSettings>
#include <algorithm>

#include "app/main_window.h"

namespace tessera::gui {
namespace {

constexpr const char* kName = "bindingName";  // the text may change later, e.g. of "Undo"

QString settings_key(const QString& name) {
  return QStringLiteral("keys/") + QString(name).replace(QLatin1Char('/'), QLatin1Char('|'));
}

bool share_place(const QStringList& a, const QStringList& b) {
  return a.isEmpty() || b.isEmpty() ||
         std::any_of(a.begin(), a.end(), [&](const QString& place) { return b.contains(place); });
}

}  // namespace

KeyBindings::KeyBindings(MainWindow& window) {
  using Menu = MainWindow::Menu;
  for (const Menu menu : {Menu::kFile, Menu::kEdit, Menu::kView, Menu::kPicture, Menu::kTools, Menu::kHelp}) {
    addMenu(*window.menu(menu));
  }
  for (const QString& page : window.pageNames()) {
    for (QAction* action : window.page(page)->pageActions()) add(*action, page);
  }
  const QSettings settings;
  for (const QString& name : bindings_.keys()) {
    if (!settings.contains(settings_key(name))) continue;
    QList<QKeySequence> keys;
    for (const QString& text : settings.value(settings_key(name)).toStringList()) {
      const QKeySequence sequence = QKeySequence::fromString(text, QKeySequence::PortableText);
      if (!sequence.isEmpty() && sequence[0].key() != Qt::Key_unknown) keys.append(sequence);
    }
    apply(name, keys);
  }
}

QString KeyBindings::nameOf(const QAction& action) { return action.property(kName).toString(); }

QList<QKeySequence> KeyBindings::keys(const QString& name) const { return bindings_.value(name).keys; }

bool KeyBindings::changed(const QString& name) const {
  const Binding binding = bindings_.value(name);
  return binding.keys != binding.defaults;
}

QStringList KeyBindings::clashes(const QString& name, const QList<QKeySequence>& keys) const {
  const QStringList places = bindings_.value(name).places;
  QStringList found;
  for (auto other = bindings_.begin(); other != bindings_.end(); ++other) {
    if (other.key() == name || !share_place(places, other->places)) continue;
    if (std::any_of(keys.begin(), keys.end(), [&](const QKeySequence& key) { return other->keys.contains(key); })) {
      found.append(other.key());
    }
  }
  return found;
}

void KeyBindings::setKeys(const QString& name, const QList<QKeySequence>& keys) {
  if (!bindings_.contains(name)) return;
  const auto store = [&](const QString& of, const QList<QKeySequence>& values) {
    apply(of, values);
    QStringList texts;
    for (const QKeySequence& value : values) texts.append(value.toString(QKeySequence::PortableText));
    QSettings settings;
    if (changed(of)) {
      settings.setValue(settings_key(of), texts);
    } else {
      settings.remove(settings_key(of));
    }
  };
  for (const QString& other : clashes(name, keys)) {
    QList<QKeySequence> rest = bindings_[other].keys;
    rest.removeIf([&](const QKeySequence& key) { return keys.contains(key); });
    store(other, rest);
  }
  store(name, keys);
}

void KeyBindings::reset(const QString& name) { setKeys(name, bindings_.value(name).defaults); }

void KeyBindings::resetAll() {
  QSettings().remove(QStringLiteral("keys"));
  for (const QString& name : bindings_.keys()) apply(name, bindings_[name].defaults);
}

void KeyBindings::add(QAction& action, const QString& place) {
  if (action.shortcuts().isEmpty()) return;
  const QString name = QString(action.text()).remove(QLatin1Char('&'));
  action.setProperty(kName, name);
  const bool known = bindings_.contains(name);
  Binding& binding = bindings_[name];
  if (place.isEmpty()) {
    binding.places.clear();
  } else if (!known || !binding.places.isEmpty()) {
    binding.places.append(place);
  }
  binding.actions.append(&action);
  if (!known) binding.defaults = binding.keys = action.shortcuts();
}

void KeyBindings::addMenu(const QMenu& menu) {
  for (QAction* action : menu.actions()) {
    if (action->menu() != nullptr) {
      addMenu(*action->menu());
    } else {
      add(*action, QString());
    }
  }
}

void KeyBindings::apply(const QString& name, const QList<QKeySequence>& keys) {
  Binding& binding = bindings_[name];
  binding.keys = keys;
  for (const QPointer<QAction>& action : binding.actions) {
    if (action != nullptr) action->setShortcuts(keys);
  }
}

}  // namespace tessera::gui
