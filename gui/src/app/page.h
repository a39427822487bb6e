// Base of everything the window shows in its middle, one at a time, by name.
#pragma once

#include <QList>
#include <QWidget>
#include <optional>
#include <vector>

#include "app/session.h"

class QAction;

namespace tessera::gui {

// A page with pictures answers for its selection, so that marks and menus work on every page alike.
class Page : public QWidget {
  Q_OBJECT

 public:
  // `name` for --page and links between pages: lower-case ASCII; `title` for people.
  Page(Session& session, const QString& name, const QString& title, QWidget* parent = nullptr);

  Session& session() const { return session_; }
  const QString& name() const { return name_; }
  const QString& title() const { return title_; }

  // Shown in the tool bar and the menu while the page is; their shortcuts work only then.
  virtual QList<QAction*> pageActions() const { return {}; }
  // Shown without the side panels, which have nothing to say yet.
  virtual bool standsAlone() const { return false; }
  // Everything that belongs on a picture of the page has been painted. Emit screenshotReadyChanged() when it becomes
  // so.
  virtual bool screenshotReady() const { return true; }

  virtual std::vector<ImageId> selectedPictures() const { return {}; }
  // All pictures of the page in the order it shows them, if it has one: what the loupe goes through.
  virtual std::vector<ImageId> shownPictures() const { return {}; }
  virtual std::optional<ImageId> currentPicture() const { return std::nullopt; }
  virtual void setCurrentPicture(ImageId) {}
  // To the next (or previous) picture of the page, as auto-advance wants it; false at the end.
  virtual bool advance(int /*step*/) { return false; }

 Q_SIGNALS:
  void screenshotReadyChanged();
  void selectionChanged();  // the selected pictures or the current one

 private:
  Session& session_;
  QString name_;
  QString title_;
};

}  // namespace tessera::gui
