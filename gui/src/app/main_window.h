// The window: named pages in a stack, side panels, menus; everything on it belongs to a page or an extension.
#pragma once

#include <QMainWindow>
#include <QMap>
#include <QStringList>
#include <memory>

#include "app/key_bindings.h"
#include "app/page.h"
#include "app/registry.h"

class QActionGroup;
class QMenu;
class QStackedWidget;
class QToolBar;

namespace tessera::gui {

class MainWindow : public QMainWindow {
  Q_OBJECT

 public:
  // Menus in the order of the menu bar; an extension adds its actions to one of them.
  enum class Menu { kFile, kEdit, kView, kPicture, kTools, kHelp };

  explicit MainWindow(const Registry& registry, QWidget* parent = nullptr);
  ~MainWindow() override;

  Session& session() { return session_; }
  QMenu* menu(Menu menu) const { return menus_.value(menu); }
  KeyBindings& keyBindings() { return *key_bindings_; }

  QStringList pageNames() const;
  Page* page(const QString& name) const;  // null if there is none
  Page* currentPage() const;
  void showPage(const QString& name);  // does nothing for an unknown one
  void showPreviousPage();             // where the user was before, as Esc does

  // Theme, size and docks of the last time.
  void restoreLayout();
  void saveLayout() const;

 Q_SIGNALS:
  void currentPageChanged(Page* page);
  void selectionChanged();  // of the current page, also when that is another one

 protected:
  void closeEvent(QCloseEvent* event) override;

 private:
  void addMenus();
  void addPages(const Registry& registry);
  void addPanels(const Registry& registry);
  void switchTo(Page* next);
  void setPanelsShown(bool shown);

  Session session_;
  QStackedWidget* stack_ = nullptr;
  QToolBar* bar_ = nullptr;
  QActionGroup* page_group_ = nullptr;
  QMap<Menu, QMenu*> menus_;
  QMap<QString, QAction*> page_switches_;
  QList<Page*> pages_;
  QStringList visited_;
  QByteArray panels_;  // where they were, while a page stands alone; else empty
  std::unique_ptr<KeyBindings> key_bindings_;
};

}  // namespace tessera::gui
