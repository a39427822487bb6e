// Every key of the program in one list.
#include "look/keys_page.h"

#include <QAction>
#include <QHeaderView>
#include <QLineEdit>
#include <QMenu>
#include <QPushButton>
#include <QTreeWidget>
#include <QVBoxLayout>

#include "app/main_window.h"
#include "look/key_dialog.h"

namespace tessera::gui {
namespace {

constexpr auto kText = QKeySequence::NativeText;
constexpr int kName = Qt::UserRole;  // of KeyBindings

QString plain(QString text) {
  text.remove(QLatin1Char('&'));
  return text;
}

void add_action(KeyGroup& group, const QAction& action) {
  KeyLine line{plain(action.text()), {}, KeyBindings::nameOf(action)};
  for (const QKeySequence& keys : action.shortcuts()) line.keys.append(keys.toString(kText));
  if (!line.keys.isEmpty() || !line.name.isEmpty()) group.lines.push_back(line);
}

void add_menu(KeyGroup& group, const QMenu& menu) {
  for (const QAction* action : menu.actions()) {
    if (action->menu() != nullptr) {
      add_menu(group, *action->menu());
    } else if (!action->isSeparator()) {
      add_action(group, *action);
    }
  }
}

}  // namespace

std::vector<KeyGroup> keyGroups(const MainWindow& window) {
  std::vector<KeyGroup> groups;
  using Menu = MainWindow::Menu;
  for (const Menu menu : {Menu::kFile, Menu::kEdit, Menu::kView, Menu::kPicture, Menu::kTools, Menu::kHelp}) {
    KeyGroup group{plain(window.menu(menu)->title()), {}};
    add_menu(group, *window.menu(menu));
    groups.push_back(group);
  }
  for (const QString& name : window.pageNames()) {
    const Page* page = window.page(name);
    KeyGroup group{KeysPage::tr("On the page %1").arg(page->title()), {}};
    for (const QAction* action : page->pageActions()) add_action(group, *action);
    const QStringList hints = page->property("keyHints").toStringList();
    for (qsizetype i = 0; i + 1 < hints.size(); i += 2) group.lines.push_back({hints[i + 1], {hints[i]}, {}});
    groups.push_back(group);
  }
  std::erase_if(groups, [](const KeyGroup& group) { return group.lines.empty(); });
  return groups;
}

KeysPage::KeysPage(Session& session, QWidget* parent) : Page(session, QStringLiteral("keys"), tr("Keys"), parent) {
  search_ = new QLineEdit(this);
  search_->setPlaceholderText(tr("Find a key or what it does"));
  search_->setClearButtonEnabled(true);
  search_->setAccessibleName(search_->placeholderText());
  list_ = new QTreeWidget(this);
  list_->setColumnCount(2);
  list_->setHeaderLabels({tr("What it does"), tr("Keys")});
  list_->setAlternatingRowColors(true);
  list_->setRootIsDecorated(false);
  list_->setAccessibleName(tr("All keys"));
  list_->setFrameShape(QFrame::NoFrame);
  list_->header()->setSectionResizeMode(0, QHeaderView::ResizeToContents);
  change_ = new QPushButton(tr("Change…"), this);
  reset_ = new QPushButton(tr("As it came"), this);
  auto* reset_all = new QPushButton(tr("All as they came"), this);
  auto* buttons = new QHBoxLayout;
  buttons->addWidget(change_);
  buttons->addWidget(reset_);
  buttons->addStretch(1);
  buttons->addWidget(reset_all);
  auto* layout = new QVBoxLayout(this);
  layout->addWidget(search_);
  layout->addWidget(list_, 1);
  layout->addLayout(buttons);
  setFocusProxy(search_);
  connect(search_, &QLineEdit::textChanged, this, &KeysPage::filter);
  connect(list_, &QTreeWidget::currentItemChanged, this, &KeysPage::offer);
  connect(list_, &QTreeWidget::itemActivated, this, &KeysPage::change);
  connect(change_, &QPushButton::clicked, this, [this] { change(list_->currentItem()); });
  connect(reset_, &QPushButton::clicked, this, [this] {
    bindings()->reset(list_->currentItem()->data(0, kName).toString());
    fill();
  });
  connect(reset_all, &QPushButton::clicked, this, [this] {
    bindings()->resetAll();
    fill();
  });
  offer();
}

KeyBindings* KeysPage::bindings() const {
  auto* main = qobject_cast<MainWindow*>(window());
  return main == nullptr ? nullptr : &main->keyBindings();
}

void KeysPage::showEvent(QShowEvent* event) {
  Page::showEvent(event);
  fill();
}

// The line that was current stays so.
void KeysPage::fill() {
  const auto* main = qobject_cast<const MainWindow*>(window());
  if (main == nullptr) return;
  const QString current = list_->currentItem() == nullptr ? QString() : list_->currentItem()->data(0, kName).toString();
  list_->clear();
  for (const KeyGroup& group : keyGroups(*main)) {
    auto* top = new QTreeWidgetItem(list_, {group.title});
    QFont bold = list_->font();
    bold.setBold(true);
    top->setFont(0, bold);
    top->setFirstColumnSpanned(true);
    for (const KeyLine& line : group.lines) {
      auto* item = new QTreeWidgetItem(top, {line.text, line.keys.join(QStringLiteral(",   "))});
      item->setData(0, kName, line.name);
      if (!line.name.isEmpty() && line.name == current) list_->setCurrentItem(item);
    }
  }
  list_->expandAll();
  filter(search_->text());
  offer();
}

void KeysPage::offer() {
  const QTreeWidgetItem* line = list_->currentItem();
  const QString name = line == nullptr ? QString() : line->data(0, kName).toString();
  change_->setEnabled(!name.isEmpty());
  reset_->setEnabled(!name.isEmpty() && bindings() != nullptr && bindings()->changed(name));
}

void KeysPage::change(const QTreeWidgetItem* line) {
  const QString name = line == nullptr ? QString() : line->data(0, kName).toString();
  if (name.isEmpty() || bindings() == nullptr) return;
  KeyDialog dialog(*bindings(), name, this);
  if (dialog.exec() != QDialog::Accepted) return;
  bindings()->setKeys(name, dialog.keys());
  fill();
}

void KeysPage::filter(const QString& wanted) {
  for (int g = 0; g < list_->topLevelItemCount(); ++g) {
    QTreeWidgetItem* group = list_->topLevelItem(g);
    bool any = false;
    for (int i = 0; i < group->childCount(); ++i) {
      QTreeWidgetItem* line = group->child(i);
      const bool found =
          line->text(0).contains(wanted, Qt::CaseInsensitive) || line->text(1).contains(wanted, Qt::CaseInsensitive);
      line->setHidden(!found);
      any = any || found;
    }
    group->setHidden(!any);
  }
}

}  // namespace tessera::gui
